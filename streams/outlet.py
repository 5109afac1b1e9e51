"""What a line has judged, until it is acknowledged.

It waits as rows until it is due and a slot is free, and is then written as one batch together with
other lines', so that the busier the engine is the larger its inserts are. A batch is acknowledged
when its rows read back and the broker has its dead letters and alerts. One batch of a partition is
written at a time; the worker's slots bound how many inserts there are of all.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from streams.blocks import Delivered
from streams.company import Attempt, Load, Member
from streams.pending import Pending
from streams.present import NOTHING
from streams.shop import Finished, Shop
from streams.tenure import Tenure
from streams.waiting import BATCH_BYTES, Size, Waiting


class Outlet:
    """The writing half of a line."""

    def __init__(self, shop: Shop, tenure: Tenure, forget: Callable[[Delivered], None]) -> None:
        self._shop = shop
        self._tenure = tenure
        self._forget = forget
        self._waiting: Waiting[tuple[Pending, Sequence[Delivered]]] = Waiting()
        self._full = Size(shop.flush_records, BATCH_BYTES)
        self._news = asyncio.Event()  # something to write, written along, or a reason to stop
        self._write: asyncio.Task[None] | None = None
        self.present = NOTHING  # offsets that the tables had when the partition was taken over
        self.written = 0  # whatever lies before this offset is in the tables

    @property
    def records(self) -> int:
        """Judged and not yet being written."""
        return self._waiting.records

    @property
    def bytes(self) -> int:
        """Of the rows and letters of those."""
        return self._waiting.bytes

    @property
    def in_flight(self) -> int:
        """Batches being written."""
        return int(self._write is not None)

    @property
    def ready(self) -> Size | None:
        """What could be written at once."""
        if self._write is not None or self._tenure.leaving or not self._waiting:
            return None
        waits = Size(self._waiting.records, self._waiting.bytes)
        return Size(*map(min, zip(waits, self._full, strict=True)))

    def add(self, due: float, pending: Pending, events: Sequence[Delivered]) -> None:
        """What was judged next; `due` in monotonic seconds."""
        self._waiting.add(due, Size(len(pending), pending.bytes), (pending, events))
        self._news.set()
        slots, company = self._shop.slots, self._shop.company
        if slots.unanswered and slots.free(company.waits):
            company.wake()  # with this there is a backlog, whoever waits for a slot

    def wake(self) -> None:
        """A slot may be free, or nothing more may begin."""
        self._news.set()

    async def leave(self, timeout_s: float) -> None:
        """Wait for what is in flight; the tenure is being left, so nothing more begins."""
        self.wake()
        if self._write is not None:
            await asyncio.wait([self._write], timeout=timeout_s)

    async def run(self, member: Member) -> None:
        """Until cancelled; `member` is the line.

        Raises NotOurs when the partition is left, and what is Fatal.
        """
        while True:
            await self._until_written()
            await self._until_due()
            if not self.in_flight:
                await self._set_off(member)

    async def _set_off(self, member: Member) -> None:
        slots, company = self._shop.slots, self._shop.company
        if not slots.large(company.waits.records):
            await company.gathered()
        while not self.in_flight and not slots.free(company.waits):
            self._tenure.check()
            self._news.clear()
            await self._news.wait()
        self._tenure.check()
        if self.ready is None:
            return  # it went while this one waited
        try:
            with slots.take(company.waits) as slot:
                await asyncio.wait([company.depart(member)])
                slot.answered()
                company.wake()
                await self._until_written()
        finally:
            company.wake()
        await asyncio.sleep(0)  # those who waited for the slot come before this one's next

    async def _until_written(self) -> None:
        if self._write is not None:
            # whoever leaves waits for it, whatever becomes of this task
            await asyncio.shield(self._write)
            self._write = None

    def board(self, room: Size) -> Load:
        """Take along what is ready, as far as there is room, and at least a piece."""
        _, taken = self._waiting.take(Size(*map(min, zip(room, self._full, strict=True))))
        pieces = [pending for pending, _ in taken]
        events = [event for _, some in taken for event in some]
        return Load(pieces, events, self.present.offsets, self._tenure.permit)

    def written_by(self, load: Load, attempt: Attempt, which: int) -> None:
        """The `which`-th batch of the attempt is this load."""
        self._write = asyncio.create_task(self._finish(load.events, attempt, which))
        self._write.add_done_callback(_seen)
        self.wake()

    async def _until_due(self) -> None:
        """A batch is due by size, by the age of its oldest part, or when the engine is idle."""
        while self._write is None:
            self._tenure.check()
            left = None
            if self._waiting:
                left = self._waiting.due - time.monotonic()
                full = self._waiting.fills(self._full)
                if (
                    left <= 0
                    or full
                    or self._shop.slots.worth_one(self._shop.company.waits.records)
                ):
                    return
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)

    async def _finish(self, events: Sequence[Delivered], attempt: Attempt, which: int) -> None:
        outcomes = await asyncio.shield(attempt)
        pending, batch, written = outcomes[which]
        del attempt, outcomes  # the others' rows go when the others are done
        rows, present = batch.rows, batch.present
        if written is None:
            loop, settle = asyncio.get_running_loop(), self._shop.writer.settle
            async with self._shop.slots.settling:
                written = await loop.run_in_executor(self._shop.threads, settle, batch)
        self.written = rows.last + 1
        await self._shop.follow_up(pending)
        for event in events:
            event.ack()
            self._forget(event)
        if len(present) and rows.last >= present[-1]:
            self.present = NOTHING
        reread = int(np.count_nonzero((present >= rows.first) & (present <= rows.last)))
        self._shop.done(Finished(pending, written, reread))


def _seen(write: asyncio.Task[None]) -> None:
    """Its line may be gone; if not, it meets the same exception."""
    if not write.cancelled():
        write.exception()
