"""What the lines of one worker share, and what goes into a line and comes out of it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from streams.blocks import Block
from streams.pending import Pending
from streams.rejectlimit import RejectLimit, TooManyRejects
from streams.steps import Steps
from streams.window import Window
from streams.write import Writer, Written


class Delivered(Protocol):
    """A block as Faust hands it over: its records, and the way to acknowledge it."""

    value: Block

    def ack(self) -> Any:
        """Mark it as done."""


class Slots:
    """Bounds batches being written by all lines: `async with` takes one."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self.taken = 0

    async def __aenter__(self) -> None:
        await self._free.acquire()
        self.taken += 1

    async def __aexit__(self, *_: object) -> None:
        self.taken -= 1
        self._free.release()


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


@dataclass(frozen=True)
class Finished:
    """One acknowledged batch."""

    pending: Pending
    written: Written
    reread: int
