-- What a record became when it did not become a row of `scans`. One offset is in exactly one
-- of scans, rejects, duplicates and expired.
CREATE TABLE IF NOT EXISTS rejects (
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    reason LowCardinality(String),
    detail String,
    event_id Nullable(UUID),
    person Nullable(UInt64),
    producer LowCardinality(String),
    original String CODEC(ZSTD(1)),
    original_key String,
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toMonday(appended_at)
ORDER BY (kafka_partition, kafka_offset)
${TTL:appended_at}
SETTINGS non_replicated_deduplication_window = 1000${TTL_PARTS};

CREATE TABLE IF NOT EXISTS duplicates (
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    person UInt64,
    event_id UUID,
    producer LowCardinality(String),
    first_partition UInt16,
    first_offset UInt64,
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toMonday(appended_at)
ORDER BY (kafka_partition, kafka_offset)
${TTL:appended_at}
SETTINGS non_replicated_deduplication_window = 1000${TTL_PARTS};

-- Past its time to live when it was about to be written: counted, not inserted.
CREATE TABLE IF NOT EXISTS expired (
    noted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toMonday(noted_at)
ORDER BY (kafka_partition, kafka_offset)
${TTL:noted_at}
SETTINGS non_replicated_deduplication_window = 1000${TTL_PARTS};

-- Daily totals per partition of what retention has taken away; they outlive the rows.
CREATE TABLE IF NOT EXISTS daily_totals (
    day Date,
    kafka_partition UInt16,
    outcome Enum8('written' = 1, 'duplicate' = 2, 'rejected' = 3, 'expired' = 4, 'erased' = 5),
    reason LowCardinality(String),
    records UInt64,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY (day, kafka_partition, outcome, reason)
