"""Whose request goes first when a console has too much to do: case work, and reading last.

Each kind of work has so many requests under way at the same time and so many more in line; beyond
that, or after too long in line, a request is refused before it has begun: 503, `Retry-After`, and
nothing of it done. What is under way is what counts, not a clock: a console that answers quickly
refuses nobody. Scans have bounds of their own, in bytes and records: `console.gateway.flow`.
"""

import asyncio
import math
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.types import Scope

from console.api.errors import ApiError
from schemas.meters import Metrics
from schemas.metrics import REQUESTS_SHED, REQUESTS_WAITED

log = structlog.get_logger()


class Work(StrEnum):
    """Kinds of work, the first to be kept first."""

    SCANS = "scans"
    CASES = "cases"
    EDITS = "edits"
    READING = "reading"


@dataclass(frozen=True)
class Room:
    """Requests of a kind that may be under way at the same time, and in line for it."""

    at_once: int
    in_line: int


# Together fewer than the forty threads that answer: whoever is let in finds one.
_CASES: Final = Room(24, 200)
_EDITS: Final = Room(4, 60)
_IN_LINE: Final = 4  # for each that may read at once
_LONGEST_WAIT_S: Final = 3.0
_SAY_AGAIN_S: Final = 10.0
_UNDER_WAY: Final = "truyvet.admitted"
_WORDS: Final = {
    Work.SCANS: (
        "Cổng nhận đang quá tải; hãy gửi lại nguyên văn sau {} giây.",
        "The gateway is busy; send the same again in {} s.",
    ),
    Work.READING: (
        "Hệ thống đang bận và việc của ca bệnh đi trước; hãy xem lại sau {} giây.",
        "The system is busy and case work goes first; ask again in {} s.",
    ),
}
_OTHERS: Final = (
    "Hệ thống đang quá tải, chưa ghi gì; hãy gửi lại nguyên văn sau {} giây.",
    "The system is overloaded and has done nothing; send the same again in {} s.",
)


class Shed(ApiError):
    """503: too much of this kind of work is under way."""

    def __init__(self, work: Work, retry_after_s: int) -> None:
        vi, en = (words.format(retry_after_s) for words in _WORDS.get(work, _OTHERS))
        headers = {"Retry-After": str(retry_after_s)}
        super().__init__(503, "unavailable", vi, en, headers=headers)
        self.work = work


class Admission:
    """Counts of what is under way and in line, by kind. One event loop; no locks."""

    def __init__(
        self, readings: int, metrics: Metrics, longest_wait_s: float = _LONGEST_WAIT_S
    ) -> None:
        rooms = {
            Work.CASES: _CASES,
            Work.EDITS: _EDITS,
            Work.READING: Room(readings, _IN_LINE * readings),
        }
        self._lines = {work: _Line(work, room, longest_wait_s) for work, room in rooms.items()}
        self._metrics = metrics
        self._unsaid: dict[Work, int] = {}
        self._said_at: dict[Work, float] = {}

    async def enter(self, scope: Scope, work: Work) -> None:
        """Wait for room; `leave` gives it back. Raises Shed when there is none."""
        line = self._lines.get(work)
        if line is None or _UNDER_WAY in scope:
            return
        waited_s = await line.enter()
        scope[_UNDER_WAY] = line
        self._metrics.histogram(REQUESTS_WAITED, work).observe(waited_s)

    def leave(self, scope: Scope) -> None:
        """The request has been answered, to its last byte, or is given up."""
        line = scope.pop(_UNDER_WAY, None)
        if line is not None:
            line.leave()

    def note(self, work: Work, now_s: float) -> None:
        """Count one that was refused; say so at once, then every ten seconds at most."""
        self._metrics.counter(REQUESTS_SHED, work).inc()
        self._unsaid[work] = self._unsaid.get(work, 0) + 1
        if now_s - self._said_at.get(work, -math.inf) >= _SAY_AGAIN_S:
            log.warning("requests_shed", work=work, refused=self._unsaid.pop(work))
            self._said_at[work] = now_s


class _Line:
    """First come, first served."""

    def __init__(self, work: Work, room: Room, longest_wait_s: float) -> None:
        self._work, self._room = work, room
        self._longest_wait_s = longest_wait_s
        self._free = asyncio.Semaphore(room.at_once)
        self._waiting = 0
        self._last_wait_s = 0.0

    async def enter(self) -> float:
        """Seconds in line. Raises Shed."""
        if not self._free.locked():
            await self._free.acquire()  # at once
            self._last_wait_s = 0.0
            return 0.0
        if self._waiting >= self._room.in_line:
            raise self._refused()
        began = time.monotonic()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise self._refused() from None
        finally:
            self._waiting -= 1
            self._last_wait_s = time.monotonic() - began
        return self._last_wait_s

    def leave(self) -> None:
        self._free.release()

    def _refused(self) -> Shed:
        """To come back when those in line now will have been let in."""
        return Shed(self._work, max(1, math.ceil(self._last_wait_s)))


async def shed(request: Request, error: Exception) -> JSONResponse:
    """The answer to `Shed`, counted."""
    assert isinstance(error, Shed)
    admission: Admission = request.app.state.console.admission
    admission.note(error.work, time.monotonic())
    return error.response()
