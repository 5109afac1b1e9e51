"""Three brokers, replication 3, min.insync.replicas 2, TLS, SCRAM and ACLs: one is killed under
load, then another; ingest goes on, straight and through the gateway. Nothing lost, nothing twice.

The long form: TRUYVET_FAULT_AWAY_S=60 TRUYVET_FAULT_BROKERS=6.
"""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from pydantic import SecretStr

from console.store.engine import open_store
from console.store.keys import Role, create_key
from console.store.migrations.run import upgrade
from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.stack import Stack, StackOptions
from schemas.acls import KafkaRole, grants
from schemas.ids import person_text
from schemas.kafka import librdkafka
from schemas.places import Producer as RegisteredProducer
from schemas.scan import format_timestamp
from schemas.settings import PREFIX, load_settings
from schemas.topics import PRODUCERS, SCANS
from streams.clickhouse import ClickHouse
from streams.migrate import migrate
from tests.brokers import Brokers, running_brokers
from tests.console_kit import bearer
from tests.fault.campaign import TIMING
from tests.fault.checker import Checker
from tests.system import ScanMaker, System, Traffic, registered, wait_for

PER_SECOND: Final = 1_000
LINES, PAUSE_S = 50, 0.1  # through the gateway: some 400 a second
AWAY_S: Final = float(os.environ.get("TRUYVET_FAULT_AWAY_S", "12"))
KILLS: Final = int(os.environ.get("TRUYVET_FAULT_BROKERS", "2"))
SEED: Final = 20_261


@contextmanager
def secured(folder: Path) -> Iterator[tuple[System, Brokers]]:
    """The system on three secured brokers, each process with a user of its own."""
    with running_brokers(folder / "brokers") as brokers:
        for role in KafkaRole:
            brokers.add_user(role.value, *grants(role, "truyvet"))
        brokers.add_user("stranger")
        env = in_environment({**brokers.variables(), **TIMING})
        data = folder / "data"
        with Stack(StackOptions(data, services=frozenset({"engine"}), env=env)) as stack:
            settings = load_settings(data)
            migrate(brokers.settings("migrate", settings))
            system = System(stack, settings, ClickHouse(settings, timeout_s=60))
            with registered(system):
                yield system, brokers


def in_environment(settings: dict[str, Any]) -> dict[str, str]:
    return {PREFIX + name.upper(): str(value) for name, value in settings.items()}


class Gate(threading.Thread):
    """Posts small bodies to the gateway; one that was not acknowledged again, the same."""

    def __init__(self, url: str, key: str, token: str) -> None:
        super().__init__(daemon=True)
        self._url, self._token = url, token
        self._headers = bearer(key) | {"Content-Type": "application/x-ndjson"}
        self.ended = threading.Event()
        self.acknowledged: list[str] = []
        self.refused = 0

    def run(self) -> None:
        """See the class."""
        with httpx.Client(timeout=60, headers=self._headers) as client:
            ids, body = self._some()
            while not self.ended.wait(PAUSE_S):
                answer = client.post(self._url, content=body)
                if answer.status_code == 202:
                    self.acknowledged += ids
                    ids, body = self._some()
                else:
                    assert answer.status_code == 503, answer.text
                    self.refused += 1

    def _some(self) -> tuple[list[str], bytes]:
        """Ids, and the body that has them: sent again it is the same, times included."""
        ids = [str(uuid.uuid4()) for _ in range(LINES)]
        now = format_timestamp(datetime.now(UTC))
        scan: dict[str, Any] = {
            "code": self._token,
            "direction": "in",
            "scanned_at": now,
            "method": "self",
            "producer": "gate-1",
            "device": "d",
        }
        scans = (scan | {"event_id": i, "person": person_text(n + 1)} for n, i in enumerate(ids))
        return ids, b"\n".join(orjson.dumps(s) for s in scans)


