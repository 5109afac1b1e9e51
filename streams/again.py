"""When a case is traced again because scans have come: soon, and not for each scan.

Requests wait together: one run answers all that came before it began. A case that may have got
one more contact is due at once; one where a stay may only end otherwise, after a while, which is
twice as long each time that it was for nothing: whoever was near a case goes about their day, and
most of their scans change nothing. Between two runs of a case there is always a pause that grows
with what a run takes, so that a flood of late scans at one market cannot keep the other cases
waiting.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from pydantic import ValidationError

from schemas.cases import TraceAgain

log = structlog.get_logger()
AT_ONCE: Final = 2
PAUSE_S: Final = 0.25  # between two runs of a case, at least
_LATER_S: Final = 20.0  # between them when nobody can be added
_LATEST: Final = 16  # times that, after runs that changed nothing
# Who may have got one more contact goes before cases that have waited so much longer: of a
# timetable that was entered all are due that rode.
_BEHIND_S: Final = 10.0
_NOT_AT_ONCE_S: Final = 2.0  # before one of a version: cases that just came are traced first


class Asked(Protocol):
    """A batch of `traces.v1` as Faust hands it over."""

    value: Any
    message: Any

    def ack(self) -> Any:
        """Mark it as done."""


@dataclass
class Due:
    """A case to trace again: offsets of the first and last request, the last one's broker time
    (ms), and that of the first scan that may add somebody, 0 if none has come; at least at this
    version of the case. `patient`: nobody can be added and no officer asked."""

    case: str
    first: int
    last: int
    at_ms: int
    since_ms: int
    when: float  # monotonic
    version: int = 0
    patient: bool = True
    asked: "_Asked | None" = None


@dataclass
class _Asked:
    event: Asked
    cases: int

    @property
    def generation(self) -> int:
        generation: int = self.event.message.generation_id
        return generation


class Again:
    """Cases that are due, each worked on by one at a time; `trace` answers one of them and says
    whether that changed anything."""

    def __init__(
        self,
        trace: Callable[[Due], Awaitable[bool]],
        pause_s: float = PAUSE_S,
        later_s: float = _LATER_S,
        not_at_once_s: float = _NOT_AT_ONCE_S,
    ) -> None:
        self._trace = trace
        self._pause_s, self._later_s, self._not_at_once_s = pause_s, later_s, not_at_once_s
        self._due: dict[str, Due] = {}
        self._busy: set[str] = set()
        self._rested: dict[str, float] = {}  # when a case may be traced again, monotonic
        self._ended: dict[str, float] = {}
        self._later: dict[str, float] = {}  # the pause of a case whose runs change nothing, seconds
        self._came = asyncio.Event()

    def submit(self, event: Asked) -> None:
        """Take a batch of requests; it is acknowledged when each case was traced that is due
        because of it. A case that was due before holds up an earlier batch of its partition: what
        is committed cannot pass that, and this one need not be kept. A batch that came before a
        rebalance holds up nothing: what it was, comes again, and takes its place."""
        asked = _Asked(event, 0)
        for record in event.value:
            due = self._put(record)
            if due is None or due.asked is asked:
                continue
            if due.asked is None or due.asked.generation != asked.generation:
                due.asked = asked
                asked.cases += 1
        if not asked.cases:
            event.ack()
        self._came.set()

    async def run(self) -> None:
        """Work off what is due, until cancelled."""
        await asyncio.gather(*(self._work() for _ in range(AT_ONCE)))

    @property
    def waiting(self) -> int:
        """How many cases wait."""
        return len(self._due)

    def _put(self, record: Any) -> Due | None:
        try:
            request = TraceAgain.model_validate_json(record.value or b"")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            log.error("request_ignored", offset=record.offset, detail=first["msg"])
            return None
        case = request.case
        since = int(request.appended_at.timestamp() * 1000) if request.adds else 0
        when = self._when(request)
        due = self._due.get(case)
        if due is None:
            due = Due(case, record.offset, record.offset, record.timestamp, since, when)
            self._due[case] = due
        else:
            due.last, due.at_ms = record.offset, record.timestamp
            due.when = min(due.when, when)
            due.since_ms = min(due.since_ms, since) or due.since_ms or since
        due.version = max(due.version, request.version)
        due.patient &= not request.adds and not request.version
        return due

    def _when(self, request: TraceAgain) -> float:
        now, case = time.monotonic(), request.case
        if request.adds:
            return max(now, self._rested.get(case, now))
        if request.version:
            soonest, pause = now + self._not_at_once_s, self._later_s
        else:
            soonest, pause = now, self._later.get(case, self._later_s)
        return max(soonest, self._ended.get(case, now - pause) + pause)

    async def _work(self) -> None:
        while True:
            due = await self._next()
            self._busy.add(due.case)
            began = time.monotonic()
            try:
                changed = await self._trace(due)
            finally:
                self._busy.discard(due.case)
            self._rest(due.case, began)
            self._be_patient(due, changed=changed)
            if due.asked is not None:
                due.asked.cases -= 1
                if due.asked.cases == 0:
                    due.asked.event.ack()
            self._came.set()

    def _rest(self, case: str, began: float) -> None:
        now = time.monotonic()
        forgotten = now - 2 * _LATEST * self._later_s
        self._ended = {c: t for c, t in self._ended.items() if t > forgotten}
        self._later = {c: s for c, s in self._later.items() if c in self._ended}
        self._rested = {c: t for c, t in self._rested.items() if t > now}
        self._ended[case] = now
        self._rested[case] = now + max(self._pause_s, now - began)

    def _be_patient(self, due: Due, *, changed: bool) -> None:
        """How long ends alone wait from now on, and what of this case came meanwhile."""
        case = due.case
        if changed:
            self._later.pop(case, None)
        elif due.patient:
            pause = 2 * self._later.get(case, self._later_s)
            self._later[case] = min(pause, _LATEST * self._later_s)
        waiting = self._due.get(case)
        if waiting is None:
            return
        if waiting.patient:
            waiting.when = self._ended[case] + self._later.get(case, self._later_s)
        else:
            waiting.when = max(waiting.when, self._rested[case])

    async def _next(self) -> Due:
        while True:
            self._came.clear()
            free = [due for due in self._due.values() if due.case not in self._busy]
            now = time.monotonic()
            ready = [due for due in free if due.when <= now]
            if ready:
                first = min(ready, key=lambda d: d.when + (0 if d.since_ms else _BEHIND_S))
                return self._due.pop(first.case)
            due = min(free, key=lambda d: d.when, default=None)
            try:
                async with asyncio.timeout(None if due is None else due.when - now):
                    await self._came.wait()
            except TimeoutError:
                pass
