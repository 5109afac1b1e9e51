"""One partition's way through a worker, for as long as it is assigned to it.

Batches are judged one after the other and written side by side; each is acknowledged when its
rows read back and the broker has its dead letters and alerts. What is in flight is bounded by
the worker's slots, what waits by its room.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import structlog

from schemas.errors import Retryable
from streams.batch import RawBatch, Verdicts
from streams.columns import U64
from streams.steps import Judged, Steps
from streams.window import Window
from streams.write import NotOurs, Writer, Written

log = structlog.get_logger()
_LOOK_AGAIN_S = 0.1


class Delivered(Protocol):
    """A batch as Faust hands it over: its records, and the way to acknowledge it."""

    value: list[Any]

    def ack(self) -> Any:
        """Mark it as done."""


@dataclass(frozen=True)
class Shop:
    """What the lines of one worker share."""

    steps: Steps
    writer: Writer
    threads: Executor
    slots: asyncio.Semaphore  # bounds batches between judging and acknowledgement
    judging: asyncio.Lock  # threads that judge side by side only fight for the interpreter
    rebuild: Callable[[int, int], Window]  # a partition's duplicate window, as of a broker's time
    follow_up: Callable[[Judged], Awaitable[None]]  # dead letters and alerts
    done: Callable[["Finished"], None]  # metrics
    flush_records: int
    flush_s: float
    code_wait_s: float
    surely_ours_s: Callable[[], float]  # seconds this worker's assignment surely still holds


@dataclass(frozen=True)
class Finished:
    """One acknowledged batch."""

    judged: Judged
    written: Written
    reread: int


class Line:
    """The batches of one partition in one assignment."""

    def __init__(self, partition: int, shop: Shop) -> None:
        self.partition = partition
        self._shop = shop
        self._waiting: deque[tuple[float, Delivered]] = deque()
        self._records = 0
        self._came = asyncio.Event()
        self._leaving = False
        self._offered = -1
        self._lost = False
        self._writes: set[asyncio.Task[None]] = set()
        self._present: U64 = np.zeros(0, np.uint64)
        self._open: dict[int, tuple[int, int]] = {}  # last offset: oldest timestamp, records

    def offer(self, event: Delivered) -> None:
        """Take a delivered batch in; they come in the order of their offsets."""
        assert event.value[0].offset > self._offered, "a batch of an earlier assignment"
        self._offered = event.value[-1].offset
        self._waiting.append((time.monotonic(), event))
        self._records += len(event.value)
        self._open[event.value[-1].offset] = (event.value[0].timestamp, len(event.value))
        self._came.set()

    @property
    def records(self) -> int:
        """Records taken in and not yet judged."""
        return self._records

    @property
    def in_flight(self) -> int:
        """Batches being written."""
        return len(self._writes)

    @property
    def unacknowledged(self) -> int:
        """Records taken in and not yet acknowledged."""
        return sum(size for _, size in self._open.values())

    @property
    def oldest_unwritten_ms(self) -> int | None:
        """The broker's timestamp of the oldest record not yet acknowledged."""
        return min((oldest for oldest, _ in self._open.values()), default=None)

    async def run(self) -> None:
        """Until cancelled or lost. Raises what is Fatal."""
        try:
            await self._run()
        except NotOurs:
            log.info("partition_lost", partition=self.partition)

    async def leave(self, timeout_s: float) -> None:
        """Begin nothing more and wait for what is in flight; then nothing here may write."""
        self._leaving = True
        if self._writes:
            await asyncio.wait(self._writes, timeout=timeout_s)
        self._lost = True

    def permit(self) -> float:
        """Seconds this line may still write. Blocking; raises NotOurs once the line is lost."""
        while True:
            if self._lost:
                raise NotOurs
            left = self._shop.surely_ours_s()
            if left >= 1.0:
                return left
            if self._leaving:
                raise NotOurs
            time.sleep(_LOOK_AGAIN_S)

    async def _run(self) -> None:
        await self._came.wait()
        first = self._waiting[0][1].value[0]
        self._present = await self._thread(
            self._shop.writer.take_over, self.partition, first.offset, self.permit
        )
        window = await self._patiently(self._shop.rebuild, self.partition, first.timestamp)
        while True:
            await self._until_due()
            await self._shop.slots.acquire()
            try:
                events = self._take()
                judged = await self._judge(events, window)
                if self._leaving:  # its wait for what is in flight may be over
                    raise NotOurs
            except BaseException:
                self._shop.slots.release()
                raise
            task = asyncio.create_task(self._finish(judged, events))
            self._writes.add(task)
            task.add_done_callback(self._written)

    async def _until_due(self) -> None:
        """A batch is due by size or by the age of its oldest part."""
        while True:
            self._raise_failures()
            if self._leaving:
                raise NotOurs
            if not self._waiting:
                self._came.clear()
                await self._came.wait()
                continue
            left = self._waiting[0][0] + self._shop.flush_s - time.monotonic()
            if left <= 0 or self._records >= self._shop.flush_records:
                return
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), left)
            except TimeoutError:
                return

    def _take(self) -> list[Delivered]:
        events: list[Delivered] = []
        size = 0
        while self._waiting and (
            not events or size + len(self._waiting[0][1].value) <= self._shop.flush_records
        ):
            _, event = self._waiting.popleft()
            events.append(event)
            size += len(event.value)
        self._records -= size
        return events

    async def _judge(self, events: Sequence[Delivered], window: Window) -> Judged:
        steps = self._shop.steps
        records = [record for event in events for record in event.value]
        raw = RawBatch.of(self.partition, records)
        async with self._shop.judging:
            verdicts = await self._thread(steps.read, raw)
        await self._wait_for_codes(verdicts)
        if steps.needs_drained(verdicts, window) and self._writes:
            await asyncio.wait(self._writes)
            self._raise_failures()
        judged: Judged = await self._patiently(steps.judge, verdicts, window)
        window.forget_before(window.oldest_day(int(raw.appended.max())))
        return judged

    async def _wait_for_codes(self, verdicts: Verdicts) -> None:
        until = time.monotonic() + self._shop.code_wait_s
        while await self._thread(self._shop.steps.waits, verdicts):
            if time.monotonic() >= until:
                log.warning("code_never_came", partition=self.partition)
                await self._thread(self._shop.steps.give_up, verdicts)
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _finish(self, judged: Judged, events: Sequence[Delivered]) -> None:
        present = self._present
        reread = int(np.isin(present, judged.verdicts.raw.offsets).sum()) if len(present) else 0
        written = await self._thread(self._shop.writer.write, judged.rows, present, self.permit)
        await self._shop.follow_up(judged)
        for event in events:
            event.ack()
            self._open.pop(event.value[-1].offset, None)
        if len(present) and judged.rows.last >= present[-1]:
            self._present = present[:0]
        self._shop.done(Finished(judged, written, reread))

    def _written(self, task: asyncio.Task[None]) -> None:
        self._shop.slots.release()
        self._came.set()  # so that a failure is noticed even when nothing more comes
        if task.cancelled() or task.exception() is None:
            self._writes.discard(task)

    def _raise_failures(self) -> None:
        for task in self._writes:
            if task.done():
                task.result()

    async def _patiently(self, call: Callable[..., Any], *args: Any) -> Any:
        """`call` in a thread, again while it is Retryable and the line is not lost."""
        while True:
            try:
                return await self._thread(call, *args)
            except Retryable as error:
                log.warning("line_waits", partition=self.partition, detail=str(error))
                if self._leaving:
                    raise NotOurs from error
                await asyncio.sleep(1.0)

    async def _thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._shop.threads, call, *args)
