"""What rebuilt tables say otherwise than the old ones, offset by offset, and why that may be.

Both sides are first summed by stretches of offsets; only stretches that differ are looked into.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from console.backup.pieces import below
from streams.clickhouse import ClickHouse

_STRETCH: Final = 100_000
_SETTINGS: Final = {"max_execution_time": 3_600}
# what a verdict and its row consist of: all but when it was written, and words for people
_ROWS: Final = (
    (
        "scans",
        "'written'",
        "event_id, person, place, scanned_at, direction, method, producer, device, code_version, "
        "companions, trip, seat, ifNull(toString(recorded_at), ''), content_hash",
    ),
    ("rejects", "toString(reason)", "reason"),
    ("duplicates", "'duplicate'", "1"),
    ("expired", "'expired'", "1"),
    ("erased", "'erased'", "1"),
)
_OF_CODES: Final = frozenset(
    {"unknown_code", "code_not_yet_valid", "expired_code", "revoked_code", "producer_not_allowed"}
)
_OF_ORDER: Final = frozenset({"duplicate", "id_reused"})
_ABSENT: Final = "absent"
Row = tuple[int, int, str, str]  # partition, offset, what it was, what it is


@dataclass
class Differences:
    """Counted by (what it was, what it is), with why; the offsets themselves in `rows`."""

    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)
    compared: int = 0

    @property
    def unexplained(self) -> int:
        """How many have no reason that is known."""
        return sum(n for pair, n in self.counted.items() if why(*pair) is None)


def why(was: str, now: str) -> tuple[str, str] | None:
    """The reason that a verdict may have changed since it was first given; None: there is none."""
    pair = {was, now}
    if now == "erased":
        return "xoá theo yêu cầu", "erased since"
    if was == "erased" or now == _ABSENT:
        return None  # nobody who was erased may come back, and nothing may go missing
    if was == _ABSENT:
        return "trước đó thiếu, nay có", "was not there and is now"
    if now == "expired":
        return "đã quá hạn lưu giữ", "past its retention by now"
    if pair & _OF_CODES and was != now:
        return (
            "mã hoặc nguồn gửi được biết, sửa hoặc thu hồi sau đó",
            "a code or producer was learnt, changed or revoked after the first verdict",
        )
    if pair & _OF_ORDER and was != now:
        return "trùng nằm ở phân vùng khác", "a duplicate lies in another partition"
    return None


def compare(clickhouse: ClickHouse, old: str, new: str, cut: Mapping[int, int]) -> Differences:
    """Of all offsets before the cut; `old` and `new` are databases. Raises Retryable."""
    found = Differences()
    sums = {db: _stretches(clickhouse, db, cut) for db in (old, new)}
    found.compared = sum(count for count, _ in sums[new].values())
    for stretch in sorted(sums[old].keys() | sums[new].keys()):
        if sums[old].get(stretch) != sums[new].get(stretch):
            for row in _differing(clickhouse, old, new, cut, *stretch):
                found.rows.append(row)
                found.counted[row[2], row[3]] += 1
    return found


def _stretches(
    clickhouse: ClickHouse, database: str, cut: Mapping[int, int]
) -> dict[tuple[int, int], tuple[int, int]]:
    rows = clickhouse.query_rows(
        f"SELECT kafka_partition, intDiv(kafka_offset, {_STRETCH}) AS stretch, count(), sum(sum) "  # noqa: S608
        f"FROM ({_union(database, below(cut))}) GROUP BY 1, 2",
        {},
        _SETTINGS,
    )
    return {(int(p), int(stretch)): (int(n), int(total)) for p, stretch, n, total in rows}


def _differing(
    clickhouse: ClickHouse, old: str, new: str, cut: Mapping[int, int], partition: int, stretch: int
) -> Iterator[Row]:
    first = stretch * _STRETCH
    condition = (
        f"{below(cut)} AND kafka_partition = {partition} "
        f"AND kafka_offset BETWEEN {first} AND {first + _STRETCH - 1}"
    )
    sides = [
        pl.DataFrame(clickhouse.query_arrow(_union(db, condition), settings=dict(_SETTINGS)))
        for db in (old, new)
    ]
    joined = sides[0].join(sides[1], on="kafka_offset", how="full", coalesce=True, suffix="_now")
    changed = joined.filter(
        (pl.col("outcome").is_null())
        | (pl.col("outcome_now").is_null())
        | (pl.col("sum") != pl.col("sum_now"))
    ).sort("kafka_offset")
    for offset, was, now in changed.select("kafka_offset", "outcome", "outcome_now").iter_rows():
        yield partition, offset, was or _ABSENT, now or _ABSENT


def _union(database: str, condition: str) -> str:
    return " UNION ALL ".join(
        f"SELECT kafka_partition, kafka_offset, {outcome} AS outcome, "  # noqa: S608 (ours)
        f"cityHash64('{table}', kafka_offset, {columns}) AS sum "
        f"FROM {database}.{table} WHERE {condition}"
        for table, outcome, columns in _ROWS
    )
