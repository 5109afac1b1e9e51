-- Scans as they happened. A row carries the partition and offset it came from: the recipe of
-- exactly once reads back which offsets are present. An hour in the key and small
-- granules keep a trace at a few hundred granules whatever the table's size.
CREATE TABLE IF NOT EXISTS scans (
    event_id UUID,
    person UInt64,
    place UInt32,
    scanned_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    direction Enum8('in' = 1, 'out' = 2, 'pass' = 3),
    method Enum8('self' = 1, 'staff' = 2, 'card' = 3, 'typed' = 4),
    producer LowCardinality(String),
    device String,
    code_version UInt16,
    companions UInt8,
    trip LowCardinality(String),
    seat LowCardinality(String),
    recorded_at Nullable(DateTime64(3, 'UTC')),
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    written_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    content_hash UInt64,
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    PROJECTION by_person (
        SELECT person, scanned_at, place, direction, event_id, trip,
               content_hash, kafka_partition, kafka_offset
        ORDER BY person, scanned_at
    ) WITH SETTINGS (index_granularity = 256),
    PROJECTION by_offset (
        SELECT kafka_partition, kafka_offset ORDER BY kafka_partition, kafka_offset
    )
)
ENGINE = MergeTree
PARTITION BY toMonday(scanned_at)
ORDER BY (place, toStartOfHour(scanned_at), person, scanned_at)
${TTL:scanned_at}
SETTINGS index_granularity = 512, min_compress_block_size = 8192,
         max_compress_block_size = 16384, non_replicated_deduplication_window = 1000${TTL_PARTS}
