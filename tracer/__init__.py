"""Who may have been exposed: rule-sets, stays, exposures, contacts. A pure core, and the queries that feed it."""
