"""An engine, and a line to it, that misbehave: each way once and in turn, and a disk that is full.

The worker talks to a proxy (tests/fault/proxy.py) that does to its inserts what a script says.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.convert import OUTCOMES
from tests.fault.campaign import TIMING
from tests.fault.checker import Checker
from tests.fault.proxy import Fault, Proxy, Script
from tests.fault.test_exactly_once import SEED
from tests.system import ScanMaker, System, Traffic, running_system, wait_for

# the client waits for the insert's limit and five seconds more: an answer after that is late
_QUICK = {**TIMING, "insert_timeout_s": 1}
_TOO_LATE_S = 6.5
_DISK_MB = 96
_RESERVE_LEFT = 3 << 20  # less than the engine keeps free, a twentieth of it


@pytest.mark.parametrize("table", ["scans", "rejects", "duplicates"])
def test_each_fault_of_the_line_in_turn(system: System, checker: Checker, table: str) -> None:
    faults = [f for f in Fault if f not in (Fault.LATE, Fault.HANGS)]
    script = Script(faults, table, after=1)
    with Proxy(system.settings.clickhouse_url, script, slow_s=0.7) as line:
        system.start_worker(**_QUICK, clickhouse_url=line.url)
        seed = SEED + 40 + OUTCOMES.index(table)
        _flow_until(system, seed, lambda: line.done.total() == len(faults))
        assert set(line.done) == {fault.value for fault in faults}
        checker.wait()
        print(f"{dict(line.done)}: {checker.check()}")


def test_an_engine_that_hangs_and_one_that_answers_late(system: System, checker: Checker) -> None:
    script = Script([Fault.HANGS, Fault.LATE], after=2)
    with Proxy(system.settings.clickhouse_url, script, late_s=_TOO_LATE_S) as line:
        system.start_worker(**_QUICK, clickhouse_url=line.url)
        _flow_until(system, SEED + 4, lambda: line.done.total() == 2)
        checker.wait()
        print(f"{dict(line.done)}: {checker.check()}")


if os.geteuid() == 0:  # only root may mount

    def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
        """The engine's own disk, a small tmpfs, has no byte left for a while.

        It fills as disks do, over the reserve first: merges that run have ended when the last
        byte goes. One that is caught by it loses rows, and only the reserve is against that.
        """
        with _small_disk(tmp_path / "engine"), running_system(tmp_path, **TIMING) as system:
            worker = system.start_worker(**TIMING)
            checker = Checker(system)
            traffic = Traffic(system, ScanMaker(system, SEED + 5), per_second=2_000)
            traffic.start()
            time.sleep(2)
            filler = tmp_path / "engine" / "filler"
            try:
                _fill(filler, leave=_RESERVE_LEFT)
                merging = "SELECT count() FROM system.merges"
                wait_for(
                    lambda: system.clickhouse.rows(merging) == [(0,)], 60, "what merges to end"
                )
                _fill(filler)
                wait_for(lambda: _says_full(worker.log.read_text()), 60, "a full disk")
                wait_for(
                    lambda: not worker.ready(), 30, "/ready to say that nothing can be written"
                )
                time.sleep(3)
            finally:
                filler.unlink()
            time.sleep(2)
            traffic.stop()
            assert worker.alive
            checker.wait()
            print(checker.check())


def _flow_until(system: System, seed: int, done: Callable[[], bool]) -> None:
    """Scans of this seed, which no other test of the shared system uses: an id is once."""
    traffic = Traffic(system, ScanMaker(system, seed), per_second=1_500)
    traffic.start()
    try:
        wait_for(done, 90, "all faults of the script to happen")
    finally:
        traffic.stop()


@contextmanager
def _small_disk(path: Path) -> Iterator[None]:
    path.mkdir()
    size = f"size={_DISK_MB}m"
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(path)], capture_output=True, check=False
    )
    assert mount.returncode == 0, f"a tmpfs cannot be mounted: {mount.stderr.decode().strip()}"
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def _says_full(log: str) -> bool:
    return "NOT_ENOUGH_SPACE" in log or "No space left on device" in log


def _fill(filler: Path, leave: int = 0) -> None:
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            while shutil.disk_usage(filler.parent).free > leave:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break
