"""`streams/transport.py` on a broker in memory: the suite, and what only a fake can show fast."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from faust.types import TP

from tests.contract.transport_fake import TOPIC, FakeCluster, fake_cluster
from tests.contract.transport_suite import Cluster, TransportSuite, scenario, until


class TestOnAFake(TransportSuite):
    """The whole suite in memory."""

    def cluster(self, partitions: int) -> AbstractAsyncContextManager[Any]:
        """See `TransportSuite`."""
        return fake_cluster(partitions)

    @scenario(partitions=1)
    async def test_what_compaction_took_is_no_gap(self, cluster: Cluster) -> None:
        assert isinstance(cluster, FakeCluster)
        offsets = await cluster.publish(0, 200)
        kept = {o for o in offsets if o % 7 == 3 or o in (0, 199)}
        cluster.compact(0, kept)
        member = await cluster.join()
        await member.has({0: sorted(kept)})
        member.ack_all()
        await member.commit()
        assert await cluster.committed(0) == 200
        assert member.offsets(0) == sorted(kept)
        await member.leave()

    @scenario(partitions=1)
    async def test_a_poll_of_nothing_but_holes_moves_the_commit(self, cluster: Cluster) -> None:
        assert isinstance(cluster, FakeCluster)
        await cluster.publish(0, 300, "aborted")
        last = await cluster.publish(0, 1)
        member = await cluster.join()
        await member.has({0: last})
        assert [batch.offsets for batch in member.batches if batch.offsets] == [last]
        member.ack_all()
        await member.commit()
        assert await cluster.committed(0) == await cluster.end(0)
        await member.leave()

    @scenario(partitions=2)
    async def test_what_is_revoked_is_forgotten_at_once(self, cluster: Cluster) -> None:
        assert isinstance(cluster, FakeCluster)
        wanted = {p: await cluster.publish(p, 10) for p in (0, 1)}
        member = await cluster.join()
        await member.has(wanted)
        consumer = cluster.members[0].consumer
        await consumer.on_partitions_revoked({TP(TOPIC, 0)})
        assert set(member.delivered_and_open()) == {1}
        [late] = [batch for batch in member.batches if batch.partition == 0]
        late.ack()
        await consumer.commit()
        assert await cluster.committed(0) == 0

    @scenario(partitions=1)
    async def test_a_seek_forgets_what_was_delivered_before_it(self, cluster: Cluster) -> None:
        assert isinstance(cluster, FakeCluster)
        offsets = await cluster.publish(0, 120)
        member = await cluster.join()
        await member.has({0: offsets})
        before = len(member.batches)
        await cluster.members[0].consumer.perform_seek()
        assert member.delivered_and_open().get(0, 0) <= 1, "at most what came since"
        await until(
            lambda: {o for b in member.batches[before:] for o in b.offsets} == set(offsets),
            "everything to be delivered again",
        )
        for batch in member.batches[before:-1]:
            batch.ack()
        await member.commit()
        assert await cluster.committed(0) == member.batches[-1].offsets[0]
        member.batches[-1].ack()
        await member.commit()
        assert await cluster.committed(0) == 120
        await member.leave()
