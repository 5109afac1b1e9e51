"""All partitions of a worker: hands batches to their lines and holds the stream back."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from streams.blocks import Delivered
from streams.line import PIECE, Line
from streams.shop import Shop
from streams.waiting import BATCH_BYTES

log = structlog.get_logger()

# What may wait in all lines together bounds what a backlog can cost in memory: records as they
# came, some 300 bytes each, and judged ones, some 150, as a multiple of a full batch.
_ROOM_RAW = 6 * PIECE
_ROOM_BYTES = 2 * BATCH_BYTES  # where records are large
_ROOM_IN_BATCHES = 2  # 4 cost 230 MB more and gained nothing (docs/bench-live.md)


class Pipeline:
    """The lines of the partitions this worker has now."""

    def __init__(
        self, shop: Shop, stop: Callable[[BaseException], None], began: Callable[[], None]
    ) -> None:
        self._shop = shop
        self._began = began
        self._stop = stop
        self._lines: dict[int, tuple[Line, asyncio.Task[None]]] = {}
        self._room = _ROOM_IN_BATCHES * shop.flush_records
        self._closed = False

    def close(self) -> None:
        """Take no more batches."""
        self._closed = True

    async def submit(self, partition: int, event: Delivered, current: Callable[[], bool]) -> None:
        """Give a batch to its line; waits while too many records wait already.

        A batch that stops being `current` while it waits belongs to an assignment that has
        ended: it is left, and read again by whoever has the partition now.
        """
        while self._full() and current():  # noqa: ASYNC110 (many lines make room, at any time)
            await asyncio.sleep(0.01)
        if self._closed or not current():
            return
        # nothing is awaited from here on, so that no partition can be handed over in between
        if partition not in self._lines:
            line = Line(partition, self._shop)
            task = asyncio.create_task(line.run(), name=f"partition-{partition}")
            task.add_done_callback(self._ended)
            self._lines[partition] = (line, task)
        self._began()
        self._lines[partition][0].offer(event)

    def _full(self) -> bool:
        lines = self.lines()
        return (
            sum(line.raw_records for line in lines) > _ROOM_RAW
            or sum(line.judged_records for line in lines) > self._room
            or sum(line.bytes for line in lines) > _ROOM_BYTES
        )

    def lines(self) -> list[Line]:
        """The lines, for the metrics."""
        return [line for line, _ in self._lines.values()]

    async def leave(self, partitions: Iterable[int], timeout_s: float) -> None:
        """Finish what is in flight in these partitions and forget them."""
        leaving = [self._lines.pop(p) for p in partitions if p in self._lines]
        await asyncio.gather(*(line.leave(timeout_s) for line, _ in leaving))
        for _, task in leaving:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._stop(error)
