"""Which open cases are watched, and where: as their records and what they stand on change."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np
import structlog

from schemas.cases import OPEN_STATUSES, Case, TraceAgain
from schemas.errors import Retryable
from streams.cases import REFUSED, as_said, but_for_work, read_case, said
from streams.changed import Changed, changed, together
from streams.columns import I64, U64
from streams.watch import OpenCases
from streams.watched import Watched
from tracer.struck import Revoked

log = structlog.get_logger()
_PAUSE_S = 1.0
_A_MOMENT_S: Final = 1.0
_MOVED: Final = b'"moved":true'


class Looks(Protocol):
    """What is asked of the tables; blocking, raises Retryable while they are away."""

    def watched(self, case: Case) -> Watched:
        """Its windows and who was near, as its scans stand now."""

    def revoked(self) -> list[Revoked]:
        """The codes that were revoked from before, as far as this worker has heard."""

    def struck(self, revoked: Revoked) -> tuple[U64, I64]:
        """Who had scanned by this code, and when (milliseconds since 1970 UTC)."""


class CaseWatcher:
    """Keeps the open-case index: on and off with the case, anew when its person scans.

    `opened` is told of a case that is watched otherwise by what has come since this was made: who
    scanned after its run had read and before it was watched is in neither. And of one that is read
    again, as after a rebalance, if somebody is near it of whom this worker did not know: mostly one
    whose scans another worker wrote and asked a run for, which is one run too many.
    """

    def __init__(
        self,
        index: OpenCases,
        tables: Looks,
        opened: Callable[[Case], Awaitable[None]],
    ) -> None:
        self._index = index
        self._tables = tables
        self._opened = opened
        self._since_ms = time.time() * 1000  # the broker dates records
        self._cases: dict[str, Case] = {}
        self._due: dict[str, bool] = {}  # in order, a case once; whether `opened` is to be told
        self._changed: list[Changed] = []  # of places, since cases were last asked about them
        self._struck: set[Revoked] = set()  # the codes of which cases were asked
        self._behind: dict[str, None] = {}  # whom that concerns, or time: what is due goes before
        self._waits = False  # the tables did not answer for the last case
        self._came = asyncio.Event()
        self._failed: set[Revoked] = set()  # for which the tables did not answer: the others first
        self._in_hand: str | None = None
        self._urgent = False  # the case in hand was due, not behind
        self._over: dict[
            str, asyncio.TimerHandle
        ] = {}  # where a case is now, until it will have gone
        self._hears = False  # of places; what is said before is part of what is first known

    def apply(self, record: Any) -> None:
        """A record of `cases.v1`. Raises InvalidEvent for one that makes no sense."""
        case = read_case(record.key, record.value)
        if case is None:
            self._forget(record.key.decode("utf-8", "replace"))
            return
        known = self._cases.get(case.id)
        if known is not None and case.version <= known.version:
            return
        self._cases[case.id] = case
        if case.status not in OPEN_STATUSES:
            self._close(case.id)
            return
        self._index.announce(as_said(case))
        if known is None or but_for_work(known) != but_for_work(case):
            self._make_due(case.id, tell=record.timestamp >= self._since_ms)

    def moved(self, record: Any) -> None:
        """A request on `traces.v1`: the case is looked at again if it is its own person who
        scanned, wherever that was written. Raises ValidationError for one without sense."""
        if _MOVED in (record.value or b""):
            request = TraceAgain.model_validate_json(record.value)
            if self.open_case(request.case) is not None:
                self._make_due(request.case, tell=True)

    def look_again(self) -> None:
        """At all open cases: other partitions may be ours now, and who was near is not known."""
        for case in self._cases.values():
            if case.status in OPEN_STATUSES:
                self._make_due(case.id, tell=False)

    def places_changed(self, changed: Changed) -> None:
        """Other hours, usual stays, trips or codes of these places, or of what lies inside: stays
        there may be others, so open cases that were there then are looked at and traced again,
        once nothing else is due. It may be said from the worker's loop alone."""
        if self._hears:
            self._changed.append(changed)
            self._came.set()

    def open_case(self, case_id: str) -> Case | None:
        """The case, if it is open."""
        case = self._cases.get(case_id)
        return case if case is not None and case.status in OPEN_STATUSES else None

    async def run(self, *after: asyncio.Event) -> None:
        """Work off what is due, until cancelled. Not before all of `after`: from then on `moved`
        and `places_changed` hear all, and no case moves unheard once it has been looked at."""
        for event in after:
            await event.wait()
        self._hears = True
        while True:
            self._came.clear()
            while not self.at_rest:
                self._in_hand = await self._next()
                if self._in_hand is not None:
                    self._urgent = self._in_hand not in self._behind
                    self._behind.pop(self._in_hand, None)
                    self._waits = False
                    await self._look_at(self._in_hand)
                    self._in_hand, self._urgent = None, False
            await self._came.wait()

    async def _next(self) -> str | None:
        """Whom to look at: who is due; and if nobody is, or the last one has to wait, whom other
        facts of places concern."""
        if self._due and not self._waits:
            return next(iter(self._due))
        await self._hear_of_strikes()
        if self._changed:
            # where those were that have not been read is not known, and they may have been there
            self._due = dict.fromkeys(self._due, True)
            self._behind |= dict.fromkeys(self._concerned())
        for case in self._behind:
            self._make_due(case, tell=True)
            return case
        return next(iter(self._due), None)

    @property
    def settled(self) -> bool:
        """Whether nothing is due or being looked at, but for what other facts of places may have
        changed."""
        return not self._due and not self._urgent

    @property
    def at_rest(self) -> bool:
        """Whether nothing at all is left to look at."""
        idle = self.settled and self._in_hand is None
        return idle and not (self._changed or self._behind or self._unheard())

    def _unheard(self) -> set[Revoked]:
        return set(self._tables.revoked()) - self._struck

    async def _hear_of_strikes(self) -> None:
        """What was scanned by a code that is revoked from before does not count any more: for its
        place, and for those who had scanned, wherever they were. After a start that is all there
        are: whoever was to ask for a run may have died before."""
        new = self._unheard()
        if not new:
            return
        one = min(new - self._failed or new)
        try:
            person, at = await asyncio.to_thread(self._tables.struck, one)
        except Retryable as error:
            log.warning("strikes_wait", codes=len(new), detail=str(error))
            self._failed = (self._failed & new | {one}) if new - self._failed else {one}
            await asyncio.sleep(_PAUSE_S)
            return
        self._struck.add(one)
        place, _, since, decided = np.array([one], np.int64).T
        self._changed.append(changed(place, since, decided))
        self._behind |= dict.fromkeys(sorted(self._index.concerned(person, at)))

    def _concerned(self) -> list[str]:
        """The open cases that were at places which have changed, then."""
        changed, self._changed = together(self._changed), []
        if not len(changed):
            return []
        watched = filter(None, map(self._index.get, self._cases))
        return [one.case for one in watched if changed.concerns(one.visited)]

    async def _look_at(self, case_id: str) -> None:
        case = self._cases.get(case_id)
        tell = self._due.pop(case_id)
        if case is None or case.status not in OPEN_STATUSES:
            return
        try:
            watched = await asyncio.to_thread(self._tables.watched, case)
        except Retryable as error:
            log.warning("case_waits", case=case_id, detail=str(error))
            self._make_due(case_id, tell=tell)
            self._waits = True
            await asyncio.sleep(_PAUSE_S)
            return
        except REFUSED as error:
            log.error("case_not_watched", case=case_id, detail=said(error))
            self._close(case_id)
            return
        latest = self._cases.get(case_id)
        if latest is not None and but_for_work(latest) == but_for_work(case):
            tell |= self._missed(watched)
            self._index.open(replace(watched, version=latest.version))
            self._look_when_over(watched)
            if tell:
                await self._opened(latest)
        # else it has ended, or is due again

    def _look_when_over(self, watched: Watched) -> None:
        """Where the case is now, minutes are still going by: looked at and traced again when it
        would go from one of these places, by the rules of stays, if no scan of its own says
        otherwise before. Once nothing else is due: at a closing time many go."""
        self._forget_over(watched.case)
        now = time.time()
        left_s = [w.end / 1000 - now for w in watched.windows if w.end / 1000 > now]
        if left_s:
            loop = asyncio.get_running_loop()
            self._over[watched.case] = loop.call_later(
                min(left_s) + _A_MOMENT_S, self._fall_behind, watched.case
            )

    def _fall_behind(self, case_id: str) -> None:
        self._behind[case_id] = None
        self._came.set()

    def _forget_over(self, case_id: str) -> None:
        timer = self._over.pop(case_id, None)
        if timer is not None:
            timer.cancel()

    def _close(self, case_id: str) -> None:
        self._forget_over(case_id)
        self._index.close(case_id)

    def _missed(self, now: Watched) -> bool:
        """Whether a case that was watched has somebody of whom nothing was known: of scans that
        another worker wrote, and what they say together with scans of ours nobody has looked at."""
        before = self._index.get(now.case)
        if before is None or not before.windows:
            return False
        return not self._index.knows(now)

    def _forget(self, case_id: str) -> None:
        self._cases.pop(case_id, None)
        self._close(case_id)

    def _make_due(self, case_id: str, *, tell: bool) -> None:
        self._due[case_id] = self._due.get(case_id, False) or tell
        self._came.set()
