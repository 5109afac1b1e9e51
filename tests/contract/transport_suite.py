"""What `streams/transport.py` promises, as one suite for a fake broker and a real one.

A `Cluster` is a topic of its own with a consumer group; a `Member` is a consumer of that group
which takes batches and acknowledges nothing by itself.
"""

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, NamedTuple

# records alone, in a transaction (a marker behind them), or in one that is aborted
Fate = Literal["plain", "transaction", "aborted"]
PATIENCE_S = 30.0


class Batch(NamedTuple):
    """One message as an agent sees it; `ack` says whether it still counts."""

    partition: int
    offsets: list[int]
    message_offset: int
    ack: Callable[[], bool]


class Member(ABC):
    """One consumer of the group."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.finishes_on_revoke = False  # acknowledges all it has before it hands over
        self.finishes_after_s = 0.0  # and takes so long for it

    @abstractmethod
    async def leave(self) -> None:
        """Leave the group, committing what is acknowledged."""

    @abstractmethod
    async def commit(self) -> None:
        """Commit now what may be committed."""

    @abstractmethod
    def assigned(self) -> set[int]:
        """Its partitions now."""

    @abstractmethod
    def delivered_and_open(self) -> dict[int, int]:
        """By partition, batches that the transport remembers as delivered and not committed."""

    def offsets(self, partition: int) -> list[int]:
        """All offsets delivered of a partition, in the order they came."""
        return [o for b in self.batches if b.partition == partition for o in b.offsets]

    def ack_all(self) -> None:
        """Acknowledge every batch so far."""
        for batch in self.batches:
            batch.ack()

    async def has(self, wanted: dict[int, list[int]]) -> None:
        """Wait until these offsets have come, by partition; nothing else may have."""

        def all_there() -> bool:
            return all(set(w) <= set(self.offsets(p)) for p, w in wanted.items())

        await until(all_there, f"{wanted} to be delivered")


class Cluster(ABC):
    """A topic with a group."""

    @abstractmethod
    async def publish(self, partition: int, count: int, fate: Fate = "plain") -> list[int]:
        """The offsets of so many records, acknowledged by the broker."""

    @abstractmethod
    async def join(self) -> Member:
        """A new member, once it has its partitions."""

    @abstractmethod
    async def committed(self, partition: int) -> int:
        """The group's committed offset; 0 if there is none."""

    @abstractmethod
    async def end(self, partition: int) -> int:
        """The offset after the partition's last record or marker."""


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it; an AssertionError that says what did not come."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {PATIENCE_S} s for {what}"
        await asyncio.sleep(0.02)


Scenario = Callable[[Any, Cluster], Awaitable[None]]


def scenario(partitions: int) -> Callable[[Scenario], Callable[[Any], None]]:
    """A test that gets a fresh cluster."""

    def decorate(test: Scenario) -> Callable[[Any], None]:
        @functools.wraps(test)
        def run(self: Any) -> None:
            async def main() -> None:
                async with self.cluster(partitions) as cluster:
                    await test(self, cluster)

            asyncio.run(main())

        # pytest must not take the cluster for a fixture
        del run.__wrapped__
        return run

    return decorate


