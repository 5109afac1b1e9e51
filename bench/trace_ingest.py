"""Traces while ingest runs: the same cases on the idle machine, and beside a steady load.

In turn with each trace a loop takes as much CPU as that case's trace took by the clock on the idle
machine, and reads nothing: what the load, and the thread that follows the table, leave of the
cores to anybody in this process.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.process_stack import NATION, Bench
from bench.trace_cases import Tracer, percentiles

Say = Callable[[str], None]
_CASES: Final = 200
_DRAIN_S: Final = 600.0


@dataclass(frozen=True)
class Busy:
    """`ratio`: p99 beside the load to p99 on the idle machine, of the same cases; `loop_…`: of the
    loops beside the load, to the same."""

    rate: float
    achieved: float
    idle_cases: int
    idle_p50_ms: float
    idle_p99_ms: float
    cases: int
    p50_ms: float
    p99_ms: float
    ratio: float
    loop_p50_ms: float
    loop_p99_ms: float
    loop_ratio: float
    lag_s: float
    rows: int
    exact: bool


def busy(
    bench: Bench, tracer: Tracer, rate: float, warm_up_s: float, seconds: float, say: Say
) -> Busy:
    """Trace with an idle worker, then with one that ingests `rate` a second, timed after
    `warm_up_s` of it. Raises UserError."""
    worker = bench.worker(**NATION)
    cases = tracer.cases(_CASES)
    for case in cases[:5]:
        tracer.trace(case)
    idle = [tracer.timed(case)[0] for case in cases]
    idle_p50, idle_p99, _ = percentiles(idle)
    say(f"  idle: p50 {idle_p50} ms, p99 {idle_p99} ms; now {rate:,.0f} scans a second")
    load = bench.load(rate, int(rate * (warm_up_s + seconds)))
    time.sleep(warm_up_s)
    beside: list[float] = []
    loops: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and load.running:
        number = len(beside) % len(cases)
        beside.append(tracer.timed(cases[number])[0])
        loops.append(_loop(idle[number]))
    lag_s = worker.lag_s()
    sent = load.result(seconds + _DRAIN_S)
    bench.drain(_DRAIN_S)
    accounted = bench.account()
    worker.stop()
    p50, p99, _ = percentiles(beside)
    loop_p50, loop_p99, _ = percentiles(loops)
    say(
        f"  beside ingest: p50 {p50} ms, p99 {p99} ms; a loop: p50 {loop_p50} ms, p99 {loop_p99} ms"
    )
    return Busy(
        rate=rate,
        achieved=sent.records_per_s,
        idle_cases=len(idle),
        idle_p50_ms=idle_p50,
        idle_p99_ms=idle_p99,
        cases=len(beside),
        p50_ms=p50,
        p99_ms=p99,
        ratio=round(p99 / idle_p99, 3),
        loop_p50_ms=loop_p50,
        loop_p99_ms=loop_p99,
        loop_ratio=round(loop_p99 / idle_p99, 3),
        lag_s=round(lag_s, 3),
        rows=accounted.rows,
        exact=accounted.exact,
    )


def _loop(cpu_s: float) -> float:
    """Take so much CPU: seconds by the clock."""
    begin, used = time.perf_counter(), time.thread_time()
    while time.thread_time() - used < cpu_s:
        pass
    return time.perf_counter() - begin
