"""One partition's way through a worker, for as long as it is assigned to it.

What comes in is judged, piece after piece; what is judged waits as rows until it is due and a slot
is free, and is then written as one batch, so that the busier the engine is the larger its batches
are. A batch is acknowledged when its rows read back and the broker has its dead letters and
alerts. One batch of a partition is written at a time; the worker's slots bound how many there
are of all its partitions, its room what waits.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np
import structlog

from schemas.errors import Retryable
from streams.batch import RawBatch, Verdicts
from streams.columns import U64
from streams.patience import patience
from streams.pending import Pending, together
from streams.rejectlimit import TooManyRejects
from streams.shop import Delivered, Finished, Shop
from streams.steps import Judged
from streams.waiting import BATCH_BYTES, PIECE_BYTES, Size, Waiting
from streams.window import Window
from streams.write import NotOurs

log = structlog.get_logger()
_LOOK_AGAIN_S: Final = 0.1
_RECALL_AGAIN_S: Final = 5.0
# Records judged at once: enough that numpy's calls cost little, few enough to stay in the cache.
PIECE: Final = 20_000


class Line:
    """The records of one partition in one assignment."""

    def __init__(self, partition: int, shop: Shop) -> None:
        self.partition = partition
        self._shop = shop
        self._waiting: Waiting[Delivered] = Waiting()
        self._judged: Waiting[tuple[Pending, Sequence[Delivered]]] = Waiting()
        self._piece = Size(min(PIECE, shop.flush_records), PIECE_BYTES)
        self._full = Size(shop.flush_records, BATCH_BYTES)
        self._came = asyncio.Event()  # something to judge, or a reason to stop
        self._ready = asyncio.Event()  # something to write, or a reason to stop
        self._leaving = False
        self._stopped = False
        self._lost = False
        self._offered = -1
        self._written = 0  # whatever lies before this offset is in the tables
        self._write: asyncio.Task[None] | None = None
        self._present: U64 = np.zeros(0, np.uint64)
        self._limit = shop.limit()
        self._open: dict[int, tuple[int, int]] = {}  # last offset: oldest timestamp, records

    def offer(self, event: Delivered) -> None:
        """Take a delivered block in; they come in the order of their offsets."""
        block = event.value
        assert block.first > self._offered, "a block of an earlier assignment"
        self._offered = block.last
        if self._stopped:
            return  # not acknowledged: it is read again when the partition may go on
        patience_s = patience(block, self._shop.flush_s, time.time())
        self._waiting.add(time.monotonic() + patience_s, Size(len(block), block.bytes), event)
        self._open[block.last] = (block.first_timestamp, len(block))
        self._came.set()

    @property
    def raw_records(self) -> int:
        """Records taken in and not yet judged."""
        return self._waiting.records

    @property
    def judged_records(self) -> int:
        """Records judged and not yet being written."""
        return self._judged.records

    @property
    def bytes(self) -> int:
        """Of the records taken in, and of the rows and letters of those judged."""
        return self._waiting.bytes + self._judged.bytes

    @property
    def in_flight(self) -> int:
        """Batches being written."""
        return int(self._write is not None)

    @property
    def unacknowledged(self) -> int:
        """Records taken in and not yet acknowledged."""
        return sum(size for _, size in self._open.values())

    @property
    def oldest_unwritten_ms(self) -> int | None:
        """The broker's timestamp of the oldest record not yet acknowledged."""
        return min((oldest for oldest, _ in self._open.values()), default=None)

    async def run(self) -> None:
        """Until cancelled, lost or stopped by its limit. Raises what is Fatal."""
        tasks = [asyncio.create_task(self._judge_all()), asyncio.create_task(self._write_all())]
        try:
            for ended in asyncio.as_completed(tasks):
                await ended
        except NotOurs:
            log.info("partition_lost", partition=self.partition)
        finally:
            for task in tasks:
                task.cancel()

    async def leave(self, timeout_s: float) -> None:
        """Begin nothing more and wait for what is in flight; then nothing here may write."""
        self._leaving = True
        self._came.set()
        self._ready.set()
        if self._write is not None:
            await asyncio.wait([self._write], timeout=timeout_s)
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

    # judging

    async def _judge_all(self) -> None:
        await self._came.wait()
        block = self._waiting.first.value
        self._present = await self._thread(
            self._shop.writer.take_over, self.partition, block.first, self.permit
        )
        window = await self._patiently(self._shop.rebuild, self.partition, block.first_timestamp)
        self._written = max(self._written, block.first)
        recall = asyncio.create_task(self._recall(window, block.first_timestamp))
        try:
            await self._judge_pieces(window, recall)
        finally:
            recall.cancel()

    async def _recall(self, window: Window, reference_ms: int) -> None:
        """Remember older ids, a stretch at a time, one line of the worker after the other."""
        more, asked = True, (self._shop.remember, self.partition, window, reference_ms)
        while more:
            try:
                async with self._shop.recalling:
                    more = await self._thread(*asked)
            except Retryable as error:  # the others' turn; until then more is looked up
                log.warning("window_incomplete", partition=self.partition, detail=str(error))
                await asyncio.sleep(_RECALL_AGAIN_S)

    async def _judge_pieces(self, window: Window, recall: asyncio.Task[None]) -> None:
        while True:
            if recall.done():
                recall.result()  # raises what is Fatal
            await self._until_piece()
            due, events = self._waiting.take(Size(PIECE, PIECE_BYTES))
            try:
                pending = await self._judge(events, window)
            except TooManyRejects as error:
                self._stop(error)
                return
            self._judged.add(due, Size(len(pending), pending.bytes), (pending, events))
            self._ready.set()

    async def _until_piece(self) -> None:
        """A piece is due by size, or when what waits would else be late."""
        while True:
            if self._leaving:
                raise NotOurs
            if not self._waiting:
                self._came.clear()
                await self._came.wait()
                continue
            left = self._waiting.due - time.monotonic()
            if left <= 0 or self._waiting.fills(self._piece):
                return
            self._came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), left)

    async def _judge(self, events: Sequence[Delivered], window: Window) -> Pending:
        steps = self._shop.steps
        blocks = [event.value for event in events]
        async with self._shop.judging:
            raw = await self._thread(RawBatch.of, blocks)
            verdicts = await self._thread(steps.read, raw)
        await self._wait_for_codes(verdicts)
        window.written = self._written
        judged: Judged = await self._patiently(steps.judge, verdicts, window)
        self._limit.note(judged.verdicts)
        pending: Pending = await self._thread(Pending.of, judged)
        return pending

    async def _wait_for_codes(self, verdicts: Verdicts) -> None:
        until = time.monotonic() + self._shop.code_wait_s
        while await self._thread(self._shop.steps.waits, verdicts):
            if time.monotonic() >= until:
                log.warning("code_never_came", partition=self.partition)
                await self._thread(self._shop.steps.give_up, verdicts)
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _stop(self, error: TooManyRejects) -> None:
        """Take nothing more in; what was judged before is still written."""
        self._stopped = True
        self._waiting.clear()
        self._shop.stopped(self.partition, error)

    # writing

    async def _write_all(self) -> None:
        while True:
            await self._until_due()
            async with self._shop.slots.take(self._judged.records):
                if self._leaving:
                    raise NotOurs
                self._write = asyncio.create_task(self._finish())
                # `leave` waits for it, whatever becomes of this task
                await asyncio.shield(self._write)
                self._write = None

    async def _until_due(self) -> None:
        """A batch is due by size, by the age of its oldest part, or when the engine is idle."""
        while True:
            if self._leaving:
                raise NotOurs
            if self._judged:
                left = self._judged.due - time.monotonic()
                full = self._judged.fills(self._full)
                if left <= 0 or full or self._shop.slots.worth_one(self._judged.records):
                    return
            else:
                left = None
            self._ready.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), left)

    async def _finish(self) -> None:
        _, batches = self._judged.take(self._full)
        pending = await self._thread(together, [pending for pending, _ in batches])
        events = [event for _, some in batches for event in some]
        del batches  # their rows are in one by now
        present = self._present
        rows = pending.rows
        reread = int(np.count_nonzero((present >= rows.first) & (present <= rows.last)))
        written = await self._thread(self._shop.writer.write, rows, present, self.permit)
        self._written = rows.last + 1
        await self._shop.follow_up(pending)
        for event in events:
            event.ack()
            self._open.pop(event.value.last, None)
        if len(present) and rows.last >= present[-1]:
            self._present = present[:0]
        self._shop.done(Finished(pending, written, reread))

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
