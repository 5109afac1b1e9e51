-- Coverage: the register as `sites.v1` and `coverage.v1` say it, copied here so that a million
-- places are counted where the scans are. An older version of a record gives way to the newer.
-- Times are 0 where nothing is known; a code's interval without an end ends in 2106.
CREATE TABLE IF NOT EXISTS register_sites (
    site UInt32,
    version UInt32,
    ward LowCardinality(String),
    kind LowCardinality(String),
    sector LowCardinality(String),
    active Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY site;

CREATE TABLE IF NOT EXISTS register_places (
    place UInt32,
    version UInt32,
    site UInt32,
    active Bool,
    code_version Array(UInt16),
    code_from Array(DateTime('UTC')),
    code_to Array(DateTime('UTC'))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY place;

CREATE TABLE IF NOT EXISTS register_postings (
    place UInt32,
    version UInt32,
    duty_at DateTime('UTC'),
    printed_at DateTime('UTC'),
    printed_version UInt16,
    posted_at DateTime('UTC'),
    posted_version UInt16,
    inspected_at DateTime('UTC'),
    inspected_version UInt16,
    inspected_good Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY place;

CREATE TABLE IF NOT EXISTS required_lists (
    list String,
    version UInt32,
    name String,
    keeper String,
    as_of Date,
    entries UInt32,
    withdrawn Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY list;

CREATE TABLE IF NOT EXISTS required_entries (
    list String,
    entry String,
    version UInt32,
    ward LowCardinality(String),
    kind LowCardinality(String),
    sector LowCardinality(String),
    site UInt32,
    exempt Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (list, entry);

-- Up to where the topics have been copied.
CREATE TABLE IF NOT EXISTS register_positions (
    topic String,
    kafka_partition UInt16,
    next_offset UInt64
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (topic, kafka_partition);

-- Scans of each place in a week of `scans`, by local day (a UTC week touches eight of them), as
-- counted at `round`. `coverage_weeks` says which round of a week is whole, and of how many rows.
CREATE TABLE IF NOT EXISTS place_weeks (
    week Date,
    round DateTime64(3, 'UTC'),
    place UInt32,
    days Array(UInt32),
    last_scan DateTime('UTC')
)
ENGINE = MergeTree
PARTITION BY (week, round)
ORDER BY place;

CREATE TABLE IF NOT EXISTS coverage_weeks (
    week Date,
    round DateTime64(3, 'UTC'),
    rows UInt64
)
ENGINE = ReplacingMergeTree(round)
ORDER BY week;

-- The register at `round`, one row a place that is not closed. Place 0: a required establishment
-- that is not registered (site 0), or a site without any place.
CREATE TABLE IF NOT EXISTS coverage (
    round DateTime64(3, 'UTC'),
    ward LowCardinality(String),
    kind LowCardinality(String),
    sector LowCardinality(String),
    site UInt32,
    place UInt32,
    required Bool,
    code Bool,
    duty Bool,
    printed Bool,
    posted Bool,
    since DateTime('UTC'),
    inspected_at DateTime('UTC'),
    inspected_good Bool,
    last_scan DateTime('UTC'),
    scans UInt32
)
ENGINE = MergeTree
PARTITION BY round
ORDER BY (ward, site, place);

CREATE TABLE IF NOT EXISTS coverage_rounds (
    round DateTime64(3, 'UTC'),
    places UInt32,
    seconds Float32
)
ENGINE = MergeTree
PARTITION BY toDate(round)
ORDER BY round;

-- The funnel of each local day as it last stood on that day: it outlives scans, and names nobody.
CREATE TABLE IF NOT EXISTS coverage_days (
    day Date,
    ward LowCardinality(String),
    kind LowCardinality(String),
    sector LowCardinality(String),
    round DateTime64(3, 'UTC'),
    required UInt32,
    required_sites Array(UInt32),
    sites Array(UInt32),
    places Array(UInt32),
    scans UInt64
)
ENGINE = ReplacingMergeTree(round)
ORDER BY (day, ward, kind, sector)
