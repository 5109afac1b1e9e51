-- A run is numbered by itself: one comes of each version of the case and of scans that change it.
-- `cause` says which (`case/<version>`, `scan/<offset on traces.v1>`); of two runs with the same
-- number, made by two workers at once, the one stored first counts.
ALTER TABLE trace_runs ADD COLUMN IF NOT EXISTS cause String DEFAULT concat('case/', toString(case_version));

ALTER TABLE trace_runs ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') DEFAULT traced_at
