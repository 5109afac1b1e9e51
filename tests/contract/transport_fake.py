"""A broker in memory, and members of its group: a real `BatchConsumer` on a fake thread.

Faust's app is real and not started; only what would talk to Kafka is replaced. Rebalances are
eager, as aiokafka's are: everything is revoked, then dealt anew under the next generation.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from faust.types import TP
from mode import Service

from streams.blocks import Block, Piece
from streams.transport import BatchApp, BatchConsumer, Hooks
from tests.contract.transport_suite import Batch, Cluster, Fate, Member

TOPIC = "fake"
_AT_ONCE = 40  # records of a partition in one fetch
_NOW_MS = 1_795_000_000_000


class FakeCluster(Cluster):
    """Logs, commits and one group, in one event loop."""

    def __init__(self, partitions: int) -> None:
        # an offset is a position in the list; None is a marker, an aborted record or a hole
        self.logs: dict[int, list[bytes | None]] = {p: [] for p in range(partitions)}
        self.commits: dict[int, int] = {}
        self.members: list[FakeMember] = []
        self.generation = 0

    async def publish(self, partition: int, count: int, fate: Fate = "plain") -> list[int]:
        """See `Cluster`."""
        log = self.logs[partition]
        offsets = list(range(len(log), len(log) + count))
        log += [None if fate == "aborted" else b"%d" % offset for offset in offsets]
        if fate != "plain":
            log.append(None)
        return offsets

    def compact(self, partition: int, keep: set[int]) -> None:
        """Leave only these offsets."""
        log = self.logs[partition]
        log[:] = [value if offset in keep else None for offset, value in enumerate(log)]

    async def join(self) -> "FakeMember":
        """See `Cluster`."""
        member = FakeMember(self)
        self.members.append(member)
        await self.rebalance()
        return member

    async def rebalance(self) -> None:
        """Take everything back, and deal it among the members."""
        for member in self.members:
            if member.thread.assigned:
                member.app.on_rebalance_start()
                await member.consumer.on_partitions_revoked(set(member.thread.assigned))
        self.generation += 1
        for number, member in enumerate(self.members):
            dealt = {TP(TOPIC, p) for p in self.logs if p % len(self.members) == number}
            member.thread.assigned = dealt
            member.app.consumer_generation_id = self.generation
            member.app.on_rebalance_start()
            await member.consumer.on_partitions_assigned(dealt, self.generation)

    async def committed(self, partition: int) -> int:
        """See `Cluster`."""
        return self.commits.get(partition, 0)

    async def end(self, partition: int) -> int:
        """See `Cluster`."""
        return len(self.logs[partition])


class _Record(SimpleNamespace):
    """As aiokafka's record batches give it."""

    offset: int


class FakeThread(Service):
    """What `BatchConsumer` asks of its thread; a service, which nobody starts.

    One thing at a time, in the order asked for, as the real thread's queue does it: a fetch
    under way ends before a seek that was asked for later, and its answer is there first.
    """

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__()
        self._one_at_a_time = asyncio.Lock()
        self._cluster = cluster
        self.assigned: set[TP] = set()
        self._position: dict[TP, int] = {}

    def assignment(self) -> set[TP]:
        """The partitions dealt to this member."""
        return self.assigned

    def highwater(self, tp: TP) -> int:
        """The end of a log."""
        return len(self._cluster.logs[tp.partition])

    async def seek_to_committed(self) -> dict[TP, int]:
        """Read on from the commits; where each begins."""
        async with self._one_at_a_time:
            commits = self._cluster.commits
            self._position = {tp: commits.get(tp.partition, 0) for tp in self.assigned}
            return dict(self._position)

    async def commit(self, offsets: dict[TP, int]) -> bool:
        """Only forward, and only of what is assigned: anything else is a defect."""
        async with self._one_at_a_time:
            for tp, offset in offsets.items():
                assert tp in self.assigned
                assert offset > self._cluster.commits.get(tp.partition, 0)
                self._cluster.commits[tp.partition] = offset
        return True

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, Block]:
        """One block a partition, without what nobody may see."""
        async with self._one_at_a_time:
            await asyncio.sleep(0.001)
            return self._fetch(active)

    def _fetch(self, active: set[TP]) -> dict[TP, Block]:
        fetched: dict[TP, Block] = {}
        for tp in sorted(active & self.assigned):
            begin = self._position[tp]
            part = self._cluster.logs[tp.partition][begin : begin + _AT_ONCE]
            self._position[tp] = begin + len(part)
            block = Block(tp.topic, tp.partition)
            records = [
                _Record(offset=offset, timestamp=_NOW_MS, key=b"k", value=value)
                for offset, value in enumerate(part, begin)
                if value is not None
            ]
            block.add(Piece.of_records(records), begin)
            block.next_offset = begin + len(part) if part else 0
            fetched[tp] = block  # the scheduler leaves it out if there was nothing
        return fetched


class FakeConsumer(BatchConsumer):
    """`BatchConsumer` with another thread."""

    fake_thread: FakeThread

    def _new_consumer_thread(self) -> Any:
        return self.fake_thread


class FakeMember(Member):
    """A consumer that is read in a loop, as Faust's fetcher does."""

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__()
        self._cluster = cluster
        self.thread = FakeThread(cluster)
        self.app = BatchApp("fake", hooks=Hooks(_nothing, self._before_revoke, _nothing))
        self.app.finalize()
        self.app._producer = SimpleNamespace(flush=_nothing)  # type: ignore[assignment]

        class Consumer(FakeConsumer):
            fake_thread = self.thread

        self.consumer = Consumer(
            self.app.transport, _nothing, _nothing, self._assigned, loop=asyncio.get_running_loop()
        )
        self._pump = asyncio.create_task(self._read())

    async def leave(self) -> None:
        """See `Member`."""
        await self.consumer.on_partitions_revoked(set(self.thread.assigned))
        await self.stop()
        self._cluster.members.remove(self)
        self.thread.assigned = set()
        if self._cluster.members:
            await self._cluster.rebalance()

    async def stop(self) -> None:
        """Read no more."""
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)

    async def commit(self) -> None:
        """See `Member`."""
        await self.consumer.commit()

    def assigned(self) -> set[int]:
        """See `Member`."""
        return {tp.partition for tp in self.thread.assigned}

    def delivered_and_open(self) -> dict[int, int]:
        """See `Member`."""
        return {tp.partition: d.pending for tp, d in self.consumer._deliveries.items()}

    async def _assigned(self, assigned: set[TP], _generation: int) -> None:
        await self.consumer.perform_seek()
        self.consumer.resume_flow()
        self.app.flow_control.resume()

    async def _before_revoke(self, _revoked: set[TP]) -> None:
        if self.finishes_on_revoke:
            await asyncio.sleep(self.finishes_after_s)
            self.ack_all()

    async def _read(self) -> None:
        while True:
            async for tp, message in self.consumer.getmany(timeout=0.01):
                self.consumer.track_message(message)
                block = cast(Block, message.value)
                offsets = [record.offset for record in block]
                ack = partial(self.consumer.ack, message)
                self.batches.append(Batch(tp.partition, offsets, message.offset, ack))
            await asyncio.sleep(0.001)


async def _nothing(*_: Any) -> None:
    """Nothing to do."""


@asynccontextmanager
async def fake_cluster(partitions: int) -> AsyncIterator[FakeCluster]:
    """A cluster whose members stop with it."""
    cluster = FakeCluster(partitions)
    try:
        yield cluster
    finally:
        for member in cluster.members:
            await member.stop()
