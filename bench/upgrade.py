"""`truyvet bench upgrade`: from the version before to this one, while scans keep coming.

What an operator does (docs/upgrade.md), on one machine: workers of the old version read; the new
version migrates; its workers join them; the old ones are stopped politely, one after the other.
Afterwards every offset of the log is in exactly one table, or it is an error. Delays are seen from
outside (`bench.queryable`), so nobody's own clock is believed.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from bench.load_offsets import account
from bench.old_build import OldBuild, given, unpacked
from bench.process_stack import NATION, Bench, running_again
from bench.process_worker import Worker, values
from bench.queryable import Delays, Looks, appended_and_delay, between, read_records
from schemas.errors import UserError
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
    """Everything measured; delays in milliseconds, by when the broker had the scan."""

    old: str
    migrated: list[str] = field(default_factory=list)
    rate: float = 0
    sent: int = 0
    before: Delays | None = None
    during: Delays | None = None
    after: Delays | None = None
    during_s: float = 0
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

    with running_again(
        data_dir, places=plan.places, seed=plan.seed, env=NATION, migrated=migrated
    ) as bench:
        looks = Looks(bench.settings, plan.look_s)
        result = Result(old.name, rate=plan.rate)
        ends = _upgrade(bench, old, plan, result, looks, say)
        found = account(bench.clickhouse, bench.log.ranges())
        result.log, result.rows = found.log, found.rows
        result.lost, result.twice, result.beyond = found.missing, found.twice, found.beyond
        appended, delays = appended_and_delay(looks.seen, read_records(bench.clickhouse))
    result.before, result.during, result.after = (
        between(appended, delays, begin, end) for begin, end in pairwise(ends)
    )
    return result


def _upgrade(
    bench: Bench, old: OldBuild, plan: Plan, result: Result, looks: Looks, say: Say
) -> list[int]:
    """The moments at which the stretches begin, and the end of the last (Unix ms)."""
    old_workers = [bench.begin_worker(tree=old.tree) for _ in range(plan.workers)]
    for worker in old_workers:
        worker.wait_ready(_READY_S)
    looks.start()
    load = bench.load(plan.rate, _NO_END)
    time.sleep(plan.warm_up_s)
    ends = [_now_ms()]
    say(f"{plan.workers} old workers, {plan.rate:,.0f} scans a second")
    time.sleep(plan.seconds)
    ends.append(_now_ms())
    result.migrated = migrate(bench.settings)
    say(f"migrated while they work: {', '.join(result.migrated) or 'nothing to do'}")
    time.sleep(plan.apart_s)
    before = [_written(worker) for worker in old_workers]
    for _ in old_workers:
        begun = time.monotonic()
        bench.begin_worker().wait_ready(_READY_S)
        result.new_ready_s.append(round(time.monotonic() - begun, 1))
        say(f"a new worker beside them is ready after {result.new_ready_s[-1]} s")
        time.sleep(plan.apart_s)
    for worker, wrote in zip(old_workers, before, strict=True):
        beside = int(_written(worker) - wrote)
        begun = time.monotonic()
        code = worker.stop()
        result.left.append(Left(round(time.monotonic() - begun, 1), code, beside))
        say(f"an old worker left in {result.left[-1].seconds} s, exit code {code}")
        time.sleep(plan.apart_s)
    ends.append(_now_ms())
    result.during_s = round((ends[2] - ends[1]) / 1000, 1)
    say("the new ones alone")
    time.sleep(plan.seconds)
    ends.append(_now_ms())
    result.sent = load.stop().sent
    bench.drain(_DRAIN_S)
    looks.stop()
    return ends


def _written(worker: Worker) -> float:
    """Records that this worker has brought into the tables. Raises UserError if it ended."""
    if not worker.ready()[0]:
        raise UserError(f"a worker that should work beside others is not ready; see {worker.log}")
    return sum(values(worker.metrics(), "truyvet_scans_in_total"))


def _variables(settings: Settings) -> dict[str, str]:
    return {
        "TRUYVET_DATA_DIR": str(settings.data_dir),
        "TRUYVET_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "TRUYVET_CLICKHOUSE_URL": settings.clickhouse_url,
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
