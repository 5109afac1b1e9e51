-- Trace runs. Contacts are written first, the run last: a run that is not in `trace_runs` is
-- not visible, so nobody ever sees half of one. `attempt` tells two attempts at one run apart.
CREATE TABLE IF NOT EXISTS trace_runs (
    case_id String,
    run UInt32,
    case_version UInt32,
    attempt UUID,
    status LowCardinality(String),
    rule_set LowCardinality(String),
    parameters String CODEC(ZSTD(3)),
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    offsets_seen Map(UInt16, UInt64),
    contacts UInt32,
    summary String CODEC(ZSTD(3)),
    traced_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (case_id, run, traced_at);

CREATE TABLE IF NOT EXISTS trace_contacts (
    case_id String,
    run UInt32,
    attempt UUID,
    rank UInt32,
    person UInt64,
    tier LowCardinality(String),
    minutes Float64,
    document String CODEC(ZSTD(3))
)
ENGINE = MergeTree
ORDER BY (case_id, run, attempt, rank)
