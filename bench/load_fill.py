"""Rows written by the engine itself, `INSERT … SELECT FROM numbers`: a table of any size, fast.

The rows look like ingested ones: random ids, forty scans a person, few busy places and many
quiet ones (the busiest of 5,000 has some 0.3 %), and every (partition, offset) once.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streams.clickhouse import ClickHouse

PARTITIONS: Final = 8
_PIECE: Final = 2_000_000
_SCANS_A_PERSON: Final = 40
_DAY_MS: Final = 86_400_000
_SETTINGS: Final[dict[str, Any]] = {
    "async_insert": 0,
    "max_insert_threads": 1,
    "max_execution_time": 600,
}
# no partition of the topic: the log has nothing to do with these rows
ELSEWHERE: Final = 1_000


def fill(
    clickhouse: ClickHouse,
    begin: int,
    end: int,
    places: int,
    until: datetime,
    *,
    days: float = 14.0,
    people: int | None = None,
    first_partition: int = 0,
    block: int = 250_000,
) -> None:
    """Rows number `begin` to `end`, scanned in the `days` before `until`.

    Row i lies in partition `first_partition` + i mod 8 at offset i div 8. Parts begin with
    `block` rows. Raises Retryable.
    """
    who = people or max(1, end // _SCANS_A_PERSON)
    span_ms = int(days * _DAY_MS)
    until_ms = int(until.timestamp() * 1000)
    for at in range(begin, end, _PIECE):
        count = min(_PIECE, end - at)
        clickhouse.command(
            "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, producer, "  # noqa: S608 (our own numbers)
            "device, code_version, companions, trip, seat, appended_at, written_at, content_hash, "
            "kafka_partition, kafka_offset) "
            "WITH cityHash64(number, 1) AS h1, cityHash64(number, 2) AS h2, "
            f"fromUnixTimestamp64Milli({until_ms} - toInt64(h2 % {span_ms}), 'UTC') AS scanned "
            f"SELECT generateUUIDv4(), cityHash64(h1 % {who}, 3), "
            f"1 + toUInt32(floor(pow(cityHash64(number, 4) / {2.0**64}, 1.5) * {places}))"
            f" % {places}, scanned, 'in', 'self', 'sim', "
            f"concat('p-', lower(hex(toUInt32(cityHash64(h1 % {who}, 5))))), 1, 0, '', '', "
            "scanned, scanned, cityHash64(number, 6), "
            f"toUInt16({first_partition} + number % {PARTITIONS}), intDiv(number, {PARTITIONS}) "
            f"FROM numbers({at}, {count})",
            {
                **_SETTINGS,
                "max_block_size": block,
                "max_insert_block_size": block,
                "min_insert_block_size_rows": block,
                "min_insert_block_size_bytes": 0,
            },
        )


def fill_closed_weeks(clickhouse: ClickHouse, rows: int, places: int, weeks: int = 2) -> None:
    """Rows of the last weeks that are closed, each in parts of a half, a quarter, and so on.

    The engine leaves parts of such sizes alone (its merges want parts that are alike), so they
    are what a week is when it closes, and there is something to do for the maintenance job.
    """
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday())).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    begin = 0
    for back in range(1, weeks + 1):
        until = monday - timedelta(weeks=back, milliseconds=1)
        left = rows // weeks
        while left > rows // weeks // 16:
            size = -(-left // 2)
            fill(
                clickhouse, begin, begin + size, places, until, days=7.0,
                people=max(1, rows // _SCANS_A_PERSON), first_partition=ELSEWHERE, block=size,
            )  # fmt: skip
            begin, left = begin + size, left - size
