"""Who may have been exposed: a pure core, and the ClickHouse queries that feed it.

Reading order: `stays` (scans become intervals), `ruleset`, `window` and `warning` (what the rules
say), `parts` (which of the case's stays count), `exposures`, `contacts`, `trace` (a case's
answer), `documents` (as it is stored), `versions` and `comparison` (what is different), `queries`.
"""
