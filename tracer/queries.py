"""The three questions of a trace, to segments or to ClickHouse's table `scans`.

Where all scans are held in segments (`tracer.segments`), these answer. Else ClickHouse is asked:

`at` reads the primary key (place, toStartOfHour(scanned_at), …). `itinerary` and `of` read a
projection in the order of persons. Asked of `scans`, ClickHouse first works out what the primary
key would read instead, over every granule there is: half a millisecond for each million rows. So
these two name the projection itself: `packed_by_person`, or `by_person` as long as a part has the
other not, and `scans` where that is missing too; and with the projection, which knows nothing of
weeks, the week that is meant, or every part is looked through. Weeks are a hint: a condition is
worked out for each row as well. So are times: what is read of a week and not wanted is dropped
here, for less than it costs there. `at` asks for a set of (place, hour) and drops what is in an
hour and not in its span (`tracer.hours`).

Planning is much of a query's time and one thread's work, so a question about many persons is asked
in two or more at once, and the next persons are read while these are looked at.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol

import numpy as np
import polars as pl
import pyarrow as pa

from schemas.clickhouse.few import FEW_ROWS
from schemas.ids import person_bits
from tracer.answered import scans_of, visits_of
from tracer.columns import NONE, U64, instants, milliseconds, rows_in
from tracer.frames import stacked
from tracer.hours import HOURS_PER_QUERY, Span, lots, questions, within
from tracer.segments import Segments
from tracer.sought import Sought, sought
from tracer.statements import BEST, Source, Weeks, at_places, by_person
from tracer.struck import Gone, Revoked, Struck, without

PERSONS_PER_PART: Final = 5_000  # 105 kB of ids in two queries; max_query_size is 256 KiB
_AT_ONCE: Final = 2
# Of the process: to begin and to end threads of its own takes a trace two milliseconds. Four for
# one trace, for a person's weeks do not come out even; more than two traces wait for each other.
_POOL: Final = ThreadPoolExecutor(8, "scans")
_MOST_IN_ONE: Final = 0.65  # of the persons: a query more costs as much as 160 of them
_FEW_PERSONS: Final = 64  # as quick in one query as in two
# Until a question has gone out: who goes on to compute keeps Python to itself for 5 ms at a time.
_SENT_S: Final = 0.002
_ALL_COUNT: Final = Struck()
Call = Callable[[], pl.DataFrame]
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


class Scans:
    """The scans of everybody, for one trace: not shared between threads.

    Nothing scanned before `retained_from` is read (None: no retention). `settings` go to
    ClickHouse with each query. What is `struck` is not among what `at` and `of` read. `held`:
    everything that the table holds, as it is for this trace; None: ClickHouse is asked.
    Methods raise what the client raises.
    """

    def __init__(
        self,
        client: Client,
        retained_from: datetime | None = None,
        settings: dict[str, Any] | None = None,
        struck: Struck = _ALL_COUNT,
        held: Segments | None = None,
    ) -> None:
        self.retained_from = retained_from
        self._earliest = BEGINNING if retained_from is None else milliseconds(retained_from)
        self._client = client
        self._settings = {**FEW_ROWS, **(settings or {})}
        self._source: Source | None = None
        self._struck = struck
        self._known_gone: Gone | None = None
        self._held = held

    @property
    def revoked(self) -> Sequence[Revoked]:
        """The codes that have struck scans."""
        return self._struck.revoked

    def itinerary(self, person: str, start: int, end: int) -> pl.DataFrame:
        """(i) All scans of one person (13 characters) in [`start`, `end`], shape `frames.SCANS`;
        those, too, that do not count (see `counted`)."""
        wanted = sought([person_bits(person)], start, end).since(self._earliest)
        if self._held is not None:
            return self._held.scans(wanted)
        found = self._hoped(wanted) if self._source is None else None
        if found is None:
            found = self._read(self._by_person(), wanted.weeks(), wanted.person, trips=True)
        return _only(wanted, found)

    def at(
        self, spans: Sequence[Span], *, details: bool = True, persons: U64 | None = None
    ) -> Iterator[pl.DataFrame]:
        """(ii) Everybody's scans in the spans, in lots; a span is whole in one. Columns: person,
        place, t (milliseconds UTC), out (or not), producer, `late`, the milliseconds from its time
        to the broker's (null if typed), and companions.

        The first lot is read when it is asked for, and then one ahead. A scan in two spans may be
        there twice. Without `details` the last three are not read: they are null. With
        `persons`, rising, nobody else's scans are kept.
        """
        kept = [Span(span.place, self._kept(span.start), span.end) for span in spans]
        asked = [questions(lot, HOURS_PER_QUERY) for lot in lots(kept, HOURS_PER_QUERY)]
        read = partial(self._at, details=details, persons=persons)
        found = _ahead([partial(read, some) for lot in asked for some in lot], _AT_ONCE)
        for lot in asked:
            yield stacked(islice(found, len(lot)))

    def of(
        self,
        wanted: Sought,
        persons_per_part: int = PERSONS_PER_PART,
        *,
        trips: bool = True,
    ) -> Iterator[pl.DataFrame]:
        """(iii) All scans of these persons in their times, in parts of a few thousand persons.

        The first part is asked for at once, and then one ahead; a person is whole in one. Without
        `trips` those are not read: they are null.
        """
        wanted = wanted.since(self._earliest)
        parts = [
            wanted.part(begin, begin + persons_per_part)
            for begin in range(0, len(wanted), persons_per_part)
        ]
        if not parts:
            return iter(())
        if (held := self._held) is not None:
            return (self.counted(held.scans(part, trips=trips)) for part in parts)
        read = partial(self._read, self._by_person(), trips=trips)
        pieces = [_pieces(part) for part in parts]
        calls = [partial(read, *piece) for some in pieces for piece in some]
        found = _begun(calls, 2 * max(map(len, pieces)))
        return (
            self.counted(_only(part, stacked(islice(found, len(some)))))
            for part, some in zip(parts, pieces, strict=True)
        )

    def counted(self, scans: pl.DataFrame) -> pl.DataFrame:
        """Those that count, of a frame with place, kafka_partition and kafka_offset."""
        return without(scans, self._gone())

    def _gone(self) -> Gone:
        """What does not count, asked once."""

        def ask(query: str) -> pa.Table:
            return self._client.query_arrow(query, {}, self._settings)

        if self._known_gone is None:
            self._known_gone = self._struck.scans(self._earliest, ask)
        return self._known_gone

    def _kept(self, start: int) -> int:
        return max(start, self._earliest)

    def _by_person(self) -> Source:
        """Where to read scans by person. A part without a projection that is read by its name
        would be passed over in silence."""
        if self._source is None:
            answer = self._client.query_arrow(BEST, None, self._settings)
            self._source = Source(answer.column("best")[0].as_py())
        return self._source

    def _at(self, spans: Sequence[Span], *, details: bool, persons: U64 | None) -> pl.DataFrame:
        there = {span.place for span in spans}
        gone = [(place, numbers) for place, numbers in self._gone() if place in there]
        if self._held is not None and not gone:  # by place they do not know a scan's offset
            return self._held.visits(spans, details=details, persons=persons)
        # the primary key is the one to read by: to weigh the projections, too, takes half as long
        settings = {**self._settings, "optimize_use_projections": 0}
        query = at_places(spans, details=details, offsets=bool(gone))
        answer = self._client.query_arrow(query, {}, settings)
        if gone:
            answer = without(pl.DataFrame(pl.from_arrow(answer)), gone).to_arrow()
        found = visits_of(answer)
        if persons is not None:
            found = found[np.flatnonzero(rows_in(persons, found["person"].to_numpy()) != NONE)]
        return within(found, spans)

    def _hoped(self, wanted: Sought) -> pl.DataFrame | None:
        """Their scans, asked of the projection while it is asked whether every part has it: nearly
        always all have. None if not: they are to be asked of what has all.

        Only in the hundredth of a second in which the last part gets the projection, once in the
        life of a table, could the one answer be of before and the other of after.
        """
        best = _POOL.submit(self._by_person)
        query = by_person(Source.PACKED, wanted.weeks(), wanted.person)
        try:
            # few rows: another thread costs more than it reads
            answer = self._client.query_arrow(query, {}, {**self._settings, "max_threads": 1})
        except Exception:  # there is no such thing on this server; whatever else it is, is raised
            if best.result() is Source.PACKED:
                raise
            return None
        return scans_of(answer) if best.result() is Source.PACKED else None

    def _read(self, source: Source, weeks: Weeks, persons: U64, *, trips: bool) -> pl.DataFrame:
        """All scans of these persons in these weeks, shape `frames.SCANS`."""
        query = by_person(source, weeks, persons, trips=trips)
        return scans_of(self._client.query_arrow(query, {}, self._settings))


def _pieces(part: Sought) -> list[tuple[Weeks, U64]]:
    """In what queries to ask for them: a week each, unless one has most of the persons; few
    persons in one."""
    weeks = part.weeks()
    if weeks is None or len(part) <= _FEW_PERSONS:
        return [(weeks, part.person)]
    there = [(week, part.of_week(week)) for week in weeks]
    most = _MOST_IN_ONE * sum(len(some) for _, some in there)
    return [
        ([week], piece)
        for week, some in there
        for piece in np.array_split(some, _AT_ONCE if len(some) > most else 1)
        if len(piece)
    ]


def _only(wanted: Sought, scans: pl.DataFrame) -> pl.DataFrame:
    """Of scans of these persons those in their times."""
    theirs = wanted.has(scans["person"].to_numpy(), instants(scans["scanned_at"]))
    return scans if theirs.all() else scans[np.flatnonzero(theirs)]


def _ahead(calls: Sequence[Call], ahead: int) -> Iterator[pl.DataFrame]:
    """What the calls give, in their order; `ahead` of them at most are done or being done."""
    if len(calls) == 1:
        yield calls[0]()
        return
    found = _rest(deque(), calls, ahead)
    next(found)
    yield from found


def _begun(calls: Sequence[Call], ahead: int) -> Iterator[pl.DataFrame]:
    """As `_ahead`, but the first are on their way when this returns."""
    waiting = deque(_POOL.submit(call) for call in calls[:ahead])
    found = _rest(waiting, calls[ahead:], ahead)
    next(found)  # from here on it sees to them, though nobody should ask for more
    wait(waiting, _SENT_S)
    return found


def _rest(
    waiting: deque[Future[pl.DataFrame]], calls: Sequence[Call], ahead: int
) -> Iterator[pl.DataFrame]:
    """An empty frame; then what those that wait and the other calls give."""
    try:
        yield pl.DataFrame()
        for call in calls:
            if len(waiting) == ahead:
                yield waiting.popleft().result()
            waiting.append(_POOL.submit(call))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        wait(waiting)
