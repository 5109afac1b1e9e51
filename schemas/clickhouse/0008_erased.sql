-- Records of persons who asked to be erased: where they were in the log, and nothing of what they
-- said. They are as present as any other, for the recipe of exactly once and for the account.
CREATE TABLE IF NOT EXISTS erased (
    noted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toMonday(noted_at)
ORDER BY (kafka_partition, kafka_offset)
${TTL:noted_at}
SETTINGS non_replicated_deduplication_window = 1000${TTL_PARTS}