class TransportSuite:
    """Subclasses say which cluster."""

    def cluster(self, partitions: int) -> AbstractAsyncContextManager[Any]:
        """A fresh topic and group."""
        raise AssertionError("a subclass gives the cluster")

    @scenario(partitions=2)
    async def test_a_message_is_a_partitions_batch(self, cluster: Cluster) -> None:
        wanted = {0: await cluster.publish(0, 500), 1: await cluster.publish(1, 300)}
        member = await cluster.join()
        await member.has(wanted)
        for partition, offsets in wanted.items():
            assert member.offsets(partition) == offsets, "each once, in order"
        for batch in member.batches:
            assert batch.message_offset == batch.offsets[-1]
        assert len(member.batches) < 80, "batches, not records"
        await member.leave()

    @scenario(partitions=1)
    async def test_a_commit_follows_the_order_of_delivery(self, cluster: Cluster) -> None:
        first = await cluster.publish(0, 30)
        member = await cluster.join()
        await member.has({0: first})
        early = list(member.batches)
        second = await cluster.publish(0, 20)
        await member.has({0: second})
        late = member.batches[len(early) :]
        for batch in late:
            assert batch.ack()
        await member.commit()
        assert await cluster.committed(0) == 0, "what was delivered before is not done"
        for batch in reversed(early):
            assert batch.ack()
        await member.commit()
        assert await cluster.committed(0) == second[-1] + 1
        await member.leave()

    @scenario(partitions=1)
    async def test_an_acknowledgement_counts_once(self, cluster: Cluster) -> None:
        offsets = await cluster.publish(0, 10)
        member = await cluster.join()
        await member.has({0: offsets})
        assert [batch.ack() for batch in member.batches] == [True] * len(member.batches)
        assert not any(batch.ack() for batch in member.batches)
        await member.leave()

    @scenario(partitions=1)
    async def test_markers_and_aborted_records_are_holes(self, cluster: Cluster) -> None:
        committed = await cluster.publish(0, 40, "transaction")
        aborted = await cluster.publish(0, 25, "aborted")
        committed += await cluster.publish(0, 40, "transaction")
        aborted += await cluster.publish(0, 25, "aborted")
        member = await cluster.join()
        await member.has({0: committed})
        # the commit passes what is aborted at the very end, though no record comes behind it
        await self._committed_to_the_end(member, cluster)
        committed += await cluster.publish(0, 5)
        await member.has({0: committed})
        member.ack_all()
        await member.commit()
        assert await cluster.committed(0) == await cluster.end(0)
        assert member.offsets(0) == committed
        assert not set(member.offsets(0)) & set(aborted), "what was aborted never happened"
        await member.leave()

    async def _committed_to_the_end(self, member: Member, cluster: Cluster) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await cluster.committed(0) != await cluster.end(0):
                member.ack_all()
                await member.commit()
                await asyncio.sleep(0.05)

    @scenario(partitions=1)
    async def test_a_restart_goes_on_at_the_commit(self, cluster: Cluster) -> None:
        done = await cluster.publish(0, 50)
        member = await cluster.join()
        await member.has({0: done})
        member.ack_all()
        open_ = await cluster.publish(0, 30)
        await member.has({0: open_})
        await member.leave()
        assert await cluster.committed(0) == done[-1] + 1
        again = await cluster.join()
        await again.has({0: open_})
        assert again.offsets(0) == open_, "what was acknowledged does not come again"
        again.ack_all()
        await again.leave()
        assert await cluster.committed(0) == await cluster.end(0)

    @scenario(partitions=2)
    async def test_an_earlier_generations_acknowledgement_is_dropped(
        self, cluster: Cluster
    ) -> None:
        wanted = {p: await cluster.publish(p, 40) for p in (0, 1)}
        one = await cluster.join()
        await one.has(wanted)
        before = list(one.batches)
        two = await cluster.join()
        await until(lambda: len(one.assigned()) == 1, "the first to hand one over")
        # while the group moved, `one` may already have been given its own again
        assert not any(batch.ack() for batch in before)
        await one.commit()
        assert [await cluster.committed(p) for p in (0, 1)] == [0, 0]

        def again() -> bool:
            anew = one.batches[len(before) :] + two.batches
            return all(
                set(w) <= {o for b in anew if b.partition == p for o in b.offsets}
                for p, w in wanted.items()
            )

        await until(again, "the records to be delivered again")
        for member in (one, two):
            member.ack_all()
            await member.commit()
        for partition in (0, 1):
            assert await cluster.committed(partition) == await cluster.end(partition)
        await one.leave()
        await two.leave()

    @scenario(partitions=2)
    async def test_what_was_delivered_is_forgotten_on_revoke(self, cluster: Cluster) -> None:
        wanted = {p: await cluster.publish(p, 40) for p in (0, 1)}
        one = await cluster.join()
        await one.has(wanted)
        assert set(one.delivered_and_open()) == {0, 1}
        two = await cluster.join()
        await until(lambda: len(one.assigned()) == 1, "the first to hand one over")
        assert set(one.delivered_and_open()) <= one.assigned()
        await two.leave()
        await one.leave()

    @scenario(partitions=2)
    async def test_what_is_finished_before_a_hand_over_is_not_done_again(
        self, cluster: Cluster
    ) -> None:
        await self._handed_over(cluster, after_s=0.0)

    @scenario(partitions=2)
    async def test_what_is_finished_while_a_fetch_ends_is_not_done_again_either(
        self, cluster: Cluster
    ) -> None:
        await self._handed_over(cluster, after_s=1.5)

    async def _handed_over(self, cluster: Cluster, after_s: float) -> None:
        wanted = {p: await cluster.publish(p, 40) for p in (0, 1)}
        one = await cluster.join()
        await one.has(wanted)
        one.finishes_on_revoke, one.finishes_after_s = True, after_s
        two = await cluster.join()
        await until(lambda: bool(two.assigned()), "the second to have its share")
        for partition, offsets in wanted.items():
            assert await cluster.committed(partition) == offsets[-1] + 1
        fresh = {p: await cluster.publish(p, 5) for p in (0, 1)}
        [its] = two.assigned()
        await two.has({its: fresh[its]})
        assert two.offsets(its) == fresh[its], "nothing came twice"
        await two.leave()
        await one.leave()

    # Faust deals at most ceil(partitions / members) to each: 4 among 3 would leave one idle
    @scenario(partitions=6)
    async def test_members_come_and_go_and_nothing_is_lost(self, cluster: Cluster) -> None:
        wanted: dict[int, list[int]] = {p: [] for p in range(6)}
        done: dict[int, set[int]] = {p: set() for p in range(6)}

        async def publish() -> None:
            for partition in wanted:
                wanted[partition] += await cluster.publish(partition, 25)

        def acknowledge(*members: Member) -> None:
            for member in members:
                for batch in member.batches:
                    if batch.ack():
                        done[batch.partition] |= set(batch.offsets)

        await publish()
        one = await cluster.join()
        await publish()
        two = await cluster.join()
        acknowledge(one, two)
        await publish()
        three = await cluster.join()
        acknowledge(one, two, three)
        await one.leave()
        await publish()
        acknowledge(two, three)
        await two.leave()
        await publish()

        # an acknowledged batch behind an open one is delivered again: until all is committed
        for _ in range(int(PATIENCE_S / 0.05)):
            acknowledge(three)
            await three.commit()
            if all([await cluster.committed(p) == await cluster.end(p) for p in wanted]):
                break
            await asyncio.sleep(0.05)
        for partition, offsets in wanted.items():
            assert await cluster.committed(partition) == await cluster.end(partition)
            assert done[partition] == set(offsets), "every record was done by somebody"
        await three.leave()
