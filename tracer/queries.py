"""The three ClickHouse queries of a trace, over the table `scans`.

`itinerary` and `of` read the projection `by_person`; `at` reads the primary key
(place, toStartOfHour(scanned_at), …). Asked of `scans`, ClickHouse first works out what the primary
key would read instead, over every granule there is: half a millisecond for each million rows. So
the first two name the projection itself where every part has it, and `scans` where not; and with
the projection, which knows nothing of weeks, those that are meant, or every part is looked through.
`at` asks for a set of (place, hour) and drops what is in an hour and not in its span
(`tracer.hours`). Times go in as milliseconds since 1970 UTC, because clients write dates
differently. Person ids, places and hours stand in the statement's text: a URL, where parameters
go, is at most 64 KiB at some servers, and an integer injects nothing.

Planning is much of a query's time and one thread's work, so a question about many persons is asked
in two halves at once, and the next persons are read while these are looked at.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol, cast

import polars as pl
import pyarrow as pa

from schemas.ids import person_bits
from tracer.frames import DIRECTIONS, SCANS, TIME, shaped
from tracer.hours import HOURS_PER_QUERY, Span, listed, lots, within

PERSONS_PER_PART: Final = 5_000  # 105 kB of ids in two queries; max_query_size is 256 KiB
_AT_ONCE: Final = 2
_DAY_MS: Final = 86_400_000
_MANY_WEEKS: Final = 100
_FEW_PERSONS: Final = 64  # as quick in one query as in two
BEGINNING: Final = 0  # no retention: everything since 1970


def retained_from(now: datetime, days: int) -> datetime | None:
    """Since when scans are kept; None: for ever (0 days)."""
    return now - timedelta(days=days) if days else None


class Client(Protocol):
    """What is used of clickhouse-connect's client. Errors are the client's own."""

    def query_arrow(
        self,
        query: str,
        parameters: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> pa.Table:
        """The result as one Arrow table."""


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC (truncated)."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


_COLUMNS: Final = (
    "person, place, scanned_at, CAST(direction, 'String') AS direction, "
    "CAST(trip, 'String') AS trip, kafka_partition, kafka_offset"
)
_BETWEEN: Final = (
    "scanned_at >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') "
    "AND scanned_at <= fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)
_SCANS: Final = "scans"
_PROJECTION: Final = "mergeTreeProjection(currentDatabase(), 'scans', 'by_person')"
_WHOLE: Final = (
    "SELECT toUInt16(splitByChar('.', version())[1]) >= 26 AND count() > 0 "
    "AND countIf(NOT has(projections, 'by_person')) = 0 AS whole "
    "FROM system.parts WHERE active AND database = currentDatabase() AND table = 'scans'"
)

# Blocks of which a few rows are wanted lie in the page cache: to hand each read to another thread
# takes longer than the read (a third of a query, measured).
_SETTINGS: Final[dict[str, Any]] = {"local_filesystem_read_method": "pread"}

_AT: Final = pl.Schema(
    {
        "person": pl.UInt64(),
        "place": pl.UInt32(),
        "t": pl.Int64(),
        "out": pl.Boolean(),
        "producer": pl.String(),
        "late": pl.Int64(),
    }
)


class Scans:
    """The scans of everybody, for one trace: not shared between threads.

    Nothing scanned before `retained_from` is read (None: no retention). `settings` go to
    ClickHouse with each query. Methods raise what the client raises.
    """

    def __init__(
        self,
        client: Client,
        retained_from: datetime | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.retained_from = retained_from
        self._earliest = BEGINNING if retained_from is None else milliseconds(retained_from)
        self._client = client
        self._settings = {**_SETTINGS, **(settings or {})}
        self._source: str | None = None

    def itinerary(self, person: str, start: int, end: int) -> pl.DataFrame:
        """(i) All scans of one person (13 characters) in [`start`, `end`], shape `frames.SCANS`."""
        return self._of_one(person_bits(person), self._kept(start), end)

    def at(self, spans: Sequence[Span]) -> pl.DataFrame:
        """(ii) Everybody's scans in the spans: person, place, t (milliseconds UTC), out (or not),
        producer, and `late`, the milliseconds from its time to the broker's; null if typed.

        A scan in two spans may be there twice.
        """
        kept = [Span(span.place, self._kept(span.start), span.end) for span in spans]
        calls = [partial(self._at, some) for some in lots(kept, HOURS_PER_QUERY)]
        found = _ahead(calls, _AT_ONCE)
        return pl.concat([pl.DataFrame(schema=_AT), *found])

    def of(
        self,
        persons: Sequence[int],
        start: int,
        end: int,
        persons_per_part: int = PERSONS_PER_PART,
    ) -> Iterator[pl.DataFrame]:
        """(iii) All scans of these persons in [`start`, `end`], in parts of a few thousand persons.

        The first part is read when it is asked for, and then one ahead; a person is whole in one.
        """
        if not persons:
            return
        source = self._by_person()
        whole = min(persons_per_part, len(persons))
        size = _half(whole, _FEW_PERSONS)
        pieces = [
            persons[begin : min(begin + size, first + whole)]
            for first in range(0, len(persons), whole)
            for begin in range(first, min(first + whole, len(persons)), size)
        ]
        calls = [partial(self._of, source, piece, self._kept(start), end) for piece in pieces]
        in_a_part = -(-whole // size)
        found = _ahead(calls, 2 * in_a_part)
        while part := list(islice(found, in_a_part)):
            yield pl.concat(part)

    def _kept(self, start: int) -> int:
        return max(start, self._earliest)

    def _by_person(self) -> str:
        """Where to read scans by person: the projection, or `scans` unless all its parts have it.

        A part without it would be passed over in silence. No parts: empty, or a distributed table.
        """
        if self._source is None:
            answer = self._client.query_arrow(_WHOLE, None, self._settings)
            self._source = _PROJECTION if answer.column("whole")[0].as_py() else _SCANS
        return self._source

    def _of_one(self, person: int, start: int, end: int) -> pl.DataFrame:
        """Asked of the projection while it is asked whether that is whole: it nearly always is."""
        if self._source is None:
            with ThreadPoolExecutor(1, "scans") as pool:
                hoped = pool.submit(self._of, _PROJECTION, [person], start, end)
                if self._by_person() == _PROJECTION:
                    return hoped.result()
        return self._of(self._by_person(), [person], start, end)

    def _at(self, spans: Sequence[Span]) -> pl.DataFrame:
        query = (
            "SELECT person, place, toUnixTimestamp64Milli(scanned_at) AS t, "  # noqa: S608
            "direction = 'out' AS out, CAST(producer, 'String') AS producer, "
            "if(method = 'typed', NULL, toUnixTimestamp64Milli(appended_at) "
            "- toUnixTimestamp64Milli(scanned_at)) AS late "
            f"FROM scans WHERE (place, toStartOfHour(scanned_at)) IN ({listed(spans)})"
        )
        # the primary key is the one to read by: to weigh the projections, too, takes half as long
        settings = {**self._settings, "optimize_use_projections": 0}
        there = _polars(self._client.query_arrow(query, {}, settings)).cast(_AT)
        return within(there, spans)

    def _of(self, source: str, persons: Sequence[int], start: int, end: int) -> pl.DataFrame:
        ids = ",".join(str(int(person)) for person in persons)
        query = (
            f"SELECT {_COLUMNS} FROM {source} "  # noqa: S608 (ids are integers)
            f"WHERE person IN ({ids}) AND {_BETWEEN}"
            f"{_in_weeks(start, end) if source == _PROJECTION else ''}"
        )
        table = self._client.query_arrow(query, {"start": start, "end": end}, self._settings)
        return shaped(
            _polars(table).with_columns(
                pl.col("direction").cast(DIRECTIONS),
                pl.col("scanned_at").cast(TIME),
                pl.col("trip").cast(pl.String).replace("", None),
            ),
            SCANS,
            "scans",
        )


def _in_weeks(start: int, end: int) -> str:
    """A condition on the partitions, `toMonday(scanned_at)`; none if there are too many.

    A hint: it passes parts over and is not worked out again for every row.
    """
    first, last = ((ms // _DAY_MS + 3) // 7 for ms in (start, end))  # 1970-01-01 was a Thursday
    if last - first >= _MANY_WEEKS:
        return ""
    mondays = [date(1970, 1, 1) + timedelta(days=7 * week - 3) for week in range(first, last + 1)]
    listed_weeks = ",".join(f"'{monday:%Y%m%d}'" for monday in mondays)
    return f" AND indexHint(_partition_id IN ({listed_weeks}))"


def _half(count: int, few: int) -> int:
    """How many of them to ask for in one query, at least 1."""
    return max(1, count if count < few else -(-count // _AT_ONCE))


def _ahead(calls: Sequence[Callable[[], pl.DataFrame]], ahead: int) -> Iterator[pl.DataFrame]:
    """What the calls give, in their order; `ahead` of them at most are done or being done."""
    if len(calls) == 1:
        yield calls[0]()
        return
    waiting: deque[Future[pl.DataFrame]] = deque()
    with ThreadPoolExecutor(_AT_ONCE, "scans") as pool:
        try:
            for call in calls:
                waiting.append(pool.submit(call))
                if len(waiting) == ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _polars(table: pa.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))
