"""The real system for tests: Kafka and the engine under their supervisor, workers as processes."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Producer as KafkaProducer

from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.stack import Stack, StackOptions
from issuer.codes import KeyRing, first_code
from schemas.ids import person_text
from schemas.kafka import connection, librdkafka
from schemas.places import Place, Producer, place_key
from schemas.scan import format_timestamp
from schemas.settings import PREFIX, Settings, load_settings
from schemas.topics import PRODUCERS, SCANS, SITES
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES
from streams.migrate import migrate

Offsets = set[tuple[int, int]]

WORKER_LAUNCHER: Final = ("-m", "console.cli.main")
_ROOT: Final = Path(__file__).parents[1]


@dataclass
class System:
    """A running Kafka and engine, migrated, with a few registered places and a producer."""

    stack: Stack
    settings: Settings
    clickhouse: ClickHouse
    places: list[Place] = field(default_factory=list)
    workers: list["WorkerProcess"] = field(default_factory=list)

    @property
    def tokens(self) -> list[str]:
        """The live code of each place."""
        return [place.codes[-1].token for place in self.places]

    def producer(self, **options: Any) -> KafkaProducer:
        """A librdkafka producer that partitions as everybody else does."""
        return KafkaProducer(
            {
                **librdkafka(self.settings),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "message.max.bytes": 1_100_000,
                "queue.buffering.max.messages": 1_000_000,
                **options,
            }
        )

    def publish(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Publish (key, value) and wait for every acknowledgement."""
        producer = self.producer()
        for key, value in records:
            producer.produce(topic, key=key, value=value)
            producer.poll(0)
        assert producer.flush(60) == 0

    def new_worker(
        self, launcher: Sequence[str] = WORKER_LAUNCHER, **settings: Any
    ) -> "WorkerProcess":
        """One more worker, not started; `launcher` is what Python runs to become one."""
        worker = WorkerProcess(self, settings, launcher)
        self.workers.append(worker)
        return worker

    def start_worker(self, **settings: Any) -> "WorkerProcess":
        """One more worker, ready."""
        worker = self.new_worker(**settings)
        worker.start()
        return worker

    def start_worker_soon(self, **settings: Any) -> "WorkerProcess":
        """As `start_worker`, without waiting: it may have nothing to do before another dies."""
        worker = self.new_worker(**settings)
        worker.launch()
        return worker

    def end_offsets(self, topic: str = SCANS.name) -> dict[int, int]:
        """The end of each partition's log."""
        return asyncio.run(_end_offsets(self.settings, topic))

    def committed(self) -> dict[int, int]:
        """The workers' committed offsets on `scans.v1`."""
        return asyncio.run(_committed(self.settings))

    def drain(self, timeout_s: float = 120) -> None:
        """Wait until the committed offset of every partition is its log's end."""
        ends = {p: o for p, o in self.end_offsets().items() if o}

        def done() -> bool:
            committed = self.committed()
            return all(committed.get(p, 0) >= end for p, end in ends.items())

        wait_for(done, timeout_s, "the committed offsets to reach the ends")

    def offsets(self, table: str) -> list[tuple[int, int]]:
        """Every (partition, offset) in a table, as often as it is there."""
        rows = self.clickhouse.query_arrow(f"SELECT kafka_partition, kafka_offset FROM {table}")
        return list(zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True))

    def all_offsets(self) -> dict[str, list[tuple[int, int]]]:
        """`offsets` of each outcome table."""
        return {table: self.offsets(table) for table in OUTCOMES}

    def read_topic(self, topic: str = SCANS.name) -> list[Any]:
        """Every committed record of a topic, from its start to its end."""
        return asyncio.run(_read_all(self.settings, topic))


class WorkerProcess:
    """`truyvet worker` as its own process, to be killed at will."""

    def __init__(
        self,
        system: System,
        settings: dict[str, Any],
        launcher: Sequence[str] = WORKER_LAUNCHER,
    ) -> None:
        self._launcher = list(launcher)
        self.port = choose((PortRequest("m"),), {})["m"]
        self.log = system.settings.data_dir / "logs" / f"test-worker-{self.port}.log"
        self._env = {
            **os.environ,
            **system.stack.env,
            **_environment(settings),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_s: float = 60) -> None:
        """Start and wait until it is ready."""
        self.launch()
        wait_for(self.ready, timeout_s, f"the worker to be ready; see {self.log}")

    def change(self, **settings: Any) -> None:
        """Other settings, from the next start on."""
        self._env |= _environment(settings)

    def launch(self) -> None:
        """Start."""
        command = [sys.executable, *self._launcher, "worker", "--metrics-port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._env, stdout=log, stderr=log, cwd=_ROOT
            )

    def ready(self) -> bool:
        """What /ready says; False while nothing listens."""
        assert self.alive, f"the worker ended: {self.log.read_text()[-2000:]}"
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/ready", timeout=2)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def get(self, path: str) -> httpx.Response:
        """Ask the worker's own port."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5)

    @property
    def pid(self) -> int:
        """Of the process, which has been launched."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs or was never started."""
        return None if self._process is None else self._process.poll()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def stop(self, timeout_s: float = 30) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout_s)


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Until the condition holds; an AssertionError that says what did not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.1)


