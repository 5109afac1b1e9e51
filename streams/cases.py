"""Reading `cases.v1`: what a record says of a case, and the windows of those that are open."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any, Final

import structlog
from polars.exceptions import PolarsError
from pydantic import ValidationError

from schemas.cases import (
    BEHIND_LAST_DAY,
    FIRST_DAY,
    HIGHEST_VERSION,
    OPEN_STATUSES,
    WORKED,
    Case,
    CaseStatus,
    TraceAgain,
    system_of,
)
from schemas.errors import InvalidEvent, Retryable
from schemas.ids import person_bits
from streams.changed import Changed, together
from streams.watch import OpenCases
from streams.watched import Watched
from tracer.identity import same_of
from tracer.stated import bits_of

log = structlog.get_logger()
_PAUSE_S = 1.0
_MOVED: Final = b'"moved":true'
# One case, whatever is wrong with it, must not stop a city: `cases.v1` keeps it, so every worker
# would stop again after each start. What neighbours raise is none of these.
REFUSED: Final = (
    ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, PolarsError
)  # fmt: skip


def read_case(key: bytes | None, value: bytes | None) -> Case | None:
    """The case a record carries; None for a tombstone. Raises InvalidEvent, saying why.

    Another system's case (its id begins with its producer's id and a slash) is suspected until
    an epidemiologist confirms it here.
    """
    if value is None:
        return None
    try:
        case = Case.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        raise InvalidEvent(f"case record: {field}: {first['msg']}") from None
    if case.version > HIGHEST_VERSION:
        raise InvalidEvent(f"case record: version: {case.version} is too high")
    days = [("onset", case.onset), ("sampled_on", case.sampled_on)]
    days += [("named.last_contact", entry.last_contact) for entry in case.named]
    for field, day in days if case.status in OPEN_STATUSES else ():  # it can always be ended
        if day is not None and not _is_a_day(day):
            raise InvalidEvent(f"case record: {field}: {day} stands for no day")
    if case.result_on is not None and not _is_a_day(case.result_on):
        case = case.model_copy(update={"result_on": None})  # it decides nothing
    if key != case.id.encode():
        raise InvalidEvent(f"case record: the key is not the case's id {case.id}")
    system = system_of(case.id)
    if system is not None and case.registered_by != system:
        raise InvalidEvent(f"case record: {case.registered_by} may not write case {case.id}")
    return as_traced(case)


def _is_a_day(day: date) -> bool:
    return FIRST_DAY <= day < BEHIND_LAST_DAY


def as_traced(case: Case) -> Case:
    """As workers know it: another system's case is suspected, whoever has confirmed it."""
    if system_of(case.id) is not None and case.status is CaseStatus.CONFIRMED:
        return case.model_copy(update={"status": CaseStatus.SUSPECTED})
    return case


def but_for_work(case: Case) -> Case:
    """What stays and windows depend on: not what the work on its list says of contacts, and not the
    day of the result, which decides nothing."""
    return case.model_copy(update={"version": 0, "result_on": None} | dict.fromkeys(WORKED, ()))


def said(error: Exception) -> str:
    """What is wrong with a case: the words of one who looked for it, else also where it broke."""
    if isinstance(error, ValueError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name} ({last.filename}:{last.lineno}): {error}"


def as_said(case: Case) -> Watched:
    """What is watched of a case by its record alone, before anything is read."""
    out = frozenset(person_bits(entry.person) for entry in case.excluded)
    return Watched(case.id, case.version, bits_of(case), (), same=same_of(case), excluded=out)


class CaseWatcher:
    """Keeps the open-case index: on and off with the case, anew when its person scans.

    `windows_of` reads ClickHouse (blocking); it raises Retryable while that is away. `opened` is
    told of a case that is watched otherwise by what has come since this was made: who scanned
    after its run had read and before it was watched is in neither. And of one that is read again,
    as after a rebalance, if somebody is near it of whom this worker did not know: mostly one whose
    scans another worker wrote and asked a run for, which is one run too many.
    """

    def __init__(
        self,
        index: OpenCases,
        windows_of: Callable[[Case], Watched],
        opened: Callable[[Case], Awaitable[None]],
    ) -> None:
        self._index = index
        self._windows_of = windows_of
        self._opened = opened
        self._since_ms = time.time() * 1000  # the broker dates records
        self._cases: dict[str, Case] = {}
        self._due: dict[str, bool] = {}  # in order, a case once; whether `opened` is to be told
        self._changed: list[Changed] = []  # of places, since cases were last asked about them
        self._behind: dict[str, None] = {}  # whom that concerns: whatever is due goes before
        self._came = asyncio.Event()
        self._in_hand: str | None = None
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
            self._index.close(case.id)
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
            while self._due or self._changed or self._behind:
                if not self._due:
                    self._behind |= dict.fromkeys(self._concerned())
                if not self._due and self._behind:
                    self._make_due(next(iter(self._behind)), tell=True)
                if self._due:
                    self._in_hand = next(iter(self._due))
                    self._behind.pop(self._in_hand, None)
                    try:
                        await self._look_at(self._in_hand)
                    finally:
                        self._in_hand = None
            await self._came.wait()

    @property
    def settled(self) -> bool:
        """Whether nothing is due or being looked at, but for what other facts of places may have
        changed."""
        return not self._due and self._in_hand is None

    @property
    def at_rest(self) -> bool:
        """Whether nothing at all is left to look at."""
        return self.settled and not self._changed and not self._behind

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
            watched = await asyncio.to_thread(self._windows_of, case)
        except Retryable as error:
            log.warning("case_waits", case=case_id, detail=str(error))
            self._make_due(case_id, tell=tell)
            await asyncio.sleep(_PAUSE_S)
            return
        except REFUSED as error:
            log.error("case_not_watched", case=case_id, detail=said(error))
            self._index.close(case_id)
            return
        latest = self._cases.get(case_id)
        if latest is not None and but_for_work(latest) == but_for_work(case):
            tell |= self._missed(watched)
            self._index.open(replace(watched, version=latest.version))
            if tell:
                await self._opened(latest)
        # else it has ended, or is due again

    def _missed(self, now: Watched) -> bool:
        """Whether a case that was watched has somebody of whom nothing was known: of scans that
        another worker wrote, and what they say together with scans of ours nobody has looked at."""
        before = self._index.get(now.case)
        if before is None or not before.windows:
            return False
        return not self._index.knows(now)

    def _forget(self, case_id: str) -> None:
        self._cases.pop(case_id, None)
        self._index.close(case_id)

    def _make_due(self, case_id: str, *, tell: bool) -> None:
        self._due[case_id] = self._due.get(case_id, False) or tell
        self._came.set()
