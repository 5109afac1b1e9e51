"""The statements of a trace's queries, and what their answers are.

Person ids, places and hours stand in the text, because a URL, where parameters go, is at most 64
KiB at some servers; as one text that is cast to an array, because ClickHouse reads that in a third
of the time that it takes to take a list of literals apart.
"""

from collections.abc import Sequence
from typing import Final, cast

import polars as pl
import pyarrow as pa

from tracer.columns import U64
from tracer.frames import DIRECTIONS, TIME
from tracer.hours import Span, listed
from tracer.sought import Week

Weeks = list[Week] | None  # none: all there are

_COLUMNS: Final = "person, place, scanned_at, direction, kafka_partition, kafka_offset"
# An enumeration comes as its numbers in the table: `direction` and `method`.
_DIRECTIONS: Final = pl.Series([None, "in", "out", "pass"], dtype=DIRECTIONS)
_OUT: Final = 2
_TYPED: Final = 4
SCANS: Final = "scans"
PROJECTION: Final = "mergeTreeProjection(currentDatabase(), 'scans', 'by_person')"
_PARTS: Final = "system.parts WHERE active AND database = currentDatabase() AND table = 'scans'"
WHOLE: Final = (
    "SELECT toUInt16(splitByChar('.', version())[1]) >= 26 AND count() > 0 "  # noqa: S608
    "AND countIf(NOT has(projections, 'by_person')) = 0 AS whole FROM " + _PARTS
)
_BARE: Final = f"(SELECT countIf(NOT has(projections, 'by_person')) FROM {_PARTS}) AS bare"  # noqa: S608

VISITS: Final = pl.Schema(
    {
        "person": pl.UInt64(),
        "place": pl.UInt32(),
        "t": pl.Int64(),
        "out": pl.Boolean(),
        "producer": pl.String(),
        "late": pl.Int64(),
    }
)


def by_person(
    source: str, weeks: Weeks, persons: U64, *, trips: bool = True, bare: bool = False
) -> str:
    """All scans of these persons in these weeks. `source`: `PROJECTION` or `SCANS`; `bare`: and
    how many parts lack the projection."""
    ids = ",".join(map(str, persons.tolist()))
    columns = f"{_COLUMNS}{', trip' if trips else ''}{f', {_BARE}' if bare else ''}"
    return (
        f"SELECT {columns} FROM {source} WHERE person IN CAST('[{ids}]', 'Array(UInt64)')"  # noqa: S608
        f"{_in_weeks(source, weeks)}"
    )


def scans_of(answer: pa.Table) -> pl.DataFrame:
    """The answer to `by_person` in the shape `frames.SCANS`; without trips these are null."""
    table = _polars(answer)
    if "trip" in table.columns:
        trip = table["trip"].replace("", None)
    else:
        trip = pl.Series("trip", [None], pl.String).new_from_index(0, table.height)
    return pl.DataFrame(
        [
            table["person"],
            table["place"],
            table["scanned_at"].cast(TIME),
            _DIRECTIONS.gather(table["direction"]).alias("direction"),
            table["kafka_partition"],
            table["kafka_offset"],
            trip,
        ]
    )


def at_places(spans: Sequence[Span]) -> str:
    """Everybody's scans in the hours that the spans touch."""
    return (
        "SELECT person, place, scanned_at, direction, method, producer, appended_at "  # noqa: S608
        f"FROM scans WHERE (place, toStartOfHour(scanned_at)) IN {listed(spans)}"
    )


def visits_of(answer: pa.Table) -> pl.DataFrame:
    """The answer to `at_places`, columns `VISITS`."""
    there = _polars(answer)
    t, appended = (there[c].cast(TIME).to_physical() for c in ("scanned_at", "appended_at"))
    return pl.DataFrame(
        [
            there["person"],
            there["place"],
            t.alias("t"),
            (there["direction"] == _OUT).alias("out"),
            there["producer"],
            (appended - t).set(there["method"] == _TYPED, None).alias("late"),
        ],
        schema=VISITS,
    )


def _in_weeks(source: str, weeks: Weeks) -> str:
    if not weeks:
        return ""
    if source == PROJECTION:
        ids = ",".join(f"'{week.partition_id}'" for week in weeks)
        return f" AND indexHint(_partition_id IN ({ids}))"
    begin, end = (f"fromUnixTimestamp64Milli({t}, 'UTC')" for t in (weeks[0].begin, weeks[-1].end))
    return f" AND scanned_at BETWEEN {begin} AND {end}"


def _polars(table: pa.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))
