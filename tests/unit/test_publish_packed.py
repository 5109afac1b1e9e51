"""Lines that publish side by side hand their record batches over one at a time."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from schemas.settings import load_settings
from streams.packed import Packed
from streams.publish import Publisher


class Producer:
    """Stands for aiokafka's, whose patience shrinks while several wait to add a batch."""

    def __init__(self) -> None:
        self.adding = self.most = 0
        self.lanes: list[int] = []

    async def partitions_for(self, topic: str) -> set[int]:
        return {0}

    async def send_batch(self, batch: Any, topic: str, partition: int) -> Any:
        self.adding += 1
        self.most = max(self.most, self.adding)
        await asyncio.sleep(0)
        self.adding -= 1
        self.lanes.append(batch.record_count())
        acknowledged = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged

    async def flush(self) -> None:
        pass


def test_batches_of_several_lines_are_added_one_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        publisher, producer = Publisher(load_settings(tmp_path)), Producer()
        publisher._producer = producer
        nothing = np.zeros(1, np.uint8)
        lines = [
            [Packed.of("t", lane, nothing, 10 * lane + k) for k in range(3)] for lane in (1, 2)
        ]
        await asyncio.gather(*(publisher.send(line) for line in lines))
        assert producer.most == 1
        for lane in (1, 2):  # each line's in its order
            assert [n for n in producer.lanes if n // 10 == lane] == [
                10 * lane + k for k in range(3)
            ]

    asyncio.run(main())
