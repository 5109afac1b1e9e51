"""`truyvet bench soak`: half an hour at a steady rate; does memory stay flat?

The duplicate window grows with every id until its days are full, which no soak reaches: its
share is reported apart, from the ids written and the bytes that one costs.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.live import merging
from bench.load_fill import fill_closed_weeks
from bench.memory_series import Row, Sampler, mean_between, sparkline, write_csv
from bench.process_stack import NATION, Bench, running_bench
from bench.process_worker import Worker, values

Say = Callable[[str], None]
CAP: Final = 50_000.0
_DRAIN_S: Final = 600.0


@dataclass(frozen=True)
class Plan:
    """`rate` in records a second; the first look for the ratio is at `settle_s`."""

    rate: float = CAP
    seconds: float = 1800
    settle_s: float = 300
    mean_s: float = 60
    every_s: float = 10
    maintenance_rows: int = 2_000_000
    places: int = 5_000
    seed: int = 7


@dataclass
class Result:
    """MB resident; the ratio is the mean of the last minute to that of the one at `settle_s`."""

    rate: float
    achieved: float
    seconds: float
    rss_settled_mb: float
    rss_end_mb: float
    rss_ratio: float
    engine_ratio: float
    kafka_ratio: float
    parts_most: int
    parts_end: int
    lag_most_s: float
    weeks_merged: int
    rows: int
    exact: bool
    series: list[Row] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def sparklines(self) -> dict[str, str]:
        """A line each for what matters."""
        names = ("worker_mb", "engine_mb", "kafka_mb", "parts", "lag_s")
        return {name: sparkline([row[name] for row in self.series]) for name in names}


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """Measure on a data directory of its own, the series in `soak.csv` there. Raises UserError."""
    with running_bench(data_dir, places=plan.places, seed=plan.seed, env=NATION) as bench:
        if plan.maintenance_rows:
            fill_closed_weeks(bench.clickhouse, plan.maintenance_rows, plan.places)
        worker = bench.worker()
        say(f"{plan.rate:,.0f}/s for {plan.seconds / 60:.1f} minutes")
        sampler = Sampler(lambda: _look(bench, worker), plan.every_s)
        with merging(bench, wanted=bool(plan.maintenance_rows)) as merged:
            load = bench.load(plan.rate, int(plan.rate * plan.seconds))
            sampler.start()
            sent = load.result(2 * plan.seconds + _DRAIN_S)
            series = sampler.stop()
        write_csv(data_dir / "soak.csv", series)
        bench.drain(_DRAIN_S)
        accounted = bench.account()
        weeks = sum(merged)
        parts_end = bench.parts()
    end_s = series[-1]["at_s"] + 0.001
    settle_s = min(plan.settle_s, end_s / 2)
    settled = (settle_s, settle_s + max(plan.mean_s, 2 * plan.every_s))
    last = (end_s - max(plan.mean_s, 2 * plan.every_s), end_s)

    def ratio(name: str) -> float:
        return mean_between(series, name, *last) / mean_between(series, name, *settled)

    before = mean_between(series, "worker_mb", *settled)
    after = mean_between(series, "worker_mb", *last)
    return Result(
        rate=plan.rate,
        achieved=sent.records_per_s,
        seconds=sent.seconds,
        rss_settled_mb=round(before, 1),
        rss_end_mb=round(after, 1),
        rss_ratio=round(after / before, 3),
        engine_ratio=round(ratio("engine_mb"), 3),
        kafka_ratio=round(ratio("kafka_mb"), 3),
        parts_most=int(max(row["parts"] for row in series)),
        parts_end=parts_end,
        lag_most_s=max(row["lag_s"] for row in series),
        weeks_merged=weeks,
        rows=accounted.rows,
        exact=accounted.exact,
        series=series,
    )


def _look(bench: Bench, worker: Worker) -> Row:
    samples = worker.metrics()
    used = worker.usage()
    return {
        "worker_mb": round(used.rss_mb, 1),
        "engine_mb": round(bench.usage("engine").rss_mb, 1),
        "kafka_mb": round(bench.usage("kafka").rss_mb, 1),
        "worker_cpu_s": used.cpu_s,
        "parts": bench.parts(),
        "lag_s": round(max(values(samples, "truyvet_lag_seconds"), default=0.0), 3),
    }
