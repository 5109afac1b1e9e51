"""Kill the worker, the broker and the engine with SIGKILL while scans flow; then every record is
in exactly one table, once.

The seed is printed and can be given: `TRUYVET_FAULT_SEED=7 pytest tests/fault`. More kills:
`TRUYVET_FAULT_KILLS=50`.
"""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from schemas.topics import DLQ, SCANS
from tests.system import ScanMaker, System, Traffic, WorkerProcess, running_system, wait_for

SEED = int(os.environ.get("TRUYVET_FAULT_SEED", "2021"))
KILLS = int(os.environ.get("TRUYVET_FAULT_KILLS", "12"))


class Killer:
    """Chooses victims and moments from a seed; a dead worker is started again as it was."""

    def __init__(self, system: System, rng: random.Random) -> None:
        self._system, self._rng = system, rng
        self.killed: Counter[str] = Counter()

    def kill_one(self, victim: str, worker: WorkerProcess) -> None:
        """SIGKILL at a moment of its own; what is killed comes back."""
        time.sleep(self._rng.uniform(0.3, 2.5))
        if victim == "worker":
            worker.kill()
            worker.start(timeout_s=120)
        else:
            self._system.stack.kill(victim)
            self._system.stack.wait_ready(victim, timeout_s=120)
        self.killed[victim] += 1


def test_killed_at_random_every_record_is_one_row(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    rng = random.Random(SEED)
    with running_system(tmp_path, session_timeout_s=6, insert_timeout_s=3, flush_ms=150) as system:
        worker = system.start_worker(session_timeout_s=6, insert_timeout_s=3, flush_ms=150)
        traffic = Traffic(system, ScanMaker(system, SEED), per_second=4_000)
        traffic.start()
        killer = Killer(system, rng)
        victims = ["worker", "engine", "kafka"] * (KILLS // 3) + ["engine"] * (KILLS % 3)
        rng.shuffle(victims)
        for victim in victims:
            killer.kill_one(victim, worker)
            if not worker.alive:  # it may stop by itself when its broker dies; it says so
                worker.start(timeout_s=120)
        traffic.stop()
        _wait_until_drained(system, worker)
        counts = assert_exactly_once(system)
        print(f"killed {dict(killer.killed)}; {counts}")
        assert sum(killer.killed.values()) == KILLS
        assert counts["scans"] > 10_000
        weeks = system.clickhouse.rows("SELECT uniqExact(toMonday(scanned_at)) FROM scans")
        assert weeks[0][0] >= 3


def _wait_until_drained(system: System, worker: WorkerProcess) -> None:
    def drained() -> bool:
        if not worker.alive:
            worker.start(timeout_s=120)
        committed = system.committed()
        return all(committed.get(p, 0) >= end for p, end in system.end_offsets().items() if end)

    wait_for(drained, 240, "the worker to reach the end of the log")


def assert_exactly_once(system: System) -> Counter[str]:
    """The offsets in all tables together are exactly the topic's, none missing, none twice."""
    records = {(r.partition, r.offset): r for r in system.read_topic()}
    tables = system.all_offsets()
    counted = Counter(offset for offsets in tables.values() for offset in offsets)
    twice = [offset for offset, times in counted.items() if times > 1]
    missing = records.keys() - counted.keys()
    unknown = counted.keys() - records.keys()
    assert not twice, f"{len(twice)} twice, e.g. {sorted(twice)[:5]}"
    assert not missing, f"{len(missing)} missing, e.g. {sorted(missing)[:5]}"
    assert not unknown, f"{len(unknown)} that the topic has not, e.g. {sorted(unknown)[:5]}"
    [(rows, unique)] = system.clickhouse.rows(
        "SELECT count(), uniqExact(person, event_id) FROM scans"
    )
    assert rows == unique, "a scan is there twice"
    letters = {
        (int(p), int(o))
        for _, p, o in (r.key.decode().split("/") for r in system.read_topic(DLQ.name))
    }
    assert letters == set(tables["rejects"]), "a reject without its dead letter, or the reverse"
    _assert_projections_agree(system)
    return Counter({name: len(offsets) for name, offsets in tables.items()})


def _assert_projections_agree(system: System) -> None:
    whole = "SELECT count(), sum(kafka_offset), sum(cityHash64(person, scanned_at)) FROM scans"
    plain = system.clickhouse.rows(f"{whole} SETTINGS optimize_use_projections = 0")
    for projection in ("by_person", "by_offset"):
        columns = {
            "by_person": "count(), sum(kafka_offset), sum(cityHash64(person, scanned_at))",
            "by_offset": "count(), sum(kafka_offset)",
        }[projection]
        there = system.clickhouse.rows(
            f"SELECT {columns} FROM mergeTreeProjection(currentDatabase(), 'scans', '{projection}')"
        )
        assert list(there[0]) == list(plain[0])[: len(there[0])], projection


def test_a_stopped_worker_that_wakes_up_late_writes_nothing_twice(tmp_path: Path) -> None:
    """SIGSTOP past its session: another worker takes over; then SIGCONT."""
    settings = {"session_timeout_s": 6, "insert_timeout_s": 3, "flush_ms": 150}
    with running_system(tmp_path, **settings) as system:
        first = system.start_worker(**settings)
        traffic = Traffic(system, ScanMaker(system, SEED + 1), per_second=4_000)
        traffic.start()
        time.sleep(4)
        first.signal(signal.SIGSTOP)
        second = system.start_worker_soon(**settings)
        time.sleep(12)
        first.signal(signal.SIGCONT)
        time.sleep(4)
        traffic.stop()
        wait_for(second.ready, 60, "the second worker")
        _wait_until_drained(system, second)
        assert_exactly_once(system)


@pytest.mark.parametrize("topic", [SCANS.name])
def test_the_checker_sees_a_row_that_is_there_twice(tmp_path: Path, topic: str) -> None:
    with running_system(tmp_path, session_timeout_s=6, insert_timeout_s=3) as system:
        worker = system.start_worker(session_timeout_s=6, insert_timeout_s=3)
        system.publish(topic, ScanMaker(system, 3).make(300))
        system.drain()
        assert_exactly_once(system)
        worker.stop()
        system.clickhouse.command("INSERT INTO scans SELECT * FROM scans LIMIT 1")
        with pytest.raises(AssertionError, match="twice"):
            assert_exactly_once(system)
        system.clickhouse.command(
            "ALTER TABLE scans DELETE WHERE 1 SETTINGS mutations_sync = 1, "
            "lightweight_mutation_projection_mode = 'rebuild'"
        )
        with pytest.raises(AssertionError, match="missing"):
            assert_exactly_once(system)
