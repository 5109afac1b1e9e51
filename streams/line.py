"""One partition's way through a worker, for as long as it is assigned to it.

What comes in is judged, piece after piece, and goes out by its outlet. The worker's room bounds
what waits.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, Final

import structlog

from schemas.errors import Retryable
from streams.batch import RawBatch, Verdicts
from streams.blocks import Delivered
from streams.company import Attempt, Load
from streams.outlet import Outlet
from streams.patience import patience
from streams.pending import Pending
from streams.rejectlimit import TooManyRejects
from streams.shop import Shop
from streams.standing import Standing
from streams.steps import Judged
from streams.tenure import Tenure
from streams.waiting import PIECE_BYTES, Size, Waiting
from streams.window import Window
from streams.write import NotOurs

log = structlog.get_logger()
_LOOK_AGAIN_S: Final = 0.1
_RECALL_AGAIN_S: Final = 5.0
_ASK_AGAIN_S: Final = 1.0
# Records judged at once: enough that numpy's calls cost little, few enough to stay in the cache.
PIECE: Final = 20_000


class Line:
    """The records of one partition in one assignment."""

    def __init__(self, partition: int, shop: Shop) -> None:
        self.partition = partition
        self._shop = shop
        self._waiting: Waiting[Delivered] = Waiting()
        self._piece = Size(min(PIECE, shop.flush_records), PIECE_BYTES)
        self._came = asyncio.Event()  # something to judge, or a reason to stop
        self._stopped = False
        self._offered = self._judged_to = self._hurried_to = -1
        self._hurried_at = 0.0
        self._tenure = Tenure(shop.surely_ours_s)
        self._outlet = Outlet(shop, self._tenure, self._done)
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
        return self._outlet.records

    @property
    def bytes(self) -> int:
        """Of the records taken in, and of the rows and letters of those judged."""
        return self._waiting.bytes + self._outlet.bytes

    @property
    def in_flight(self) -> int:
        """Batches being written."""
        return self._outlet.in_flight

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
        tasks = [
            asyncio.create_task(self._judge_all()),
            asyncio.create_task(self._outlet.run(self)),
        ]
        try:
            for ended in asyncio.as_completed(tasks):
                await ended
        except NotOurs:
            log.info("partition_lost", partition=self.partition)
        finally:
            self._shop.company.part(self.partition, self)
            self._shop.writer.answers(self.partition)
            for task in tasks:
                task.cancel()

    async def leave(self, timeout_s: float) -> None:
        """Begin nothing more and wait for what is in flight; then nothing here may write."""
        self._tenure.leave(timeout_s)
        self._came.set()
        await self._outlet.leave(timeout_s)
        self._tenure.lost = True

    def _done(self, event: Delivered) -> None:
        self._open.pop(event.value.last, None)

    # in company

    @property
    def hurried_since(self) -> float | None:
        """Since when (monotonic seconds) it was asked to hurry and has not judged all of that."""
        return self._hurried_at if self._judged_to < self._hurried_to else None

    @property
    def ready(self) -> Size | None:
        """What it could write at once, if it has anything and may."""
        return self._outlet.ready

    def hurry(self) -> None:
        """Judge now what came."""
        if self._waiting:
            if self.hurried_since is None:
                self._hurried_at = time.monotonic()
            self._hurried_to = self._offered
            self._came.set()

    def wake(self) -> None:
        """A slot may be free."""
        self._outlet.wake()

    def board(self, room: Size) -> Load:
        """Take along what is `ready`, as far as there is room, and at least a piece."""
        return self._outlet.board(room)

    def written_by(self, load: Load, attempt: Attempt, which: int) -> None:
        """The `which`-th batch of the attempt is this load."""
        self._outlet.written_by(load, attempt, which)

    # judging

    async def _judge_all(self) -> None:
        await self._came.wait()
        block = self._waiting.first.value
        self._outlet.present = await self._thread(
            self._shop.writer.take_over, self.partition, block.first, self._tenure.permit
        )
        asked = self._shop.rebuild, self.partition, block.first_timestamp
        window = await self._patiently(*asked, turn=self._shop.rebuilding)
        self._outlet.written = block.first
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
        self._shop.company.join(self.partition, self)
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
            self._outlet.add(due, pending, events)
            self._judged_to = events[-1].value.last

    async def _until_piece(self) -> None:
        """A piece is due by size, or when what waits would else be late."""
        while True:
            self._tenure.check()
            if not self._waiting:
                self._came.clear()
                await self._came.wait()
                continue
            left = self._waiting.due - time.monotonic()
            if self._waiting.fills(self._piece):
                return
            if left <= 0:
                self._shop.company.call()
            if self.hurried_since is not None:
                return
            self._came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), left)

    async def _judge(self, events: Sequence[Delivered], window: Window) -> Pending:
        steps = self._shop.steps
        blocks = [event.value for event in events]
        standing = await self._standing(blocks[0].first, blocks[-1].last)
        async with self._shop.judging:
            raw = await self._thread(RawBatch.of, blocks)
            verdicts = await self._thread(steps.read, raw, standing)
        await self._wait_for_codes(verdicts)
        window.written = self._outlet.written
        judged: Judged = await self._patiently(steps.judge, verdicts, window)
        self._limit.note(judged.verdicts)
        pending: Pending = await self._thread(Pending.of, judged)
        return pending

    async def _standing(self, first: int, last: int) -> Standing | None:
        """Of these offsets what a former attempt wrote; None where it came not so far."""
        present = self._outlet.present
        if not present.reaches(first):
            return None
        asked = self._shop.writer.standing, self.partition, present, first, last
        found: Standing = await self._patiently(*asked)
        return found

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
        self._hurried_to = self._judged_to
        self._shop.stopped(self.partition, error)

    async def _patiently(
        self, call: Callable[..., Any], *args: Any, turn: asyncio.Semaphore | None = None
    ) -> Any:
        """`call`, which may ask ClickHouse, in a thread; again while it is Retryable and the line
        is not lost. Each time in `turn`."""
        away = False
        while True:
            try:
                async with turn or nullcontext():
                    found = await self._thread(call, *args)
            except Retryable as error:
                log.warning("line_waits", partition=self.partition, detail=str(error))
                away = True
                self._shop.writer.away(self.partition)
                self._tenure.check()
                await asyncio.sleep(_ASK_AGAIN_S)
            else:
                if away:  # one that never was may not have asked
                    self._shop.writer.answers(self.partition)
                return found

    async def _thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._shop.threads, call, *args)
