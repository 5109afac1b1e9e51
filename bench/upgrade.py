"""`truyvet bench upgrade`: from the version before to this one, while scans keep coming.

What an operator does (docs/upgrade.md), on one machine: workers of the old version read; the new
version migrates; its workers join them; the old ones are stopped politely, one after the other.
Afterwards every offset of the log is in exactly one table, or it is an error. Delays are seen from
outside (`bench.queryable`), so nobody's own clock is believed.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.load_offsets import account
from bench.old_build import OldBuild, given, unpacked
from bench.process_stack import Bench, running_again
from bench.process_worker import Worker, values
from bench.queryable import Delays, Looks, appended_and_delay, between, read_records
from schemas.settings import Settings
from streams.migrate import migrate

Say = Callable[[str], None]
LIMIT_MS: Final = 5_000.0  # docs/operations.md: scans can be queried in five seconds
LEAVES_WITHIN_S: Final = 10.0
_READY_S: Final = 180.0
_DRAIN_S: Final = 300.0
_NO_END: Final = 10**9  # records: the load is stopped


@dataclass(frozen=True)
class Plan:
    """Scans a second; seconds of each stretch, and between two steps of the upgrade."""

    revision: str = "HEAD^"
    tree: Path | None = None
    rate: float = 5_000
    seconds: float = 60
    apart_s: float = 15
    warm_up_s: float = 10
    workers: int = 2
    look_s: float = 0.1
    places: int = 5_000
    seed: int = 7


@dataclass
class Left:
    """How one of the old workers went, and whether it had written anything beside the new."""

    seconds: float
    exit_code: int
    wrote_beside: int


@dataclass
class Result:
    """Everything measured; delays in milliseconds, by when the broker had the scan.

    `steps`: the delays from one step of the upgrade to the next.
    """

    old: str
    migrated: list[str] = field(default_factory=list)
    rate: float = 0
    sent: int = 0
    before: Delays | None = None
    during: Delays | None = None
    after: Delays | None = None
    during_s: float = 0
    steps: dict[str, Delays] = field(default_factory=dict)
    new_ready_s: list[float] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    log: int = 0
    rows: int = 0
    lost: int = 0
    twice: int = 0
    beyond: int = 0
    limit_ms: float = LIMIT_MS

    @property
    def exact(self) -> bool:
        """Every offset once, and nothing else."""
        return self.rows == self.log == self.sent and not (self.lost or self.twice or self.beyond)

    @property
    def graceful(self) -> bool:
        """The old workers worked beside the new, and went when they were asked to."""
        return all(
            it.exit_code == 0 and it.seconds <= LEAVES_WITHIN_S and it.wrote_beside
            for it in self.left
        )

    @property
    def prompt(self) -> bool:
        """The upgrade stayed within the limit."""
        return self.during is not None and self.during.p99_ms <= self.limit_ms

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "exact": self.exact, "graceful": self.graceful}


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """On a data directory of its own. Raises UserError."""
    old = given(plan.tree) if plan.tree else unpacked(plan.revision, data_dir / "old")
    old.check()
    say(f"from {old.name}")

    def migrated(settings: Settings) -> None:
        old.run(_variables(settings), "migrate")

    with running_again(data_dir, places=plan.places, seed=plan.seed, migrated=migrated) as bench:
        looks = Looks(bench.settings, plan.look_s)
        result = Result(old.name, rate=plan.rate)
        begun = _upgrade(bench, old, plan, result, looks, say)
        found = account(bench.clickhouse, bench.log.ranges())
        result.log, result.rows = found.log, found.rows
        result.lost, result.twice, result.beyond = found.missing, found.twice, found.beyond
        seen = appended_and_delay(looks.seen, read_records(bench.clickhouse))
    moments = [moment for _, moment in begun]
    (*_, after, end) = moments
    first = moments[1]
    result.before = between(*seen, moments[0], first)
    result.during, result.during_s = between(*seen, first, after), (after - first) / 1000
    result.after = between(*seen, after, end)
    result.steps = {
        step: between(*seen, moment, until)
        for (step, moment), until in zip(begun[1:-2], moments[2:-1], strict=True)
    }
    return result


def _upgrade(
    bench: Bench, old: OldBuild, plan: Plan, result: Result, looks: Looks, say: Say
) -> list[tuple[str, int]]:
    """What began when (Unix ms): before, the steps, after, and the end."""
    begun: list[tuple[str, int]] = []

    def now(step: str) -> None:
        say(f"{step} …")
        begun.append((step, time.time_ns() // 1_000_000))

    old_workers = [bench.begin_worker(tree=old.tree) for _ in range(plan.workers)]
    for worker in old_workers:
        worker.wait_ready(_READY_S)
    looks.start()
    load = bench.load(plan.rate, _NO_END)
    time.sleep(plan.warm_up_s)
    now("before")
    time.sleep(plan.seconds)
    now("migrate")
    result.migrated = migrate(bench.settings)
    time.sleep(plan.apart_s)
    before = [_written(worker) for worker in old_workers]
    for number, _ in enumerate(old_workers, 1):
        now(f"new worker {number} starts")
        started = time.monotonic()
        bench.begin_worker().wait_ready(_READY_S)
        result.new_ready_s.append(round(time.monotonic() - started, 1))
        time.sleep(plan.apart_s)
    for number, (worker, wrote) in enumerate(zip(old_workers, before, strict=True), 1):
        beside = int(_written(worker) - wrote)
        now(f"old worker {number} leaves")
        asked = time.monotonic()
        code = worker.stop()
        result.left.append(Left(round(time.monotonic() - asked, 1), code, beside))
        time.sleep(plan.apart_s)
    now("after")
    time.sleep(plan.seconds)
    now("end")
    result.sent = load.stop().sent
    bench.drain(_DRAIN_S)
    looks.stop()
    return begun


def _written(worker: Worker) -> float:
    """Records that this worker has brought into the tables. Raises UserError if it ended."""
    worker.usage()
    return sum(values(worker.metrics(), "truyvet_scans_in_total"))


def _variables(settings: Settings) -> dict[str, str]:
    return {
        "TRUYVET_DATA_DIR": str(settings.data_dir),
        "TRUYVET_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "TRUYVET_CLICKHOUSE_URL": settings.clickhouse_url,
    }
