"""The statements of a trace's queries; `tracer.answered` has what their answers are.

Person ids, places and hours stand in the text, because a URL, where parameters go, is at most 64
KiB at some servers; as one text that is cast to an array, because ClickHouse reads that in a third
of the time that it takes to take a list of literals apart.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from schemas.clickhouse.few import NAMES_PROJECTIONS, array_of, by_name
from tracer.columns import U64
from tracer.hours import Span, listed
from tracer.packed import FIELDS
from tracer.sought import Week

Weeks = list[Week] | None  # none: all there are


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


def by_person(source: Source, weeks: Weeks, persons: U64, *, trips: bool = True) -> str:
    """All scans of these persons in these weeks."""
    fields = ("packed",) if source is Source.PACKED else FIELDS
    columns = ("person", *fields, *(("trip",) if trips else ()))
    return (
        f"SELECT {', '.join(columns)} FROM {source.table} "  # noqa: S608
        f"WHERE person IN {array_of(persons.tolist(), 'UInt64')}"
        f"{_in_weeks(source, weeks)}"
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


def _in_weeks(source: Source, weeks: Weeks) -> str:
    if not weeks:
        return ""
    if source is not Source.TABLE:
        ids = ",".join(f"'{week.partition_id}'" for week in weeks)
        return f" AND indexHint(_partition_id IN ({ids}))"
    begin, end = (f"fromUnixTimestamp64Milli({t}, 'UTC')" for t in (weeks[0].begin, weeks[-1].end))
    return f" AND scanned_at BETWEEN {begin} AND {end}"
