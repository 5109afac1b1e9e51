"""What the lines of one worker share, and what goes into a line and comes out of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from streams.company import Company
from streams.pending import Pending
from streams.rejectlimit import RejectLimit, TooManyRejects
from streams.steps import Steps
from streams.waiting import BATCH_BYTES, Size
from streams.window import Window
from streams.write import Writer, Written

_WORTHWHILE: Final = 40_000
_REBUILDS: Final = 2  # one is read while of another what was read is remembered


class Slots:
    """Bounds a worker's inserts at a time.

    An insert of a few rows costs the engine nearly what one of many does, and two side by side take
    each other's time: what came while one is under way waits for it and goes together. Only while
    so much waits that it is a backlog, half of what one insert may hold, do several keep the
    engine busy, one being read back while others are written.

    A slot is taken until the partition that set the insert off has its batch acknowledged; but
    what is settled, or told of, after the engine's answer holds no other insert up. Of each
    partition one batch is under way at a time: that bounds memory.
    """

    def __init__(self, most: int, flush_records: int) -> None:
        self._most = most
        self._backlog = Size(flush_records // 2, BATCH_BYTES // 2)
        self.taken = 0
        self.unanswered = 0
        self.settling = asyncio.Semaphore(most)  # batches that are settled at a time

    @staticmethod
    def large(rows: int) -> bool:
        """Whether so many rows are worth an insert."""
        return rows >= _WORTHWHILE

    def worth_one(self, rows: int) -> bool:
        """Whether so many rows need not wait for more: while the engine has nothing to do."""
        return not self.unanswered and self.large(rows)

    def free(self, waits: Size) -> bool:
        """Whether there is one while so much waits."""
        backlog = waits.records >= self._backlog.records or waits.bytes >= self._backlog.bytes
        return self.taken < self._most and (backlog or not self.unanswered)

    @contextmanager
    def take(self, waits: Size) -> Iterator["Slot"]:
        """One that is free for so much."""
        assert self.free(waits)
        slot = Slot(self)
        try:
            yield slot
        finally:
            slot.answered()
            self.taken -= 1


class Slot:
    """One insert, until what is in it is acknowledged."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._unanswered = 1
        slots.taken += 1
        slots.unanswered += 1

    def answered(self) -> None:
        """The engine has written it, or not; saying so again changes nothing."""
        self._slots.unanswered -= self._unanswered
        self._unanswered = 0


@dataclass(frozen=True)
class Shop:
    """What the lines of one worker share."""

    steps: Steps
    writer: Writer
    threads: Executor
    slots: Slots
    judging: asyncio.Lock  # threads that judge side by side only fight for the interpreter
    recalling: asyncio.Lock  # one line at a time remembers what is older
    rebuild: Callable[[int, int], Window]  # a partition's duplicate window, as of a broker's time
    remember: Callable[[int, Window, int], bool]  # older ids; whether there are more
    follow_up: Callable[[Pending], Awaitable[None]]  # dead letters and alerts
    done: Callable[["Finished"], None]  # metrics
    stopped: Callable[[int, TooManyRejects], None]  # a partition's limit on rejects was passed
    limit: Callable[[], RejectLimit]
    flush_records: int
    flush_s: float
    code_wait_s: float
    surely_ours_s: Callable[[], float]  # seconds this worker's assignment surely still holds
    # windows that are rebuilt at a time: all at once would each take as long as all together, and
    # a question that takes too long begins anew
    rebuilding: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_REBUILDS))

    @cached_property
    def company(self) -> Company:
        """The lines, where they write together."""
        return Company(self.writer, self.threads, Size(self.flush_records, BATCH_BYTES))


@dataclass(frozen=True)
class Finished:
    """One acknowledged batch."""

    pending: Pending
    written: Written
    reread: int
