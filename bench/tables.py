"""Copies of the table `scans` for the rows that are not truyvet: same columns, same projections.

The shortest pipe inserts a record's JSON as it is. The engine computes hashes in the place of the
two columns that truyvet derives: the person's 64 bits and the place of the code.
"""

import re
import time
from typing import Final

from schemas.errors import UserError
from streams.clickhouse import ClickHouse

PIPE: Final = "bench_pipe"
ROWS: Final = "bench_rows"
FLOOR: Final = "bench_floor"
PIPE_COLUMNS: Final = (
    "event_id",
    "person",
    "code",
    "direction",
    "scanned_at",
    "method",
    "producer",
    "device",
    "companions",
    "trip",
    "seat",
    "recorded_at",
)
_QUIET_S: Final = 120.0
_LOOK_S: Final = 0.25
_IN_TEXT: Final = "`person` String EPHEMERAL, `code` String EPHEMERAL, "
_HASHES: Final = (
    ("`person` UInt64", "`person_id` UInt64 DEFAULT cityHash64(person)"),
    ("`place` UInt32", "`place` UInt32 DEFAULT toUInt32(cityHash64(code))"),
)


def pipe_table(create: str, name: str) -> str:
    """The statement that makes the pipe's copy, from that of `scans` (in one line).

    `person` and `code` arrive as text and are not kept; their hashes stand where truyvet's
    person and place stand, in the columns, in the order of the table and in its projections.
    Raises UserError if the table is not as it was when this was written.
    """
    head, found, body = create.partition("(")
    if not found or not re.fullmatch(r"CREATE TABLE (\S+\.)?`?scans`? ", head):
        raise UserError(
            "Bảng scans không còn như khi viết đường ghi ngắn nhất. / "
            "The table scans is not what the shortest pipe was written for."
        )
    made = re.sub(r"(?<![`\w])person(?![`\w])", "person_id", body)
    for old, new in _HASHES:
        if made.count(old) != 1:
            raise UserError(
                f"Bảng scans không có cột {old} mà đường ghi ngắn nhất cần. / "
                f"The table scans has no column {old}: the shortest pipe needs it."
            )
        made = made.replace(old, new)
    return f"CREATE TABLE {name} ({_IN_TEXT}{made}"


def make_tables(clickhouse: ClickHouse) -> None:
    """The copies, made anew and empty. Raises UserError if they lack a projection."""
    for name in (PIPE, ROWS, FLOOR):
        clickhouse.command(f"DROP TABLE IF EXISTS {name} SYNC")
    [(create,)] = clickhouse.rows(
        "SELECT create_table_query FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'scans'"
    )
    clickhouse.command(pipe_table(create, PIPE))
    clickhouse.command(f"CREATE TABLE {ROWS} AS scans")
    clickhouse.command(f"CREATE TABLE {FLOOR} AS scans")
    wanted = _projections(clickhouse, "scans")
    for name in (PIPE, ROWS, FLOOR):
        if _projections(clickhouse, name) != wanted:
            raise UserError(
                f"{name} không có các projection của scans: so sánh sẽ không công bằng. / "
                f"{name} has not the projections of scans: the race would be unfair."
            )


def quiet(clickhouse: ClickHouse, timeout_s: float = _QUIET_S) -> None:
    """Wait until the engine merges nothing, so that no row pays for the one before.

    Raises UserError if it is still at it after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    still = 0
    while still < 3:  # merges begin one after the other
        [(merging,)] = clickhouse.rows("SELECT count() FROM system.merges")
        still = 0 if merging else still + 1
        if time.monotonic() > deadline:
            raise UserError(
                f"Sau {timeout_s:.0f} giây engine vẫn còn đang gộp. / "
                f"The engine was still merging after {timeout_s:.0f} s."
            )
        time.sleep(_LOOK_S)


def count(clickhouse: ClickHouse, table: str) -> int:
    """Rows of a table."""
    [(rows,)] = clickhouse.rows(f"SELECT count() FROM {table}")  # noqa: S608 (our own names)
    return int(rows)


def _projections(clickhouse: ClickHouse, table: str) -> list[str]:
    found = clickhouse.rows(
        "SELECT name FROM system.projections "
        "WHERE database = currentDatabase() AND table = {table:String} ORDER BY name",
        {"table": table},
    )
    return [str(name) for (name,) in found]
