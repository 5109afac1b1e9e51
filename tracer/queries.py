"""The three ClickHouse queries of a trace, over the table `scans`.

`itinerary` and `scans_of` read the projection `by_person`; `scans_at` reads the primary key
(place, toStartOfHour(scanned_at), …). Asked of `scans`, ClickHouse first works out what the primary
key would read instead, over every granule there is: half a millisecond for each million rows. So
the first two name the projection itself where every part has it, and `scans` where not. Times go
in as milliseconds since 1970 UTC, because clients write dates differently. Person ids stand in the
statement's text: a URL, where parameters go, is at most 64 KiB at some servers, and an integer
injects nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, cast

import polars as pl
import pyarrow as pa

from schemas.ids import person_bits
from tracer.frames import DIRECTIONS, SCANS, TIME, shaped

PERSONS_PER_QUERY: Final = 5_000  # 105 kB of ids; ClickHouse's max_query_size is 256 KiB
SPANS_PER_QUERY: Final = 20
BEGINNING: Final = 0  # no retention: everything since 1970


class Client(Protocol):
    """What is used of clickhouse-connect's client. Errors are the client's own."""

    def query_arrow(
        self,
        query: str,
        parameters: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> pa.Table:
        """The result as one Arrow table."""


@dataclass(frozen=True)
class Span:
    """A place and the time in which scans there matter: [`start`, `end`], milliseconds UTC."""

    place: int
    start: int
    end: int


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC (truncated)."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


_COLUMNS: Final = (
    "event_id, person, place, scanned_at, CAST(direction, 'String') AS direction, "
    "CAST(trip, 'String') AS trip, kafka_partition, kafka_offset"
)
_BETWEEN: Final = (
    "scanned_at >= fromUnixTimestamp64Milli({{start{n}:Int64}}, 'UTC') "
    "AND scanned_at <= fromUnixTimestamp64Milli({{end{n}:Int64}}, 'UTC')"
)
_SCANS: Final = "scans"
_PROJECTION: Final = "mergeTreeProjection(currentDatabase(), 'scans', 'by_person')"
_WHOLE: Final = (
    "SELECT toUInt16(splitByChar('.', version())[1]) >= 26 AND count() > 0 "
    "AND countIf(NOT has(projections, 'by_person')) = 0 AS whole "
    "FROM system.parts WHERE active AND database = currentDatabase() AND table = 'scans'"
)

_AT: Final = pl.Schema(
    {"person": pl.UInt64(), "place": pl.UInt32(), "t": pl.Int64(), "out": pl.Boolean()}
)


def itinerary(
    client: Client, person: str, start: int, end: int, settings: dict[str, Any] | None = None
) -> pl.DataFrame:
    """(i) All scans of one person (13 characters) in [`start`, `end`], shape `frames.SCANS`."""
    source = _by_person(client, settings)
    return _scans_of(client, source, [person_bits(person)], start, end, settings)


def scans_at(
    client: Client, spans: Sequence[Span], settings: dict[str, Any] | None = None
) -> pl.DataFrame:
    """(ii) Everybody's scans in the spans: person, place, t (milliseconds UTC), out (is it one).

    A scan in two spans may be there twice.
    """
    found = [pl.DataFrame(schema=_AT)]
    for begin in range(0, len(spans), SPANS_PER_QUERY):
        conditions: list[str] = []
        parameters: dict[str, int] = {}
        for number, span in enumerate(spans[begin : begin + SPANS_PER_QUERY]):
            conditions.append(f"(place = {{place{number}:UInt32}} AND {_BETWEEN.format(n=number)})")
            parameters |= {
                f"place{number}": span.place,
                f"start{number}": span.start,
                f"end{number}": span.end,
            }
        query = (
            "SELECT person, place, toUnixTimestamp64Milli(scanned_at) AS t, "  # noqa: S608
            f"direction = 'out' AS out FROM scans WHERE {' OR '.join(conditions)}"
        )
        found.append(_polars(client.query_arrow(query, parameters, settings)).cast(_AT))
    return pl.concat(found)


def scans_of(
    client: Client,
    persons: Sequence[int],
    start: int,
    end: int,
    settings: dict[str, Any] | None = None,
    persons_per_query: int = PERSONS_PER_QUERY,
) -> Iterator[pl.DataFrame]:
    """(iii) All scans of these persons in [`start`, `end`], a frame for each few thousand persons.

    One frame at a time is made, when it is asked for; a person is whole in one frame.
    """
    source = _by_person(client, settings) if persons else _SCANS
    for begin in range(0, len(persons), persons_per_query):
        some = persons[begin : begin + persons_per_query]
        yield _scans_of(client, source, some, start, end, settings)


def _by_person(client: Client, settings: dict[str, Any] | None) -> str:
    """Where to read scans by person: the projection, or `scans` unless all its parts have it.

    A part without it would be passed over in silence. No parts: empty, or a distributed table.
    """
    whole = client.query_arrow(_WHOLE, None, settings).column("whole")[0].as_py()
    return _PROJECTION if whole else _SCANS


def _scans_of(
    client: Client,
    source: str,
    persons: Sequence[int],
    start: int,
    end: int,
    settings: dict[str, Any] | None,
) -> pl.DataFrame:
    ids = ",".join(str(int(person)) for person in persons)
    query = (
        f"SELECT {_COLUMNS} FROM {source} "  # noqa: S608 (ids are integers)
        f"WHERE person IN ({ids}) AND {_BETWEEN.format(n='')}"
    )
    table = _polars(client.query_arrow(query, {"start": start, "end": end}, settings))
    return shaped(
        table.with_columns(
            pl.col("direction").cast(DIRECTIONS),
            pl.col("scanned_at").cast(TIME),
            pl.col("trip").cast(pl.String).replace("", None),
        ),
        SCANS,
        "scans",
    )


def _polars(table: pa.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))
