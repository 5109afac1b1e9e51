"""The embedded broker itself: fetched, started, killed, stopped; and the detached supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded import kafka
from deploy.embedded.ports import is_free
from deploy.embedded.stack import Stack, StackError, StackOptions, start_detached, status, stop

TOPIC = "try.v1"
KAFKA = frozenset({"kafka"})


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def create_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(bootstrap: str, values: list[bytes]) -> list[int]:
    """Idempotent and acknowledged; returns the broker's timestamps, for all were sent as 1970's."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        sent = [await producer.send(TOPIC, value, timestamp_ms=1, partition=0) for value in values]
        records = await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return [record.timestamp for record in records]


async def consume(bootstrap: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        partition = TopicPartition(TOPIC, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while len(values) < end:
            fetched = await consumer.getmany(partition, timeout_ms=1_000)
            values += [record.value for records in fetched.values() for record in records]
        return values
    finally:
        await consumer.stop()


async def join_group(bootstrap: str) -> int:
    """Through the group coordinator: subscribe, read one, commit."""
    consumer = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=bootstrap, group_id="g", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 30)
        await consumer.commit()
        return int(record.offset)
    finally:
        await consumer.stop()


def test_fetch_is_whole_as_locked_and_only_once() -> None:
    home = kafka.ensure()
    assert kafka.verify(home) == ()
    began = time.monotonic()
    assert kafka.ensure() == home
    assert time.monotonic() - began < 0.5


def test_what_was_acknowledged_survives_sigkill_restart_and_new_ports(tmp_path: Path) -> None:
    before = [b"before %d" % number for number in range(1_000)]
    after = [b"after %d" % number for number in range(10)]
    with Stack(StackOptions(tmp_path, services=KAFKA)) as stack:
        bootstrap = stack.env["TRUYVET_KAFKA_BOOTSTRAP"]
        asyncio.run(create_topic(bootstrap))
        stamps = asyncio.run(produce(bootstrap, before))
        assert abs(min(stamps) / 1000 - time.time()) < 60, "the broker's clock, not the producer's"
        assert asyncio.run(join_group(bootstrap)) == 0
        killed = stack.kill("kafka", signal.SIGKILL)
        stack.wait_ready("kafka", timeout_s=60)
        assert not alive(killed)
        assert asyncio.run(consume(bootstrap)) == before
        assert asyncio.run(join_group(bootstrap)) == 1
        asyncio.run(produce(bootstrap, after))
        broker = stack.status().service("kafka")
        assert broker is not None
        assert broker.restarts == 1
        assert broker.pid is not None
        with pytest.raises(StackError, match=f"process {os.getpid()}"):
            Stack(StackOptions(tmp_path, services=KAFKA)).start()
    assert not alive(broker.pid)
    assert all(is_free(port) for port in stack.ports.values())

    (tmp_path / "run" / "ports.json").unlink()
    host, port = bootstrap.split(":")
    with (
        socket.create_server((host, int(port))),
        Stack(StackOptions(tmp_path, services=KAFKA)) as stack,
    ):
        assert stack.env["TRUYVET_KAFKA_BOOTSTRAP"] != bootstrap
        assert asyncio.run(consume(stack.env["TRUYVET_KAFKA_BOOTSTRAP"])) == before + after


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    stop(tmp_path)


def test_detached_starts_is_seen_is_refused_twice_and_stops(data_dir: Path) -> None:
    options = StackOptions(data_dir, services=KAFKA)
    told: list[str] = []
    info = start_detached(options, lambda progress: told.append(progress.state), 120)
    assert told[-1] == "ready"
    seen = status(data_dir)
    assert seen.running
    assert seen.supervisor_pid == info.pid != os.getpid()
    broker = seen.service("kafka")
    assert broker is not None
    assert broker.pid is not None
    assert broker.state == "ready"
    with pytest.raises(StackError, match=f"already in use by process {info.pid}"):
        start_detached(options)
    assert stop(data_dir, 60)
    assert not stop(data_dir)
    assert not alive(broker.pid)
    wait_gone(info.pid)
    assert not status(data_dir).running


def test_a_sigkilled_detached_supervisor_takes_the_broker_along(data_dir: Path) -> None:
    options = StackOptions(data_dir, services=KAFKA)
    info = start_detached(options, timeout_s=120)
    broker = info.status.service("kafka")
    assert broker is not None
    assert broker.pid is not None
    os.kill(info.pid, signal.SIGKILL)
    wait_gone(broker.pid)
    again = start_detached(options, timeout_s=120)
    assert again.env["TRUYVET_KAFKA_BOOTSTRAP"] == info.env["TRUYVET_KAFKA_BOOTSTRAP"]
    assert again.env["TRUYVET_CODE_KEYS"] == info.env["TRUYVET_CODE_KEYS"]


def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = StackOptions(tmp_path, services=KAFKA, kafka_overrides={"num.io.threads": "none"})
    with pytest.raises(StackError, match=r"(?s)kafka.* did not start.*num\.io\.threads"):
        start_detached(wrong, timeout_s=120)
    assert not status(tmp_path).running
