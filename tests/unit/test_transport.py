"""Commits follow the order of delivery, whatever the offsets."""

import ast
import asyncio
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from faust.exceptions import ImproperlyConfigured
from faust.types import TP

from streams.blocks import Block
from streams.heartbeat import HeartbeatClock
from streams.transport import (
    BatchApp,
    BatchConsumer,
    BatchConsumerThread,
    Deliveries,
    Hooks,
    WholePartitions,
)

ROOT = Path(__file__).parents[2]


def test_commits_only_what_is_done_in_a_row() -> None:
    deliveries = Deliveries()
    for last in (9, 19, 29):
        deliveries.deliver(last)
    deliveries.ack(19)
    assert deliveries.committable() is None
    deliveries.ack(9)
    assert deliveries.committable() == 20
    assert deliveries.committable() is None
    deliveries.ack(29)
    assert deliveries.committable() == 30


def test_holes_in_the_offsets_do_not_stop_commits() -> None:
    # transaction markers and compacted records are offsets that nobody delivers
    deliveries = Deliveries()
    deliveries.deliver(301)
    deliveries.deliver(503)
    deliveries.ack(301)
    deliveries.ack(503)
    assert deliveries.committable() == 504


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_acks_ends_at_the_end(seed: int) -> None:
    rng = random.Random(seed)
    lasts = sorted(rng.sample(range(10_000), 60))
    deliveries = Deliveries()
    for last in lasts:
        deliveries.deliver(last)
    committed = -1
    acked: set[int] = set()
    for last in rng.sample(lasts, len(lasts)):
        deliveries.ack(last)
        acked.add(last)
        offset = deliveries.committable()
        if offset is not None:
            assert offset > committed
            committed = offset
            assert all(x in acked for x in lasts if x < committed)
    assert committed == lasts[-1] + 1
    assert deliveries.pending == 0


def test_a_partition_is_one_message() -> None:
    blocks = {tp: Block(tp.topic, tp.partition) for tp in (TP("t", 0), TP("t", 1), TP("u", 0))}
    blocks[TP("t", 0)].next_offset = 2
    blocks[TP("u", 0)].next_offset = 9
    found = list(WholePartitions().iterate(blocks))
    assert found == [(TP("t", 0), blocks[TP("t", 0)]), (TP("u", 0), blocks[TP("u", 0)])]


def test_only_an_answered_heartbeat_counts() -> None:
    class Coordinator:
        good = False

        async def _do_heartbeat(self) -> bool:
            return self.good

    coordinator = Coordinator()
    clock = HeartbeatClock()
    clock.last_good -= 100
    clock.watch(coordinator)
    asyncio.run(coordinator._do_heartbeat())
    assert clock.age() > 99
    coordinator.good = True
    asyncio.run(coordinator._do_heartbeat())
    assert clock.age() < 5


def _imported(module: str, seen: set[str]) -> set[str]:
    """Top-level packages that a module of `streams` imports, and its own modules' too."""
    if module in seen:
        return set()
    seen.add(module)
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            package = ROOT.joinpath(*node.module.split(".")).is_dir()
            names |= {f"{node.module}.{a.name}" for a in node.names} if package else {node.module}
    found: set[str] = set()
    for name in names:
        found |= _imported(name, seen) if name.startswith("streams.") else {name.split(".")[0]}
    return found


def test_it_could_be_proposed_upstream_as_it_is() -> None:
    modules: set[str] = set()
    packages = _imported("streams.transport", modules)
    assert packages - set(sys.stdlib_module_names) == {
        "faust", "mode", "aiokafka", "numpy", "numba", "cramjam", "pyarrow",
    }  # fmt: skip
    assert modules == {
        "streams.transport", "streams.heartbeat", "streams.fetched", "streams.blocks", "streams.texts",
        "streams.kernels.records", "streams.kernels.compiled", "streams.marks",
        "streams.waiting", "streams.unfold", "streams.unpack",
    }, "nothing of truyvet comes along"  # fmt: skip


def test_what_was_not_committed_is_not_read() -> None:
    async def made() -> Any:
        app = BatchApp("unit", hooks=Hooks(_nothing, _nothing, _nothing), web_enabled=False)
        app.finalize()
        consumer = BatchConsumer(app.transport, _nothing, _nothing, _nothing)
        thread = BatchConsumerThread(consumer, beacon=consumer.beacon)
        return thread._create_worker_consumer(app.transport)

    assert asyncio.run(made())._isolation_level == "read_committed"


def test_a_paused_partition_stays_paused_when_its_buffer_is_taken() -> None:
    async def made() -> Any:
        app = BatchApp("unit", hooks=Hooks(_nothing, _nothing, _nothing), web_enabled=False)
        return BatchConsumer(app.transport, _nothing, _nothing, _nothing)

    consumer = asyncio.run(made())
    paused, other = TP("t", 0), TP("t", 1)
    consumer._set_active_tps({paused, other})
    consumer.on_buffer_full(paused)
    consumer.on_buffer_full(other)
    consumer.pause_partitions({paused})
    consumer.on_buffer_drop(paused)
    consumer.on_buffer_drop(other)
    assert consumer._get_active_partitions() == {other}
    assert not consumer._buffered_partitions
    consumer.resume_partitions({paused})
    assert consumer._get_active_partitions() == {paused, other}


async def _nothing(*_: Any) -> None:
    """Nothing to do."""


def test_what_batches_cannot_carry_is_refused() -> None:
    async def nothing(*_: object) -> None: ...

    hooks = Hooks(nothing, nothing, nothing)
    with pytest.raises(ImproperlyConfigured, match="transactions"):
        BatchApp("unit", hooks=hooks, processing_guarantee="exactly_once")
    app = BatchApp("unit", hooks=hooks, web_enabled=False)
    for table in (app.Table, app.GlobalTable, app.SetTable, app.SetGlobalTable):
        with pytest.raises(ImproperlyConfigured, match="tables"):
            table("visits")
