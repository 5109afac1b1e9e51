"""What may wait in all partitions of a worker together is bounded."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.pipeline import _ROOM_BYTES, _ROOM_RAW, Pipeline

FLUSH = 250_000


class Lines:
    """Stands for lines that take in and never finish anything."""

    def __init__(self) -> None:
        self.offered: list[Any] = []
        self.raw_records = self.judged_records = self.bytes = 0

    def __call__(self, *_: Any) -> "Lines":
        return self

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def leave(self, _timeout_s: float) -> None:
        self.raw_records = self.judged_records = self.bytes = 0

    def offer(self, event: Any) -> None:
        self.offered.append(event)
        self.raw_records += event.records
        self.bytes += event.bytes


def event(records: int, size: int = 0) -> Any:
    return SimpleNamespace(records=records, bytes=size)


async def waits(pipeline: Pipeline, one: Any, current: Any = lambda: True) -> bool:
    """Whether it is not taken in within a moment."""
    try:
        await asyncio.wait_for(pipeline.submit(0, one, current), 0.1)
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize(
    ("one", "most"),
    [(event(20_000), _ROOM_RAW // 20_000 + 1), (event(1, 16 << 20), _ROOM_BYTES // (16 << 20) + 1)],
)
def test_more_is_taken_in_only_while_there_is_room(
    monkeypatch: pytest.MonkeyPatch, one: Any, most: int
) -> None:
    lines = Lines()
    monkeypatch.setattr("streams.pipeline.Line", lines)

    async def play() -> None:
        shop: Any = SimpleNamespace(flush_records=FLUSH)
        pipeline = Pipeline(shop, lambda error: None, lambda: None)
        while not await waits(pipeline, one):
            assert len(lines.offered) <= most
        assert len(lines.offered) == most
        lines.raw_records = lines.bytes = 0
        assert not await waits(pipeline, one), "what was written makes room"
        lines.judged_records = 2 * FLUSH + 1
        assert await waits(pipeline, one), "what is judged waits, too"
        taken = len(lines.offered)
        assert not await waits(pipeline, one, lambda: False)
        assert len(lines.offered) == taken, "of an assignment that has ended nothing is taken"
        await pipeline.leave([0], 1.0)

    asyncio.run(play())
