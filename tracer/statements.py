"""The statements of a trace's queries, and what their answers are.

Person ids, places and hours stand in the text, because a URL, where parameters go, is at most 64
KiB at some servers; as one text that is cast to an array, because ClickHouse reads that in a third
of the time that it takes to take a list of literals apart.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, cast

import numpy as np
import polars as pl
import pyarrow as pa

from schemas.clickhouse.few import NAMES_PROJECTIONS, array_of, by_name
from tracer.columns import U64, as_index
from tracer.frames import DIRECTIONS, TIME
from tracer.hours import Span, listed
from tracer.packed import FIELDS, unpacked
from tracer.sought import Week

Weeks = list[Week] | None  # none: all there are

# An enumeration comes as its numbers in the table: `direction` and `method`.
_DIRECTIONS: Final = pl.Series([None, "in", "out", "pass"], dtype=DIRECTIONS)
_OUT: Final = 2
_TYPED: Final = 4


class Source(StrEnum):
    """Where scans are read by person, the best first: what every part has (`BEST`) is taken."""

    PACKED = "packed_by_person"
    BY_PERSON = "by_person"
    TABLE = "scans"

    @property
    def table(self) -> str:
        """As it stands after FROM."""
        return "scans" if self is Source.TABLE else by_name("scans", self)


_PARTS: Final = "system.parts WHERE active AND database = currentDatabase() AND table = 'scans'"
# An older server has no such function; without parts the table is empty, or a distributed one.
BEST: Final = (
    "SELECT multiIf("  # noqa: S608
    f"toUInt16(splitByChar('.', version())[1]) < {NAMES_PROJECTIONS} OR count() = 0, 'scans', "
    + "".join(
        f"countIf(NOT has(projections, '{source}')) = 0, '{source}', "
        for source in (Source.PACKED, Source.BY_PERSON)
    )
    + f"'scans') AS best FROM {_PARTS}"
)

VISITS: Final = pl.Schema(
    {
        "person": pl.UInt64(),
        "place": pl.UInt32(),
        "t": pl.Int64(),
        "out": pl.Boolean(),
        "producer": pl.String(),
        "late": pl.Int64(),
        "companions": pl.UInt8(),
    }
)
NO_VISITS: Final = pl.DataFrame(schema=VISITS)


def by_person(source: Source, weeks: Weeks, persons: U64, *, trips: bool = True) -> str:
    """All scans of these persons in these weeks."""
    fields = ("packed",) if source is Source.PACKED else FIELDS
    columns = ("person", *fields, *(("trip",) if trips else ()))
    return (
        f"SELECT {', '.join(columns)} FROM {source.table} "  # noqa: S608
        f"WHERE person IN {array_of(persons.tolist(), 'UInt64')}"
        f"{_in_weeks(source, weeks)}"
    )


def scans_of(answer: pa.Table) -> pl.DataFrame:
    """The answer to `by_person` in the shape `frames.SCANS`; without trips these are null."""
    there = answer.column_names
    table = _polars(answer.select([name for name in there if name != "packed"]))
    if "packed" in there:
        fields = unpacked(answer.column("packed"))
        columns = {name: pl.Series(np.ascontiguousarray(fields[name])) for name in FIELDS}
    else:
        columns = {name: table[name] for name in FIELDS}
    if "trip" in there:
        trip = table["trip"].set(table["trip"] == "", None)
    else:
        trip = pl.Series("trip", [None], pl.String).new_from_index(0, table.height)
    return pl.DataFrame(
        {
            "person": table["person"],
            "place": columns["place"],
            "scanned_at": columns["scanned_at"].cast(TIME),
            "direction": _DIRECTIONS[as_index(columns["direction"].to_numpy())],
            "kafka_partition": columns["kafka_partition"],
            "kafka_offset": columns["kafka_offset"],
            "trip": trip,
        }
    )


def at_places(spans: Sequence[Span], *, details: bool = True, offsets: bool = False) -> str:
    """Everybody's scans in the hours that the spans touch; with `offsets`, where in the log too.

    The engine sees through `toUnixTimestamp` to the hour of the primary key.
    """
    more = ", method, producer, appended_at, companions" if details else ""
    more += ", kafka_partition, kafka_offset" if offsets else ""
    return (
        f"SELECT person, place, scanned_at, direction{more} "  # noqa: S608
        "FROM scans WHERE (place, toUnixTimestamp(toStartOfHour(scanned_at))) "
        f"IN {listed(spans)}"
    )


def by_code(spans: Sequence[Span], version: int, since: int) -> str:
    """Everything that was scanned by this version of the places' codes in the hours that the spans
    touch, not before `since` (milliseconds since 1970 UTC), and where in the log it is."""
    return (
        "SELECT person, scanned_at, kafka_partition, kafka_offset FROM scans "  # noqa: S608
        f"WHERE (place, toUnixTimestamp(toStartOfHour(scanned_at))) IN {listed(spans)} "
        f"AND code_version = {int(version)} "
        f"AND scanned_at >= fromUnixTimestamp64Milli({int(since)}, 'UTC')"
    )


def visits_of(answer: pa.Table) -> pl.DataFrame:
    """The answer to `at_places`, columns `VISITS`; the last three are null without details."""
    there = _polars(answer)
    t = there["scanned_at"].cast(pl.Int64)
    if "method" in there.columns:
        producer, companions = there["producer"], there["companions"]
        late = there["appended_at"].cast(pl.Int64) - t
        late = late.set(there["method"] == _TYPED, None)
    else:
        producer, late, companions = (
            pl.Series(name, [None], VISITS[name]).new_from_index(0, len(t))
            for name in ("producer", "late", "companions")
        )
    return pl.DataFrame(
        [
            there["person"],
            there["place"],
            t.alias("t"),
            (there["direction"] == _OUT).alias("out"),
            producer,
            late.alias("late"),
            companions,
        ],
        schema=VISITS,
    )


def _in_weeks(source: Source, weeks: Weeks) -> str:
    if not weeks:
        return ""
    if source is not Source.TABLE:
        ids = ",".join(f"'{week.partition_id}'" for week in weeks)
        return f" AND indexHint(_partition_id IN ({ids}))"
    begin, end = (f"fromUnixTimestamp64Milli({t}, 'UTC')" for t in (weeks[0].begin, weeks[-1].end))
    return f" AND scanned_at BETWEEN {begin} AND {end}"


def _polars(table: pa.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))
