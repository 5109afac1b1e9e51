"""`truyvet bench watch`: what the check of every scan against the open cases costs the worker.

The same worker at the same rate with no case open and with many, in turn, several times: cases
are registered on `cases.v1`, their place-windows come from the stays of their persons, and they
are closed and opened again. The load's people are others.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.load_city import PRODUCER, publish
from bench.process_stack import Bench, running_bench
from bench.process_worker import Worker, values, wait_for
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


@dataclass(frozen=True)
class Plan:
    """Place-windows to watch; each round measures once without and once with them."""

    windows: int = 10_000
    rate: float = 50_000
    seconds: float = 30
    rounds: int = 3
    places: int = 5_000
    seed: int = 7


@dataclass(frozen=True)
class Result:
    """Worker CPU, µs a scan: medians of the rounds, and all of them."""

    cases: int
    windows: int
    without_us: float
    with_us: float
    ratio: float
    limit: float
    without_rounds_us: list[float]
    with_rounds_us: list[float]
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
        publish(bench.settings, list(_visits(bench, persons, now, plan.seed)))
        worker = bench.worker()
        bench.drain(_DRAIN_S)
        _measure(bench, worker, plan, warm=True)
        without: list[float] = []
        watching: list[float] = []
        for number in range(plan.rounds):
            without.append(_measure(bench, worker, plan))
            windows = _open(bench, worker, persons, 2 * number + 1, now)
            watching.append(_measure(bench, worker, plan))
            say(f"  without {without[-1]:.3f} µs, with {windows:,} windows {watching[-1]:.3f} µs")
            _close(bench, worker, persons, 2 * number + 2, now)
        samples = worker.metrics()
        alerts = {k: v for k, v in samples.items() if "scan_in_window" in k[1]}
        exact = bench.account().exact
    return Result(
        cases=len(persons),
        windows=windows,
        without_us=round(statistics.median(without), 3),
        with_us=round(statistics.median(watching), 3),
        ratio=round(statistics.median(watching) / statistics.median(without), 3),
        limit=1.1,
        without_rounds_us=[round(value, 3) for value in without],
        with_rounds_us=[round(value, 3) for value in watching],
        alerts=int(sum(values(alerts, "truyvet_alerts_total"))),
        exact=exact,
    )


def _measure(bench: Bench, worker: Worker, plan: Plan, *, warm: bool = False) -> float:
    """Worker CPU in µs a scan at the plan's rate, from the first record to the last commit."""
    records = int(plan.rate * (min(plan.seconds, 5) if warm else plan.seconds))
    before = worker.usage()
    bench.load(plan.rate, records).result(3 * plan.seconds + _DRAIN_S)
    bench.drain(_DRAIN_S)
    return 1e6 * (worker.usage().cpu_s - before.cpu_s) / records


def _open(bench: Bench, worker: Worker, persons: list[str], version: int, now: datetime) -> int:
    """Register them all; once they are traced and nothing goes on, how many windows there are."""
    traced = _traced(worker) + len(persons)
    publish(bench.settings, list(_cases(persons, version, CaseStatus.SUSPECTED, now)))
    wait_for(lambda: _traced(worker) >= traced, _TRACED_S, "the cases to be traced", 1.0)

    def watched() -> bool:
        return _gauge(worker, "truyvet_open_cases") == len(persons)

    wait_for(watched, _TRACED_S, "the cases to be watched", 1.0)
    _rest(worker)
    windows = int(_gauge(worker, "truyvet_place_windows"))
    wanted = len(persons) * _STAYS_A_CASE
    if windows < 0.9 * wanted:  # two stays at one place that touch are one window
        raise UserError(
            f"{windows} khoảng đến từ {wanted} khoảng có mặt. / "
            f"{windows} place-windows came of {wanted} stays."
        )
    return windows


def _close(bench: Bench, worker: Worker, persons: list[str], version: int, now: datetime) -> None:
    publish(bench.settings, list(_cases(persons, version, CaseStatus.CLOSED, now)))
    wait_for(lambda: _gauge(worker, "truyvet_open_cases") == 0, _TRACED_S, "cases to close", 1.0)
    _rest(worker)


def _rest(worker: Worker) -> None:
    """Until the worker uses less than a tenth of a core."""
    last = worker.usage().cpu_s

    def resting() -> bool:
        nonlocal last
        time.sleep(1.0)
        before, last = last, worker.usage().cpu_s
        return last - before < 0.1

    wait_for(resting, _TRACED_S, "the worker to rest", 0.0)


def _traced(worker: Worker) -> int:
    samples = worker.metrics()
    return int(sum(v for (n, labels), v in samples.items() if _is_run(n, labels)))


def _is_run(name: str, labels: str) -> bool:
    return name == "truyvet_alerts_total" and "run_completed" in labels


def _gauge(worker: Worker, name: str) -> float:
    return sum(values(worker.metrics(), name))


def _persons(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng([seed, 99])
    return [person_text(int(bits)) for bits in rng.integers(1, 2**64, count, dtype=np.uint64)]


def _visits(bench: Bench, persons: list[str], now: datetime, seed: int) -> Iterator[Record]:
    """Two scans a visit; a person's visits do not overlap."""
    rng = np.random.default_rng([seed, 98])
    step = timedelta(days=_DAYS) / _STAYS_A_CASE
    for person in persons:
        for visit in range(_STAYS_A_CASE):
            place = bench.places[int(rng.integers(len(bench.places)))]
            arrived = now - step * (visit + 1) + (step - 2 * _STAY) * float(rng.random())
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
