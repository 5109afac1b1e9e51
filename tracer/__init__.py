"""Who may have been exposed: a pure core, and the ClickHouse queries that feed it.

Reading order: `stays` (scans become intervals), `ruleset` and `window` (what the rules say),
`exposures`, `contacts`, `trace` (a case's answer), `documents` (as it is stored), `queries`.
"""
