"""A broker that is away, transactions with their markers, and a log whose head is gone."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.kafka import librdkafka
from schemas.topics import SCANS
from tests.fault.campaign import TIMING
from tests.fault.checker import Checker
from tests.fault.ledger import Entries
from tests.fault.test_exactly_once import SEED
from tests.system import ScanMaker, System, Traffic, wait_for

AWAY_S = float(os.environ.get("TRUYVET_FAULT_AWAY_S", "30"))  # the long form: 60


def _silent(system: System) -> None:
    """It keeps its connections and says nothing."""
    system.stack.kill("kafka", signal.SIGSTOP)
    time.sleep(AWAY_S)
    system.stack.kill("kafka", signal.SIGCONT)


def _refusing(system: System) -> None:
    """It is killed each time it begins: nothing listens, and its back-off grows."""
    until = time.monotonic() + AWAY_S
    while time.monotonic() < until:
        with suppress(ProcessLookupError, RuntimeError):  # it is down already
            system.stack.kill("kafka")
        time.sleep(0.5)


# each its own ids: of those that came before with another time not all are refused (ADR 8)
@pytest.mark.parametrize(
    ("how", "seed"), [(_silent, SEED + 6), (_refusing, SEED + 10)], ids=["silent", "refusing"]
)
def test_a_broker_that_is_gone_for_a_while(
    system: System, checker: Checker, how: Callable[[System], None], seed: int
) -> None:
    worker = system.start_worker(**TIMING)
    traffic = Traffic(system, ScanMaker(system, seed), per_second=1_500)
    traffic.start()
    time.sleep(2)
    how(system)
    system.stack.wait_ready("kafka", timeout_s=120)
    time.sleep(3)
    traffic.stop()

    def keep_alive() -> None:
        if not worker.alive:  # it may stop by itself when its broker is gone; it says so
            worker.launch()

    checker.wait(keep_alive)
    print(f"{how.__name__} for {AWAY_S:.0f} s: {checker.check()}")


def test_aborted_transactions_and_markers_at_the_very_end(system: System, checker: Checker) -> None:
    """Commits pass markers, also those after which nothing more comes."""
    system.start_worker(**TIMING)
    producer = system.producer(**{"transactional.id": "fault"})
    producer.init_transactions(30)
    maker = ScanMaker(system, SEED + 7)
    for end in (producer.commit_transaction, producer.abort_transaction) * 3:
        producer.begin_transaction()
        for key, value in maker.make(300):
            producer.produce(SCANS.name, key=key, value=value)
        producer.flush(30)
        end(30)
        system.publish(SCANS.name, maker.make(50))
    producer.begin_transaction()
    for key, value in maker.make(300):
        producer.produce(SCANS.name, key=key, value=value)
    producer.flush(30)
    producer.abort_transaction(30)
    checker.wait(timeout_s=30)
    print(checker.check())


def test_a_log_whose_head_retention_has_cut(system: System, checker: Checker) -> None:
    """What is cut was written and not committed: the committed offset lies before the log."""
    known = len(checker.read_on().place)
    before = system.committed()
    good = [r for r in ScanMaker(system, SEED + 8).make(3_000) if r[1].startswith(b'{"event_id"')]
    system.publish(SCANS.name, good)
    hits = system.settings.data_dir / "cut-hits"
    launcher = ("-m", "tests.fault.worker", "--at", "before_commit:1", "--hits", str(hits))
    worker = system.new_worker(launcher, **TIMING)
    worker.launch()
    wait_for(lambda: not worker.alive, 60, "the worker to die before its first commit")
    assert hits.exists(), worker.log.read_text()[-2000:]
    log = checker.read_on()
    assert len(log.place) == known + len(good)
    cut = _written_so_far(system, log)
    admin = AdminClient(librdkafka(system.settings))
    heads = [TopicPartition(SCANS.name, p, offset) for p, offset in cut.items()]
    for future in admin.delete_records(heads).values():
        future.result(30)
    assert any(before.get(p, 0) < offset for p, offset in cut.items()), "nothing uncommitted is cut"
    more = ScanMaker(system, SEED + 9).make(2_000)
    system.publish(SCANS.name, more)
    system.start_worker(**TIMING)
    checker.wait()
    print(f"heads cut at {sorted(cut.items())}: {checker.check()}")


def _written_so_far(system: System, log: Entries) -> dict[int, int]:
    """For each partition, the offset before which every record is in a table.

    Not one past the last that is: another partition's commit ended the worker, perhaps between
    this one's scans and its rejects.
    """
    there = {place for found in system.all_offsets().values() for place in found}
    known = sorted((int(place) >> 48, int(place) & ((1 << 48) - 1)) for place in log.place)
    cut: dict[int, int] = {}
    for partition, records in groupby(known, key=lambda place: place[0]):
        for place in records:
            if place not in there:
                break
            cut[partition] = place[1] + 1
    return cut
