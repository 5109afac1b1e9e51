"""Workers that are stopped and wake up, that come and go, that die while their insert is queued."""

import signal
import threading
import time
from random import Random

from schemas.topics import SCANS
from streams.clickhouse import ClickHouse
from streams.present import attempt_mark
from tests.fault.campaign import TIMING
from tests.fault.checker import Checker
from tests.fault.test_exactly_once import SEED
from tests.system import ScanMaker, System, Traffic, wait_for

_SLEEP = "SELECT count() FROM numbers(1) WHERE sleepEachRow(1) = 0 SETTINGS max_execution_time = 30"
_SLEEPERS = 8  # more than the engine runs at once


def test_a_stopped_worker_that_wakes_up_late_writes_nothing_twice(
    system: System, checker: Checker
) -> None:
    """SIGSTOP past its session: another worker takes over; then SIGCONT."""
    first = system.start_worker(**TIMING)
    traffic = Traffic(system, ScanMaker(system, SEED + 1), per_second=4_000)
    traffic.start()
    time.sleep(3)
    first.signal(signal.SIGSTOP)
    second = system.start_worker_soon(**TIMING)
    time.sleep(10)
    first.signal(signal.SIGCONT)
    time.sleep(3)
    traffic.stop()
    wait_for(second.ready, 60, "the second worker")
    checker.wait()
    print(checker.check())


def test_workers_that_join_and_leave(system: System, checker: Checker) -> None:
    """SIGTERM and SIGKILL in turns of a seed, one to three workers at a time."""
    rng = Random(SEED)
    traffic = Traffic(system, ScanMaker(system, SEED + 2), per_second=2_000)
    workers = [system.start_worker(**TIMING)]
    traffic.start()
    done = []
    for _ in range(8):
        possible = ["join"] * (len(workers) < 3) + ["leave", "kill"] * (len(workers) > 1)
        action = rng.choice(possible)
        if action == "join":
            workers.append(system.start_worker_soon(**TIMING))
        else:
            worker = workers.pop(rng.randrange(len(workers)))
            was_ready = worker.ready()  # before that, SIGTERM ends it as it ends any program
            if action == "kill":
                worker.kill()
            else:
                assert worker.stop() == 0 or not was_ready
        done.append(action)
        time.sleep(rng.uniform(0.2, 2.5))
    traffic.stop()
    checker.wait()
    print(f"seed {SEED}: {', '.join(done)}: {checker.check()}")
    for worker in workers:
        assert worker.alive, worker.log.read_text()[-2000:]


def test_a_request_that_is_queued_in_the_engine_when_its_worker_dies(
    system: System, checker: Checker
) -> None:
    worker = system.start_worker(**TIMING)
    end = threading.Event()
    sleepers = [
        threading.Thread(target=_sleep_in_the_engine, args=(system, end)) for _ in range(_SLEEPERS)
    ]
    for sleeper in sleepers:
        sleeper.start()
    try:
        time.sleep(0.5)
        system.publish(SCANS.name, ScanMaker(system, SEED + 3).make(4_000))
        wait_for(lambda: _inserts(system) > 0, 20, "an insert to be queued")
        worker.signal(signal.SIGSTOP)  # what it has sent stays as it is, and is looked at in peace
        queued = _inserts(system)
        assert queued > 0, "nothing of it is in the engine"
        worker.kill()
    finally:
        end.set()
        for sleeper in sleepers:
            sleeper.join(60)
    system.start_worker(**TIMING)
    checker.wait()
    print(f"{queued} requests were in the engine when it died; {checker.check()}")


def _sleep_in_the_engine(system: System, end: threading.Event) -> None:
    client = ClickHouse(system.settings, timeout_s=60)
    while not end.is_set():
        client.rows(_SLEEP)


def _inserts(system: System) -> int:
    """Requests of a worker that the engine knows of, in whatever state; not ended, only looked at."""
    prefix = attempt_mark(SCANS.name, 0).rsplit("/", 2)[0]
    found = system.clickhouse.rows(
        f"KILL QUERY WHERE startsWith(Settings['log_comment'], '{prefix}/') TEST"
    )
    return len(found)
