"""Tables of ClickHouse in pieces: which rows a piece has, its sum, its rows out and in.

A piece is some rows of one partition of a table, named by a condition that holds for the same rows
wherever they are. It goes out and in as ClickHouse's own Native format through the ordinary
client, so an embedded engine and a server are the same here.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from streams.clickhouse import ClickHouse

_QUERY: Final = {"max_execution_time": 300, "wait_end_of_query": 1}
_INSERT: Final[dict[str, Any]] = {
    "async_insert": 0,
    "max_execution_time": 600,
    # one part of each piece: what many small ones cost is in DESIGN §4
    "max_insert_block_size": 4_000_000,
    "min_insert_block_size_rows": 4_000_000,
    "min_insert_block_size_bytes": 0,
}


@dataclass(frozen=True)
class Kept:
    """A table that a backup holds: `key`, a number that splits it, and how many rows at once.

    `logged`: each row is a record of `scans.v1` and says which. `until`: a condition on
    `{until}`, a moment that has passed, for a table that grows meanwhile.
    """

    name: str
    key: str
    rows: int
    logged: bool = False
    until: str = "1"


_OFFSETS: Final = "intDiv(kafka_offset, 65536)"
# What follows from the register and the scans (`register_*`, `coverage`, `place_weeks`, …) is
# made again by itself.
_BEFORE: Final = "stored_at <= '{until}'"
RUNS: Final = (
    Kept("trace_runs", "cityHash64(case_id) % 4096", 100_000, until=_BEFORE),
    Kept(
        "trace_contacts",
        "cityHash64(case_id) % 4096",
        200_000,
        until=f"attempt IN (SELECT attempt FROM trace_runs WHERE {_BEFORE})",  # noqa: S608
    ),
)
OUTCOME_TABLES: Final = (
    Kept("scans", "place", 1_000_000, logged=True),
    Kept("rejects", _OFFSETS, 200_000, logged=True),
    Kept("duplicates", _OFFSETS, 1_000_000, logged=True),
    Kept("expired", _OFFSETS, 1_000_000, logged=True),
    Kept("erased", _OFFSETS, 1_000_000, logged=True),
)
REST: Final = (
    Kept("daily_totals", "toUInt16(kafka_partition)", 1_000_000),
    Kept("coverage_days", "toUInt32(day)", 1_000_000),
)
_REPLACING: Final = frozenset(kept.name for kept in REST)  # of two rows the newer counts
TABLES: Final = (*RUNS, *OUTCOME_TABLES, *REST)


def below(cut: Mapping[int, int]) -> str:
    """The condition for records of `scans.v1` before these offsets, by partition."""
    known = ", ".join(str(cut.get(p, 0)) for p in range(max(cut, default=0) + 1))
    return f"kafka_offset < [{known}][kafka_partition + 1]"


def plan(
    clickhouse: ClickHouse, table: Kept, cut: Mapping[int, int], until: datetime
) -> list["Piece"]:
    """The pieces of a table, with how many rows each has now."""
    moment = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.000")
    condition = below(cut) if table.logged else table.until.replace("{until}", moment)
    counted = clickhouse.rows(
        f"SELECT _partition_id, {table.key} AS key, count() FROM {table.name} "  # noqa: S608 (ours)
        f"WHERE {condition} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    pieces: list[Piece] = []
    open_: list[tuple[str, int, int]] = []

    def close() -> None:
        partition, first, _ = open_[0]
        where = f"{table.key} BETWEEN {first} AND {open_[-1][1]} AND {condition}"
        pieces.append(Piece(table.name, partition, where, sum(count for _, _, count in open_)))
        open_.clear()

    for partition, key, count in counted:
        rows = sum(some for _, _, some in open_)
        if open_ and (open_[0][0] != partition or rows + count > table.rows):
            close()
        open_.append((partition, int(key), int(count)))
    if open_:
        close()
    return pieces


@dataclass(frozen=True)
class Piece:
    """Some rows of a table: those of one partition for which `where` holds."""

    table: str
    partition: str
    where: str
    rows: int = 0

    @property
    def source(self) -> str:
        """What its rows are read from."""
        return f"{self.table} FINAL" if self.table in _REPLACING else self.table

    @property
    def condition(self) -> str:
        """For a SELECT."""
        return f"_partition_id = '{self.partition}' AND {self.where}"


class Sums:
    """Counts and sums of contents, the same wherever the same rows are."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._expressions: dict[str, str] = {}

    def of(self, piece: Piece) -> tuple[int, int]:
        """Rows, and the sum of their hashes modulo 2^64."""
        [(rows, total)] = self._clickhouse.rows(
            f"SELECT count(), sum({self._expression(piece.table)}) FROM {piece.source} "  # noqa: S608
            f"WHERE {piece.condition}"
        )
        return int(rows), int(total)

    def _expression(self, table: str) -> str:
        if table not in self._expressions:
            columns = self._clickhouse.rows(
                "SELECT name, type FROM system.columns WHERE database = currentDatabase() "
                "AND table = {table:String} ORDER BY name",
                {"table": table},
            )
            hashed = (_hashable(name, kind) for name, kind in columns)
            self._expressions[table] = f"cityHash64({', '.join(hashed)})"
        return self._expressions[table]


def anew() -> dict[str, Any]:
    """Settings of an insert that nothing before it may be taken for, also the same rows deleted."""
    return {**_INSERT, "insert_deduplication_token": str(uuid.uuid4())}


def rows_out(clickhouse: ClickHouse, piece: Piece) -> Iterator[bytes]:
    """The piece, in Native format."""
    sql = f"SELECT * FROM {piece.source} WHERE {piece.condition}"  # noqa: S608
    return clickhouse.export(sql, "Native", dict(_QUERY))


def rows_in(clickhouse: ClickHouse, piece: Piece, body: Iterator[bytes]) -> None:
    """Put a piece in. Raises Retryable: then none, some or all of it may be there."""
    clickhouse.load(piece.table, body, "Native", anew())


def remove(clickhouse: ClickHouse, piece: Piece) -> None:
    """Take what is there of a piece away, and wait for it."""
    clickhouse.command(
        f"{clickhouse.shape.alter(piece.table)} "
        f"DELETE IN PARTITION ID '{piece.partition}' WHERE {piece.where}",
        {"mutations_sync": 2, "max_execution_time": 600},
    )


def _hashable(name: str, kind: str) -> str:
    if kind.startswith("Nullable"):
        return f"ifNull(toString({name}), '-')"
    return f"toString({name})" if kind.startswith("Map") else name
