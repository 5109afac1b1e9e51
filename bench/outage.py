"""`truyvet bench outage`: ClickHouse is gone for minutes while scans keep coming.

Killed, its supervisor holds it down for that long (its back-off) and starts it again; stopped
(SIGSTOP), it hangs and answers nothing until it is continued. Nobody helps the worker.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import httpx

from bench.memory_series import Row, Sampler, mean_between, sparkline, write_csv
from bench.process_stack import Bench, running_bench
from bench.process_worker import Worker, values, wait_for
from deploy.embedded.service import BackOff
from schemas.errors import UserError

Say = Callable[[str], None]
How = Literal["kill", "stop"]
_RESTART_S: Final = 120.0
_CAUGHT_UP_S: Final = 3.0  # lag of a worker that is not behind, with room


@dataclass(frozen=True)
class Plan:
    """Seconds without the engine, at `rate` records a second; `settle_s` before it is gone."""

    seconds: float = 600
    rate: float = 20_000
    how: How = "kill"
    every_s: float = 2
    settle_s: float = 15
    places: int = 5_000
    seed: int = 7


@dataclass
class Result:
    """MB resident; the catch-up rate is of records written from the engine's return on."""

    how: How
    down_s: float
    rate: float
    sent: int
    backlog: int
    rss_before_mb: float
    rss_most_during_mb: float
    rss_last_during_mb: float
    rss_most_after_mb: float
    engine_away_share: float  # of the looks during the outage, less its first 15 s
    not_ready_share: float
    ready_said: list[str]
    away_after: bool
    ready_after: bool
    catch_up_s: float
    catch_up_per_s: float
    rows: int
    exact: bool
    series: list[Row] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def sparklines(self) -> dict[str, str]:
        """A line each for what matters."""
        names = ("worker_mb", "backlog", "engine_away", "ready")
        return {name: sparkline([row[name] for row in self.series]) for name in names}


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """On a data directory of its own; the series is `outage.csv` there. Raises UserError."""
    held = BackOff(first_s=plan.seconds, factor=1, cap_s=plan.seconds)
    back_off = held if plan.how == "kill" else None
    with running_bench(data_dir, places=plan.places, seed=plan.seed, back_off=back_off) as bench:
        worker = bench.worker()
        said: set[str] = set()
        sampler = Sampler(lambda: _look(bench, worker, said), plan.every_s)
        load = bench.load(plan.rate, int(plan.rate * (plan.seconds + 4 * plan.settle_s)))
        begin = time.monotonic()
        sampler.start()
        time.sleep(plan.settle_s)
        say(f"the engine is gone for {plan.seconds:.0f} s at {plan.rate:,.0f}/s ({plan.how})")
        said.clear()
        gone = time.monotonic()
        _outage(bench, plan)
        back = time.monotonic()
        backlog, written = bench.log.backlog(), _written(worker)
        say(f"it is back; {backlog:,} records wait")
        wait_for(lambda: _caught_up(worker), 30 + 3 * plan.seconds, "the worker to catch up")
        caught = time.monotonic()
        done = _written(worker) - written
        ready_said = sorted(said)
        sent = load.result(10 * plan.settle_s + plan.seconds + _RESTART_S)
        bench.drain(300)
        last = _look(bench, worker, said)
        series = sampler.stop()
        write_csv(data_dir / "outage.csv", series)
        accounted = bench.account()
    down = [r for r in series if gone + min(15, plan.seconds / 2) <= begin + r["at_s"] < back - 2]
    if not down:
        raise UserError(
            "Không có mẫu nào trong lúc ngắt: hãy ngắt lâu hơn. / "
            "Nothing was sampled during the outage: make it longer."
        )
    return Result(
        how=plan.how,
        down_s=round(back - gone, 1),
        rate=plan.rate,
        sent=sent.sent,
        backlog=backlog,
        rss_before_mb=round(mean_between(series, "worker_mb", plan.settle_s / 2, gone - begin), 1),
        rss_most_during_mb=max(row["worker_mb"] for row in down),
        rss_last_during_mb=down[-1]["worker_mb"],
        rss_most_after_mb=max(r["worker_mb"] for r in series if begin + r["at_s"] >= back - 2),
        engine_away_share=round(sum(row["engine_away"] for row in down) / len(down), 3),
        not_ready_share=round(1 - sum(row["ready"] for row in down) / len(down), 3),
        ready_said=ready_said,
        away_after=bool(last["engine_away"]),
        ready_after=bool(last["ready"]),
        catch_up_s=round(caught - back, 1),
        catch_up_per_s=round(done / max(caught - back, 1e-9)),
        rows=accounted.rows,
        exact=accounted.exact,
        series=series,
    )


def _outage(bench: Bench, plan: Plan) -> None:
    """Returns when the engine answers again."""
    if plan.how == "stop":
        bench.stack.kill("engine", signal.SIGSTOP)
        time.sleep(plan.seconds)
        bench.stack.kill("engine", signal.SIGCONT)
        bench.stack.wait_ready("engine", _RESTART_S)
    else:
        bench.stack.kill("engine", signal.SIGKILL)
        bench.stack.wait_ready("engine", plan.seconds + _RESTART_S)


def _caught_up(worker: Worker) -> bool:
    return worker.lag_s() < _CAUGHT_UP_S


def _written(worker: Worker) -> float:
    return sum(values(worker.metrics(), "truyvet_scans_in_total"))


def _look(bench: Bench, worker: Worker, said: set[str]) -> Row:
    ready, missing = worker.ready()
    said.update(missing)
    try:
        samples = worker.metrics()
    except httpx.HTTPError as error:
        raise UserError(
            f"/metrics không trả lời ({error}). / /metrics does not answer ({error})."
        ) from None
    return {
        "worker_mb": round(worker.usage().rss_mb, 1),
        "kafka_mb": round(bench.usage("kafka").rss_mb, 1),
        "engine_away": max(values(samples, "truyvet_engine_away"), default=0.0),
        "ready": float(ready),
        "lag_s": round(max(values(samples, "truyvet_lag_seconds"), default=0.0), 3),
        "in_flight": sum(values(samples, "truyvet_batches_in_flight")),
        "backlog": bench.log.backlog(),
    }
