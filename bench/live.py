"""`truyvet bench live`: scan to queryable at a steady rate, and the highest rate kept up with.

The producer, the broker, the engine and the worker share the machine. Delays are the worker's
own: from the broker's append to the insert that was acknowledged and read back.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.load_fill import fill_closed_weeks
from bench.load_search import Look, Step, judge, lost, search
from bench.process_stack import NATION, Bench, running_bench
from bench.process_worker import Worker
from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.maintenance import merge_closed_weeks

Say = Callable[[str], None]
_DRAIN_S: Final = 300.0
_LIMIT_STEADY_MS: Final = 1000.0
_LIMIT_LIVE_MS: Final = 3000.0


@dataclass(frozen=True)
class Plan:
    """What to measure; seconds and records a second."""

    rate: float = 10_000
    seconds: float = 120
    warm_up_s: float = 10
    seconds_per_step: float = 120
    first_rate: float = 60_000
    most_rate: float = 400_000
    factor: float = 1.4
    precision: float = 0.05
    steps_most: int = 12
    maintenance_rows: int = 0  # of closed weeks, in many parts, merged during the steady stretch
    places: int = 5_000
    seed: int = 7


@dataclass(frozen=True)
class Stretch:
    """Delays over one stretch of a steady rate, and what the processes used (cores, MB)."""

    rate: float
    achieved: float
    records: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    worker_cores: float
    engine_cores: float
    kafka_cores: float
    producer_cores: float
    worker_rss_mb: float
    engine_rss_mb: float
    parts: int


@dataclass
class Result:
    """Everything measured. `live` is the stretch at 80 % of the live rate."""

    steady: Stretch
    steady_limit_ms: float = _LIMIT_STEADY_MS
    live_rate: float = 0
    steps: list[Step] = field(default_factory=list)
    live: Stretch | None = None
    live_limit_ms: float = _LIMIT_LIVE_MS
    weeks_merged: int = 0
    parts_before: int = 0
    rows: int = 0
    exact: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def run(data_dir: Path, plan: Plan, say: Say, *, find_live_rate: bool = True) -> Result:
    """Measure on a data directory of its own. Raises UserError."""
    with running_bench(data_dir, places=plan.places, seed=plan.seed, env=NATION) as bench:
        if plan.maintenance_rows:
            say(f"filling closed weeks with {plan.maintenance_rows:,} rows")
            fill_closed_weeks(bench.clickhouse, plan.maintenance_rows, plan.places)
        parts_before = bench.parts()
        worker = bench.worker()
        say(f"steady: {plan.rate:,.0f}/s for {plan.seconds:.0f} s")
        wanted = bool(plan.maintenance_rows)
        with merging(bench, wanted=wanted, after_s=plan.warm_up_s + 1) as merged:
            result = Result(stretch(bench, worker, plan.rate, plan.seconds, plan.warm_up_s))
        result.weeks_merged, result.parts_before = sum(merged), parts_before
        say(f"  p50 {result.steady.p50_ms} ms, p99 {result.steady.p99_ms} ms")
        if find_live_rate:
            result.live_rate, result.steps = _live_rate(bench, worker, plan, say)
        bench.drain(_DRAIN_S)
        accounted = bench.account()
        result.rows, result.exact = accounted.rows, accounted.exact
    if result.live_rate:
        rate = 0.8 * result.live_rate
        say(f"80 % of the live rate, anew: {rate:,.0f}/s for {plan.seconds:.0f} s")
        shutil.rmtree(data_dir)
        # What the steps left no city has at this rate: merges, and a hundred million ids in twenty
        # minutes, more than the window remembers, so that each late scan is looked up.
        with running_bench(data_dir, places=plan.places, seed=plan.seed, env=NATION) as bench:
            result.live = stretch(bench, bench.worker(), rate, plan.seconds, plan.warm_up_s)
            accounted = bench.account()
            result.rows += accounted.rows
            result.exact &= accounted.exact
    return result


def stretch(bench: Bench, worker: Worker, rate: float, seconds: float, warm_up_s: float) -> Stretch:
    """A steady rate; delays and usage from the end of the warm-up to the last acknowledgement."""
    load = bench.load(rate, int(rate * (warm_up_s + seconds)))
    time.sleep(warm_up_s)
    worker.latency(reset=True)
    begin = time.monotonic()
    before = {name: bench.usage(name) for name in ("engine", "kafka")}
    worker_before = worker.usage()
    sent = load.result(warm_up_s + 3 * seconds + _DRAIN_S)
    elapsed = time.monotonic() - begin
    used = {name: bench.usage(name) for name in before}
    worker_used = worker.usage()
    parts = bench.parts()
    bench.drain(_DRAIN_S)
    delays = worker.latency()
    cores = {name: (used[name].cpu_s - before[name].cpu_s) / elapsed for name in before}
    return Stretch(
        rate=rate,
        achieved=sent.records_per_s,
        records=int(delays["records"]),
        p50_ms=delays["p50_ms"],
        p99_ms=delays["p99_ms"],
        max_ms=delays["max_ms"],
        worker_cores=round((worker_used.cpu_s - worker_before.cpu_s) / elapsed, 3),
        engine_cores=round(cores["engine"], 3),
        kafka_cores=round(cores["kafka"], 3),
        producer_cores=round(sent.cpu_s / sent.acknowledged_s, 3),
        worker_rss_mb=round(worker_used.rss_mb, 1),
        engine_rss_mb=round(used["engine"].rss_mb, 1),
        parts=parts,
    )


def _live_rate(bench: Bench, worker: Worker, plan: Plan, say: Say) -> tuple[float, list[Step]]:
    def attempt(rate: float) -> Step:
        step = _step(bench, worker, rate, plan.seconds_per_step)
        verdict = "keeps up" if step.keeps_up else step.why
        say(f"  {rate:,.0f}/s: {verdict} (lag {step.lag_s:.2f} s)")
        bench.drain(_DRAIN_S)
        return step

    say(f"searching the live rate, {plan.seconds_per_step:.0f} s a step")
    return search(
        attempt, plan.first_rate, plan.factor, plan.most_rate, plan.precision, plan.steps_most
    )


def _step(bench: Bench, worker: Worker, rate: float, seconds: float) -> Step:
    load = bench.load(rate, int(rate * seconds))
    looks: list[Look] = []
    begin = time.monotonic()
    while (elapsed := time.monotonic() - begin) < seconds and load.running:
        looks.append(Look(elapsed, worker.lag_s(), bench.log.backlog()))
        if lost(looks[-1], rate):
            break
        time.sleep(min(1.0, seconds / 40))
    sent = load.stop() if lost(looks[-1], rate) else load.result(seconds + _DRAIN_S)
    return judge(rate, sent.records_per_s, looks, seconds)


@contextmanager
def merging(
    bench: Bench, *, wanted: bool, after_s: float = 0.0, every_s: float = 5.0
) -> Iterator[list[int]]:
    """The maintenance job beside what is measured, from `after_s` on; yields the weeks merged."""
    merged: list[int] = []
    end = threading.Event()
    clickhouse = ClickHouse(bench.settings, timeout_s=900)

    def work() -> None:
        end.wait(after_s)
        while not end.is_set():
            try:
                merged.append(merge_closed_weeks(clickhouse, datetime.now(UTC)))
            except Retryable:
                merged.append(0)
            end.wait(every_s)

    thread = threading.Thread(target=work, name="maintenance", daemon=True)
    if wanted:
        thread.start()
    try:
        yield merged
    finally:
        end.set()
        if wanted:
            thread.join(900)
        clickhouse.close()
