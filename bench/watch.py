"""`truyvet bench watch`: what the check of every scan against the open cases costs the worker.

Two workers share the load, at the same rate with no case open and with many, in turn, several
times. Both check every scan; one has the partition of the cases and traces those again that late
scans change, the other only checks: its CPU tells what the check costs, and both together what all
that follows from it costs. Cases are registered on `cases.v1`, their place-windows come from the
stays of their persons, until they were isolated, and they are closed and opened again. The load's
people are others.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.load_city import PRODUCER, publish
from bench.process_stack import Bench, running_bench
from bench.process_worker import Worker, values, wait_for
from deploy.embedded.service import leashed
from schemas.cases import Case, CaseStatus
from schemas.errors import UserError
from schemas.ids import person_text
from schemas.scan import Direction, Method, Scan
from schemas.topics import CASES, SCANS

Say = Callable[[str], None]
Record = tuple[str, str, str]
_DRAIN_S: Final = 600.0
_TRACED_S: Final = 1200.0
_STAYS_A_CASE: Final = 20
_DAYS: Final = 10
_STAY: Final = timedelta(minutes=45)
_IDLE: Final = "import os; os.nice(19)\nwhile True: pass"
_RUNS: Final = ("truyvet_alerts_total", "run_completed")


@dataclass(frozen=True)
class Plan:
    """Place-windows to watch; each round measures once without and once with them. `isolated_h`:
    hours from the last stay of the cases until now."""

    windows: int = 10_000
    isolated_h: float = 24
    rate: float = 50_000
    seconds: float = 30
    rounds: int = 3
    places: int = 5_000
    seed: int = 7


@dataclass(frozen=True)
class Result:
    """CPU in µs a scan, medians of the rounds: of the worker that only checks (and each round's),
    and of both together (`all_`), which traced cases again `runs` times with something new."""

    cases: int
    windows: int
    without_us: float
    with_us: float
    ratio: float
    limit: float
    without_rounds_us: list[float]
    with_rounds_us: list[float]
    all_without_us: float
    all_with_us: float
    all_ratio: float
    runs: int
    alerts: int
    exact: bool

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """Measure on a data directory of its own. Raises UserError."""
    with running_bench(data_dir, places=plan.places, seed=plan.seed) as bench:
        now = datetime.now(UTC)
        persons = _persons(-(-plan.windows // _STAYS_A_CASE), plan.seed)
        isolated = now - timedelta(hours=plan.isolated_h)
        publish(bench.settings, list(_visits(bench, persons, isolated, plan.seed)))
        pair = [bench.worker(), bench.worker()]
        bench.drain(_DRAIN_S)
        _measure(bench, pair, plan, warm=True)
        without: list[_Cost] = []
        watching: list[_Cost] = []
        runs = 0
        for number in range(plan.rounds):
            without.append(_measure(bench, pair, plan))
            windows = _open(bench, pair, persons, 2 * number + 1, now)
            begun = _runs(bench)
            watching.append(_measure(bench, pair, plan))
            runs += _runs(bench) - begun
            say(f"  without: {without[-1]}; with {windows:,} windows: {watching[-1]}")
            _close(bench, pair, persons, 2 * number + 2, now)
        alerts = sum(_count(worker, "truyvet_alerts_total", "scan_in_window") for worker in pair)
        exact = bench.account().exact
        checks = min((0, 1), key=lambda k: _count(pair[k], *_RUNS))
    check = _ratio(
        [cost.each_us[checks] for cost in without], [c.each_us[checks] for c in watching]
    )
    every = _ratio([cost.all_us for cost in without], [cost.all_us for cost in watching])
    return Result(
        cases=len(persons),
        windows=windows,
        without_us=check[0],
        with_us=check[1],
        ratio=check[2],
        limit=1.1,
        without_rounds_us=[round(cost.each_us[checks], 3) for cost in without],
        with_rounds_us=[round(cost.each_us[checks], 3) for cost in watching],
        all_without_us=every[0],
        all_with_us=every[1],
        all_ratio=every[2],
        runs=runs,
        alerts=alerts,
        exact=exact,
    )


@dataclass(frozen=True)
class _Cost:
    """µs a scan: of each worker, and of both together."""

    each_us: list[float]
    all_us: float

    def __str__(self) -> str:
        return f"{self.all_us:.3f} µs ({' and '.join(f'{us:.3f}' for us in self.each_us)})"


def _measure(bench: Bench, pair: list[Worker], plan: Plan, *, warm: bool = False) -> _Cost:
    """At the plan's rate, from the first record to the last commit. Raises UserError."""
    records = int(plan.rate * (min(plan.seconds, 5) if warm else plan.seconds))
    with _cores_awake():
        before = [(worker.usage().cpu_s, _written(worker)) for worker in pair]
        bench.load(plan.rate, records).result(3 * plan.seconds + _DRAIN_S)
        bench.drain(_DRAIN_S)
        after = [(worker.usage().cpu_s, _written(worker)) for worker in pair]
    cpu, scans = np.array(after).T - np.array(before).T
    if not scans.all():
        raise UserError("Một worker không có phân vùng nào. / One of the workers has no partition.")
    return _Cost((1e6 * cpu / scans).tolist(), float(1e6 * cpu.sum() / scans.sum()))


@contextmanager
def _cores_awake() -> Iterator[None]:
    """What has the lowest priority keeps every core from going to sleep: on a virtual machine, to
    wake one up costs CPU time that is nobody's work, and more the less there is to do."""
    command = leashed((sys.executable, "-c", _IDLE))
    idle = [subprocess.Popen(command) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for one in idle:
            one.kill()
            one.wait()


def _ratio(without: list[float], watching: list[float]) -> tuple[float, float, float]:
    before, after = statistics.median(without), statistics.median(watching)
    return round(before, 3), round(after, 3), round(after / before, 3)


def _written(worker: Worker) -> float:
    return sum(values(worker.metrics(), "truyvet_batch_records_sum"))


def _runs(bench: Bench) -> int:
    """Runs that were stored."""
    return int(bench.clickhouse.rows("SELECT count() FROM trace_runs")[0][0])


def _open(bench: Bench, pair: list[Worker], persons: list[str], version: int, now: datetime) -> int:
    """Register them all; once they are traced and nothing goes on, how many windows there are."""
    traced = _traced(pair) + len(persons)
    publish(bench.settings, list(_cases(persons, version, CaseStatus.SUSPECTED, now)))
    wait_for(lambda: _traced(pair) >= traced, _TRACED_S, "the cases to be traced", 1.0)

    def watched() -> bool:
        return all(_gauge(worker, "truyvet_open_cases") == len(persons) for worker in pair)

    wait_for(watched, _TRACED_S, "the cases to be watched", 1.0)
    _rest(pair)
    windows = int(min(_gauge(worker, "truyvet_place_windows") for worker in pair))
    wanted = len(persons) * _STAYS_A_CASE
    if windows < 0.9 * wanted:  # two stays at one place that touch are one window
        raise UserError(
            f"{windows} khoảng đến từ {wanted} khoảng có mặt. / "
            f"{windows} place-windows came of {wanted} stays."
        )
    return windows


def _close(
    bench: Bench, pair: list[Worker], persons: list[str], version: int, now: datetime
) -> None:
    publish(bench.settings, list(_cases(persons, version, CaseStatus.CLOSED, now)))

    def closed() -> bool:
        return all(_gauge(worker, "truyvet_open_cases") == 0 for worker in pair)

    wait_for(closed, _TRACED_S, "cases to close", 1.0)
    _rest(pair)


def _rest(pair: list[Worker]) -> None:
    """Until they use less than a tenth of a core."""
    last = sum(worker.usage().cpu_s for worker in pair)

    def resting() -> bool:
        nonlocal last
        time.sleep(1.0)
        before, last = last, sum(worker.usage().cpu_s for worker in pair)
        return last - before < 0.1

    wait_for(resting, _TRACED_S, "the workers to rest", 0.0)


def _traced(pair: list[Worker]) -> int:
    return sum(_count(worker, *_RUNS) for worker in pair)


def _count(worker: Worker, name: str, label: str) -> int:
    found = worker.metrics().items()
    return int(sum(value for (n, labels), value in found if n == name and label in labels))


def _gauge(worker: Worker, name: str) -> float:
    return sum(values(worker.metrics(), name))


def _persons(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng([seed, 99])
    return [person_text(int(bits)) for bits in rng.integers(1, 2**64, count, dtype=np.uint64)]


def _visits(bench: Bench, persons: list[str], until: datetime, seed: int) -> Iterator[Record]:
    """Two scans a visit; a person's visits do not overlap."""
    rng = np.random.default_rng([seed, 98])
    step = timedelta(days=_DAYS) / _STAYS_A_CASE
    for person in persons:
        for visit in range(_STAYS_A_CASE):
            place = bench.places[int(rng.integers(len(bench.places)))]
            arrived = until - step * (visit + 1) + (step - 2 * _STAY) * float(rng.random())
            for direction, at in ((Direction.IN, arrived), (Direction.OUT, arrived + _STAY)):
                scan = Scan(
                    event_id=_uuid(rng),
                    person=person,
                    code=place.codes[-1].token,
                    direction=direction,
                    scanned_at=at,
                    method=Method.SELF,
                    producer=PRODUCER,
                    device="p-case",
                )
                yield SCANS.name, person, scan.model_dump_json(exclude_none=True)


def _uuid(rng: np.random.Generator) -> str:
    digits = rng.bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _cases(persons: list[str], version: int, status: CaseStatus, now: datetime) -> Iterator[Record]:
    for number, person in enumerate(persons):
        case = Case(
            id=f"bench-{number}",
            version=version,
            status=status,
            person=person,
            onset=(now - timedelta(days=_DAYS)).date(),
            ward="11413",
            registered_at=now,
            registered_by="bench",
        )
        yield CASES.name, case.id, case.model_dump_json()