def end_workers(system: System, patience_s: float = 10) -> None:
    """SIGTERM to all that run, so that their partitions are free at once; then SIGKILL."""
    running = [worker for worker in system.workers if worker.alive]
    for worker in running:
        worker.signal(signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while any(worker.alive for worker in running) and time.monotonic() < deadline:
        time.sleep(0.05)
    for worker in running:
        if worker.alive:
            worker.kill()


@contextmanager
def running_system(data_dir: Path, **settings: Any) -> Iterator[System]:
    """Kafka and the engine on free ports, migrated, with 50 places and the producer `sim`."""
    env = _environment(settings)
    options = StackOptions(data_dir=data_dir, services=frozenset({"kafka", "engine"}), env=env)
    with Stack(options) as stack:
        loaded = load_settings(data_dir).model_copy(update=settings)
        migrate(loaded)
        with registered(System(stack, loaded, ClickHouse(loaded, timeout_s=60))) as system:
            yield system


@contextmanager
def registered(system: System) -> Iterator[System]:
    """A migrated system with 50 places and the producer `sim`; its workers end with it."""
    system.places += _places(system.settings)
    system.publish(
        SITES.name, [(place_key(p.id), p.model_dump_json().encode()) for p in system.places]
    )
    sim = Producer(id="sim", name="sim").model_dump_json().encode()
    system.publish(PRODUCERS.name, [("sim", sim)])
    try:
        yield system
    finally:
        for worker in system.workers:
            if worker.alive:
                worker.kill()


def _environment(settings: dict[str, Any]) -> dict[str, str]:
    return {PREFIX + name.upper(): str(value) for name, value in settings.items()}


def _places(settings: Settings) -> list[Place]:
    ring = KeyRing.parse(settings.code_keys.get_secret_value())
    return [
        first_code(
            Place(
                id=number,
                site=1,
                name=f"Phòng {number}",
                kind="meeting_room",
                ward="11413",
                sector="home_affairs",
                enclosed=True,
                small=True,
                usual_stay=60,
            ),
            ring,
        )
        for number in range(1, 51)
    ]


class ScanMaker:
    """Scans of a few hundred people over several weeks, some refused and some repeated."""

    def __init__(self, system: System, seed: int, days: float = 20) -> None:
        self._rng = np.random.default_rng(seed)
        self._tokens = system.tokens
        self._people = [
            person_text(int(p)) for p in self._rng.integers(0, 2**64, 300, dtype=np.uint64)
        ]
        self._days = days
        self._before: list[tuple[str, bytes]] = []

    def make(self, n: int) -> list[tuple[str, bytes]]:
        """`n` records, (key, value); about 2 % garbage and 2 % repeats."""
        return [self._one() for _ in range(n)]

    def _one(self) -> tuple[str, bytes]:
        rng = self._rng
        person = self._people[int(rng.integers(len(self._people)))]
        draw = float(rng.random())
        if draw < 0.02:
            return person, bytes(rng.integers(0, 256, int(rng.integers(0, 60)), dtype=np.uint8))
        if draw < 0.04 and self._before:
            return self._before[int(rng.integers(len(self._before)))]
        event_id = uuid.UUID(bytes=rng.bytes(16), version=4)
        moment = time.time() - float(rng.random()) * self._days * 86_400
        text = format_timestamp(datetime.fromtimestamp(moment, UTC))
        token = self._tokens[int(rng.integers(len(self._tokens)))]
        value = (
            f'{{"event_id":"{event_id}","person":"{person}","code":"{token}","direction":"in",'
            f'"scanned_at":"{text}","method":"self","producer":"sim","device":"d"}}'
        ).encode()
        if draw > 0.9:
            self._before.append((person, value))
        return person, value


class Traffic(threading.Thread):
    """Publishes at a steady rate until stopped; every record is acknowledged or tried again.

    `options` are the producer's; `acknowledged` counts what the brokers have.
    """

    def __init__(self, system: System, maker: ScanMaker, per_second: int, **options: Any) -> None:
        super().__init__(daemon=True)
        self._system, self._maker, self._rate = system, maker, per_second
        self._options = {"message.timeout.ms": 120_000, "linger.ms": 5, "log_level": 2} | options
        self._end = threading.Event()
        self.failed: list[str] = []
        self.acknowledged = 0

    def run(self) -> None:
        """Publish in tenths of a second."""
        producer = self._system.producer(**self._options)
        while not self._end.is_set():
            for key, value in self._maker.make(self._rate // 10):
                producer.produce("scans.v1", key=key, value=value, on_delivery=self._delivered)
            producer.poll(0)
            self._end.wait(0.1)
        assert producer.flush(120) == 0

    def stop(self) -> None:
        """Publish no more; wait for the acknowledgements."""
        self._end.set()
        self.join(150)
        assert not self.is_alive()
        assert not self.failed, self.failed[:3]

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is not None:
            self.failed.append(str(error))
        else:
            self.acknowledged += 1


async def _end_offsets(settings: Settings, topic: str) -> dict[int, int]:
    consumer = AIOKafkaConsumer(topic, **connection(settings))
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        return {tp.partition: offset for tp, offset in ends.items()}
    finally:
        await consumer.stop()


async def _committed(settings: Settings) -> dict[int, int]:
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(settings.worker_group)
        return {tp.partition: m.offset for tp, m in offsets.items() if tp.topic == SCANS.name}
    finally:
        await admin.close()


async def _read_all(settings: Settings, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(
        topic,
        **connection(settings),
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    try:
        partitions: list[TopicPartition] = sorted(consumer.assignment())
        begins = await consumer.beginning_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, begins[partition])
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500, max_records=20_000)).values():
                records += batch
        return records
    finally:
        await consumer.stop()
