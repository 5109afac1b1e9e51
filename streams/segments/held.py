"""All scans of the table, held by the process that traces, as they are when a trace begins.

With a trace begins one small question, which parts there are, unless the engine's count says that
nothing has come since it was last asked (`changes`), or it has handed on what came (`handed`).
Else what has come is read, a few thousand rows; `asking` says what the trace does meanwhile. Where
too much is missing (a process that has just begun, a load far above a city's), ClickHouse is asked
as it always was.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from schemas.meters import Metrics
from schemas.metrics import READ_BY
from streams.clickhouse import ClickHouse
from streams.segments.bundles import Bundles
from streams.segments.changes import Changes, Count
from streams.segments.influx import Influx
from streams.segments.known import Known
from streams.segments.mapping import FILE_ROWS, Mapping
from streams.segments.parts import Part, active_parts, rows_of, running_rows
from streams.segments.pieces import (
    Piece,
    found_in,
    held_of,
    lacking,
    missing,
    of_one_part,
    still_there,
)
from streams.segments.reading import in_memory
from tracer.segments import Segments

MOST_IN_MEMORY: Final = 4_000_000  # rows, twice 57 bytes: parts without a file while `BUSY` come
_BEFORE_A_TRACE: Final = 50_000  # a sixteenth of a second to read
_WAIT_S: Final = 0.25  # for whoever brings them up to date at this moment
_TRIES: Final = 3
_LOT: Final = 200_000  # rows that are read at a time, while a trace waits
_MOST_LOTS: Final = 100
_AT_REST_S: Final = 3.0
_EVERY_S: Final = 2.0
_SOON_S: Final = 0.4
_HANDED_S: Final = 0.05  # between what is handed on: a hundredth of a second to take it
_OVERDUE_S: Final = 10.0  # since a look has found anything, an insert being under way at each


class Held:
    """Segments of all of the table, brought up to date. Threads may share it."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        folder: Path | None = None,
        metrics: Metrics | None = None,
        changes: Changes | None = None,
    ) -> None:
        self._metrics = metrics or Metrics(CollectorRegistry())
        self._clickhouse, self._files = clickhouse, Mapping(clickhouse, folder)
        self._changes = changes or Changes()
        self._lock = threading.Lock()
        self._looked: list[Part] = []  # what the last look found
        self._active: list[Part] | None = None  # what `_now` is of, and its pieces
        self._settled: list[Piece] = []
        self._bundles = Bundles()  # of what is in memory
        self._now = Segments()
        self._pieces = self._settled
        self._counted: Count | None = None  # before the look under way,
        self._quiet = False  # and whether no insert was under way meanwhile
        self._look_at = float("-inf")
        self._torn = False  # whether pieces were let go for a file, of which more was needed
        self._sure = False  # whether what is known stays so, whatever is to be read
        self._known = Known(self._changes)
        self._influx = Influx()
        self._moved = float("inf")

    def now(self) -> Segments | None:
        """Everything that is in the table; None: too much of it is not held. Raises Retryable."""
        found = self.unchanged
        if found is None and self._lock.acquire(timeout=_WAIT_S):
            try:
                found = self.unchanged  # by now, somebody else having looked
                if found is None:
                    found = self._brought_up(_BEFORE_A_TRACE)
            finally:
                self._lock.release()
        by = "clickhouse" if found is None else "segments"
        self._metrics.counter(READ_BY, by).inc()
        return found

    @property
    def unchanged(self) -> Segments | None:
        """Everything that is in the table, if that is certain without a look: nothing has come
        since the last one, or it has been handed on."""
        return self._known.at(self._changes.count())

    @property
    def last(self) -> Segments | None:
        """What was there when somebody last found out; None: not everything was held."""
        return self._known.last

    @property
    def counts(self) -> bool:
        """Whether an engine may say by its count that something has come."""
        return self._changes.file is not None

    @property
    def every_s(self) -> float:
        """How soon after the last time to follow again; it may change meanwhile."""
        count = self._changes.count()
        if self._known.last is None or count is None:
            return _EVERY_S if time.monotonic() - self._moved > _AT_REST_S else _SOON_S
        if self._known.is_ready(count):
            return _EVERY_S
        return _SOON_S if self._known.came(count) is None else _HANDED_S

    def follow(self) -> None:
        """Read what has come, so that a trace has little to read. Raises Retryable."""
        if time.monotonic() < self._look_at and self.unchanged is not None:
            return  # it has been handed on
        for _ in range(_MOST_LOTS):
            if not self._went_on():
                break
        self._files.warm([piece.segment for piece in self._pieces if piece.on_disk])
        anew = False
        while (some := of_one_part(self._pieces, FILE_ROWS)) is not None:
            whole = self._bundles.whole(some)
            with self._lock:
                mine = [piece for piece in self._pieces if piece.segment in some]
                if self._pieces is not self._settled or len(mine) != len(some):
                    return
                parts = tuple(part for piece in mine for part in piece.parts)
                others = [piece for piece in self._pieces if piece not in mine]
                self._bundles.instead(some, whole)
                self._pieces = self._settled = [*others, Piece(whole, parts)]
                anew = True
        while self._bundles.gathered(p.segment for p in self._pieces if not p.on_disk):
            anew = True
        with self._lock:
            if anew and self._pieces is self._settled:
                self._settle_otherwise()

    @property
    def rows(self) -> tuple[int, int]:
        """How many are held in memory, and in files."""
        pieces = self._pieces
        memory = sum(len(piece.segment) for piece in pieces if not piece.on_disk)
        files = sum(len(piece.segment) for piece in pieces) - memory
        return memory + self._known.rows, files

    def _brought_up(self, most: int) -> Segments | None:
        for _ in range(_TRIES):
            active = self._look()
            if active == self._active:
                return self._all_there(active)
            self._sure = False
            left = self._lacking(active)
            if rows_of(left) > most or not self._fits(left):
                self._known.nothing()
                return None
            if self._read(left):
                return self._all_there(active)
        return None  # parts were merged before they were read

    def _went_on(self) -> bool:
        """Read a lot of what has come; whether there may be more."""
        with self._lock:
            active = self._look()
            if self._influx.is_high(active):
                self._let_go()
                return False
            lost = len(still_there(self._pieces, active)) < len(self._pieces)
            self._in_files(active)
            if self._found_again(active, lost=lost):
                return False
            left = self._lacking(active)
            if not self._fits(left):
                self._known.nothing()
                return False
            lot = [p for p, so_far in zip(left, running_rows(left), strict=True) if so_far <= _LOT]
            if not self._read(lot or left[:1]):
                return False
            if len(lot) == len(left):
                self._all_there(active)
            return len(lot) < len(left)

    def _look(self) -> list[Part]:
        before = self._changes.count()
        active = active_parts(self._clickhouse)
        self._counted = before
        self._quiet = before is not None and before.quiet_until(self._changes.count())
        return active

    def _found_again(self, active: list[Part], *, lost: bool) -> bool:
        """Whether this look has found nothing but what is held or was handed on; or, since an
        insert was under way that will be handed on, should find out another time.

        `lost`: rows that were held are no more. What is lacking then, or where a file tore a piece,
        is not what came, were it as many rows.
        """
        came = self._known.came(self._counted)
        self._sure = came is not None and not lost
        if self._sure and not self._quiet and not self._torn and self._known.age_s < _OVERDUE_S:
            self._look_at = time.monotonic() + _SOON_S
            return True
        if not came and active == self._active:
            self._all_there(active)
            return True
        if came is None or lost or self._torn or not self._quiet:
            return False
        pieces = still_there(self._pieces, active)
        try:
            found = found_in(came, missing(pieces, active), pieces)
        except ValueError:
            self._sure = False
            return False  # to be read
        if not self._fits([]):  # what came is in memory already
            return False
        if active != self._looked:
            self._moved = time.monotonic()
        self._looked, self._pieces = list(active), [*pieces, *found]
        self._all_there(active)
        return True

    def _lacking(self, active: Sequence[Part]) -> list[Part]:
        """The parts of which not every row is held, once what is gone has been let go and what
        has a file is mapped."""
        if active != self._looked:
            self._moved = time.monotonic()
        self._looked = list(active)
        if not self._sure:
            self._known.doubt()
        self._pieces = still_there(self._pieces, active)
        left = missing(self._pieces, active)
        return missing(self._pieces, active) if self._map(left) else left

    def _settle(self, active: list[Part] | None) -> None:
        self._settled = self._pieces
        every = self._bundles.over(piece.segment for piece in self._pieces)
        self._active, self._now = active, Segments(every)

    def _settle_otherwise(self) -> None:
        """The same rows, in other segments."""
        before = self._now
        self._settle(self._active)
        self._known.otherwise(before, self._now)

    def _all_there(self, active: list[Part]) -> Segments:
        """What this look found is held."""
        if active != self._active:
            self._settle(active)
        self._torn, self._sure = False, False
        self._look_at = time.monotonic() + _EVERY_S
        self._known.found(self._counted, self._now, quiet=self._quiet)
        return self._now

    def _let_go(self) -> None:
        """Of everything: nobody would notice what is deleted meanwhile."""
        self._moved = time.monotonic()
        self._pieces, self._looked, self._torn = [], [], False
        self._known.nothing()
        self._settle(None)

    def _fits(self, parts: Sequence[Part]) -> bool:
        """Whether there is room for what is not held of these."""
        return sum(lacking(self._pieces, p) for p in parts) <= MOST_IN_MEMORY - self.rows[0]

    def _read(self, parts: Iterable[Part]) -> bool:
        known = {part: held_of(self._pieces, part) for part in parts}
        found = in_memory(self._clickhouse, known) if known else {}
        new = [
            Piece(segment, (part._replace(rows=len(segment)),))
            for part, segment in (found or {}).items()
        ]
        self._pieces = [*self._pieces, *new]
        wrong = missing(self._pieces, known)
        # they do not add up: nothing that is held of them is believed, and they are read whole
        self._pieces = [p for p in self._pieces if not any(p.of(part) for part in wrong)]
        return not wrong

    def _in_files(self, active: Iterable[Part]) -> None:
        """Map what has a file of its own by now, and is in memory or in files that are gone."""
        whole = {piece.parts for piece in self._pieces if piece.on_disk}
        if self._map([part for part in active if (part,) not in whole]):
            self._active = None  # to be looked at again

    def _map(self, parts: Iterable[Part]) -> bool:
        """Map the files of these parts; whether there are any."""
        found = list(self._files.of(parts))
        for part, segment in found:
            mine = [piece for piece in self._pieces if piece.of(part)]
            # what else a piece had is read again
            self._torn |= any(piece.of(part) < len(piece.segment) for piece in mine)
            others = [piece for piece in self._pieces if piece not in mine]
            self._pieces = [*others, Piece(segment, (part,), on_disk=True)]
        return bool(found)