@contextmanager
def gate(system: System, brokers: Brokers, folder: Path) -> Iterator[Gate]:
    """A console of its own, and somebody who scans through it."""
    upgrade(system.settings)
    store = open_store(system.settings)
    key = create_key(store, Role.PRODUCER, "*", producer="gate-1", name="gate")
    store.close()
    gate_1 = RegisteredProducer(id="gate-1", name="gate").model_dump_json().encode()
    system.publish(PRODUCERS.name, [("gate-1", gate_1)])
    port = choose((PortRequest("console"),), {})["console"]
    env = {**os.environ, **system.stack.env, **in_environment(brokers.variables("console"))}
    env |= {"TRUYVET_CONSOLE_PORT": str(port)}
    command = [sys.executable, "-m", "console.cli.main", "serve"]
    with (folder / "console.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    sender = Gate(f"http://127.0.0.1:{port}/v1/scans", key, system.tokens[0])

    def up() -> bool:
        assert process.poll() is None, (folder / "console.log").read_text()[-2000:]
        try:
            return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_for(up, 120, f"the console; see {folder / 'console.log'}")
        sender.start()
        yield sender
    finally:
        sender.ended.set()
        if sender.is_alive():
            sender.join(60)
        process.terminate()
        process.wait(30)


@pytest.mark.timeout(900)
def test_brokers_killed_under_load_and_who_is_refused(tmp_path: Path) -> None:
    with secured(tmp_path) as (system, brokers):
        assert_refused(brokers)
        for _ in range(2):
            system.start_worker_soon(**TIMING, **brokers.variables("worker"))
        wait_for(lambda: all(w.ready() for w in system.workers), 180, "the workers")
        producer = librdkafka(brokers.settings("producer"))
        traffic = Traffic(system, ScanMaker(system, SEED), PER_SECOND, **producer)
        with gate(system, brokers, tmp_path) as sender:
            traffic.start()
            written_on(system, 10)
            for n in range(KILLS):
                assert brokers.short() == []
                victim = brokers.brokers[n % 3]
                led = brokers.leads(SCANS.name)[victim.number]
                at = (traffic.acknowledged, len(sender.acknowledged), written(system))
                killed = time.monotonic()
                victim.kill()
                first_s = written_on(system, 60)
                time.sleep(max(0.0, AWAY_S - (time.monotonic() - killed)))
                now = (traffic.acknowledged, len(sender.acknowledged), written(system))
                away_s = time.monotonic() - killed
                assert all(later > before for later, before in zip(now, at, strict=True))
                print(
                    f"broker {victim.number}, leading {led} of {system.settings.scan_partitions}, "
                    f"was away {away_s:.1f} s: acknowledged straight {now[0] - at[0]}, by the "
                    f"gateway {now[1] - at[1]}, written {now[2] - at[2]}; the first row of another "
                    f"second after {first_s:.1f} s"
                )
                victim.launch()
                wait_for(lambda: brokers.short() == [], 90, "every copy to be in sync")
        traffic.stop()
        checker = Checker(system)
        checker.wait()
        agreed = checker.check()
        print(f"gateway refused {sender.refused} bodies meanwhile; {agreed}")
        assert agreed.records >= traffic.acknowledged + len(sender.acknowledged)
        assert not set(sender.acknowledged) - there(system)
        assert {w.alive for w in system.workers} == {True}


def written(system: System) -> int:
    """Rows of outcome up to now."""
    tables = ("scans", "rejects", "duplicates")
    return sum(system.clickhouse.rows(f"SELECT count() FROM {t}")[0][0] for t in tables)


def written_on(system: System, timeout_s: float) -> float:
    """Seconds until a record that was appended after this call is a row."""
    begun, wall = time.monotonic(), time.time()
    query = f"SELECT count() FROM scans WHERE appended_at > fromUnixTimestamp64Milli({int(wall * 1000)})"
    wait_for(lambda: bool(system.clickhouse.rows(query)[0][0]), timeout_s, "a new row")
    return time.monotonic() - begun


def there(system: System) -> set[str]:
    """Event ids that are scans."""
    rows = system.clickhouse.rows("SELECT toString(event_id) FROM scans WHERE producer = 'gate-1'")
    return {row[0] for row in rows}


def assert_refused(brokers: Brokers) -> None:
    """Who has no ACL, no right password, or no TLS gets nothing in and nothing out."""
    stranger, producer = brokers.settings("stranger"), librdkafka(brokers.settings("producer"))
    with pytest.raises(KafkaException) as refused:
        send(librdkafka(stranger), SCANS.name)
    assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    send(producer, SCANS.name)
    for other in ("sites.v1", "alerts.v1"):
        with pytest.raises(KafkaException) as refused:
            send(producer, other)
        assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert_reads_nothing(producer)
    guess = stranger.model_copy(update={"kafka_password": SecretStr("a-guess")})
    with pytest.raises(KafkaException):
        send(librdkafka(guess), SCANS.name)
    plain = {"bootstrap.servers": stranger.kafka_bootstrap}
    with pytest.raises(KafkaException):
        send(plain, SCANS.name)
    assert brokers.short() == []


def send(options: dict[str, Any], topic: str) -> None:
    """One record. Raises KafkaException if it is refused, or not taken in time."""
    answers: list[Any] = []
    producer = Producer({**options, "message.timeout.ms": 4_000, "log_level": 0})
    producer.produce(topic, b"not a scan", b"k", on_delivery=lambda *it: answers.append(it))
    producer.flush(10)
    [(error, _message)] = answers
    if error is not None:
        raise KafkaException(error)


def assert_reads_nothing(options: dict[str, Any]) -> None:
    """A reader of the scans is refused by the topic; it has no group to be refused by either."""
    consumer = Consumer({**options, "group.id": "curious", "log_level": 0})
    consumer.assign([TopicPartition(SCANS.name, p, 0) for p in range(8)])
    codes: set[int] = set()
    try:
        deadline = time.monotonic() + 20
        while KafkaError.TOPIC_AUTHORIZATION_FAILED not in codes:
            assert time.monotonic() < deadline, codes
            message = consumer.poll(1.0)
            if message is not None:
                error = message.error()
                assert error is not None, "it was read"
                codes.add(error.code())
    finally:
        consumer.close()
