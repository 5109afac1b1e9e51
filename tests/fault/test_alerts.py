"""Alerts that a worker owes when it starts in the middle of traffic."""

import time
from pathlib import Path

from tests.fault.campaign import TIMING
from tests.fault.checker import Checker
from tests.fault.opencase import CaseScans, OpenCase
from tests.fault.test_exactly_once import SEED
from tests.system import Traffic, running_system


def test_a_worker_looks_at_no_scan_before_it_knows_the_open_cases(tmp_path: Path) -> None:
    """Reading a case's windows takes long: a busy engine, many cases. Scans are there already."""
    with running_system(tmp_path, **TIMING) as system:
        first = system.start_worker(**TIMING)
        case = OpenCase(system)
        case.register()
        assert first.stop() == 0  # left the group: the next one is assigned at once
        traffic = Traffic(system, CaseScans(system, SEED, case), per_second=1_000)
        traffic.start()
        slow = ("-m", "tests.fault.worker", "--slow-cases", "5")
        system.new_worker(slow, **TIMING).launch()
        time.sleep(8)
        traffic.stop()
        checker = Checker(system, case)
        checker.wait()
        agreed = checker.check()
        assert agreed.alerts > 50
