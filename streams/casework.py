"""What a worker does with a case: trace it and tell officers, at its events and at late scans."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import structlog

from schemas.cases import OPEN_STATUSES, Case, CaseStatus
from schemas.errors import InvalidEvent, Retryable
from streams.again import Due
from streams.alerts import change_alerts, run_alerts, version_request
from streams.cases import REFUSED, but_for_work, read_case, said
from streams.publish import Message, Publisher, carrying
from streams.runs import Run
from streams.spans import Attributes, Spans
from streams.tracing import Tracing
from streams.watch import moment

log = structlog.get_logger()
_PAUSE_S = 1.0
_SOON_S = 0.05
_ON_ITS_WAY_S = 5.0


def asking(publisher: Publisher) -> Callable[[Case], Awaitable[None]]:
    """What asks for one more run of a case, in a while."""

    async def ask(case: Case) -> None:
        await publisher.send([version_request(case.id, case.version, datetime.now(UTC))])

    return ask


class CaseWork:
    """One run of a case at a time, whatever asks for it; followed if its record says so.

    `open_case`: the open case of an id as this worker knows it. `alerted` is told the broker's
    time (ms) of each case, `told` that of the scan that made a run.
    """

    def __init__(
        self,
        tracing: Tracing,
        publisher: Publisher,
        open_case: Callable[[str], Case | None],
        alerted: Callable[[int], None],
        told: Callable[[int], None],
        spans: Spans,
    ) -> None:
        self._tracing = tracing
        self._publisher = publisher
        self._open_case = open_case
        self._alerted = alerted
        self._told = told
        self._spans = spans
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        self._traced: dict[str, Case] = {}  # open cases as they were last traced here
        self._newest: dict[str, int] = {}  # versions of cases that were worked on here

    async def record(self, record: Any) -> None:
        """A record of `cases.v1`: traced, stored, told."""
        where = {"partition": record.partition, "offset": record.offset}
        try:
            case = read_case(record.key, record.value)
        except InvalidEvent as error:
            log.error("case_refused", **where, detail=str(error))
            return
        if case is None:
            return
        if case.version < self._newest.get(case.id, 0):
            log.error("case_refused", **where, case=case.id, detail="a later version came before")
            return
        self._newest[case.id] = case.version
        about: Attributes = {"truyvet.case": case.id, "truyvet.case_version": case.version}
        with self._spans.step("case", about, record.context):
            async with self._alone(case.id):
                await self._patiently(case, where, lambda: self._register(case, record.timestamp))

    async def again(self, due: Due) -> bool:
        """Scans, decisions or answers have come: what they change is stored and told; whether they
        change anything."""
        case = await self._at_version(due)
        if case is None:
            return False
        if case.version < due.version:
            log.warning("case_behind", case=case.id, known=case.version, asked=due.version)
            await self._publisher.send([version_request(case.id, due.version, moment(due.at_ms))])
        async with self._alone(case.id):
            where = {"offset": due.last}
            return bool(await self._patiently(case, where, lambda: self._again(case, due)))

    async def _register(self, case: Case, at_ms: int) -> None:
        at = moment(at_ms)
        if case.status not in OPEN_STATUSES:
            self._traced.pop(case.id, None)
        if case.status is CaseStatus.VOIDED:
            withdrawn = await asyncio.to_thread(self._tracing.withdrawn, case, at)
            await self._alert(change_alerts(case, withdrawn, at, None))
            log.info("case_voided", case=case.id, withdrawn=len(withdrawn))
        elif case.status in OPEN_STATUSES:
            known = self._traced.get(case.id)
            if known is not None and but_for_work(known) == but_for_work(case):
                # a day's answers and decisions of a large case are many: they wait for each other
                await self._publisher.send([version_request(case.id, case.version, at)])
                return
            run = await asyncio.to_thread(self._tracing.run, case, at)
            if run is None:
                log.warning("case_late", case=case.id, version=case.version)
                return
            await self._tell(run, at)
            self._alerted(at_ms)
            self._traced[case.id] = case

    async def _at_version(self, due: Due) -> Case | None:
        """The open case, once it has come as far as the request says; else, after a while, as it
        is known: what scans change must not wait for it."""
        until = time.monotonic() + _ON_ITS_WAY_S
        while True:
            case = self._open_case(due.case)
            if case is None or case.version >= due.version or time.monotonic() >= until:
                return case
            await asyncio.sleep(_SOON_S)

    async def _again(self, case: Case, due: Due) -> int:
        at = moment(due.at_ms)
        runs = await asyncio.to_thread(self._tracing.again, case, at, due.first, due.last)
        for run in runs:
            await self._tell(run, at)
            if due.since_ms:
                self._told(due.since_ms)
        return len(runs)

    async def _tell(self, run: Run, at: datetime) -> None:
        await self._alert(run_alerts(run, at))
        log.info(
            "case_traced",
            case=run.case.id,
            run=run.number,
            cause=run.cause,
            contacts=len(run.contacts),
            changes=len(run.changes),
        )

    async def _alert(self, messages: list[Message]) -> None:
        with self._spans.step("alert", {"truyvet.alerts": len(messages)}) as span:
            await self._publisher.send(carrying(messages, span.context))

    async def _patiently(self, case: Case, where: dict[str, int], work: Callable[[], Any]) -> Any:
        """`work`, again while it is Retryable. A case that cannot be traced is refused, loudly."""
        while True:
            try:
                return await work()
            except Retryable as error:
                log.warning("trace_waits", case=case.id, **where, detail=str(error))
                await asyncio.sleep(_PAUSE_S)
            except REFUSED as error:
                log.error("case_refused", case=case.id, **where, detail=said(error))
                return None

    @asynccontextmanager
    async def _alone(self, case: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(case, (asyncio.Lock(), 0))
        self._locks[case] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[case]
            if users == 1:
                del self._locks[case]
            else:
                self._locks[case] = lock, users - 1
