"""`truyvet bench growth`: does a scan cost more when the table is large?

The rows that are there before lie in the topic's own partitions, at offsets before its log's
start, as rows do whose records retention has taken away. So the recipe's reading of offsets, the
window's rebuild, the look-ups and the merges all meet them.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.load_encode import Mix
from bench.load_fill import PARTITIONS, fill
from bench.load_head import cut_head
from bench.process_stack import Bench, running_again, running_bench
from bench.process_worker import Worker, values, wait_for
from bench.trace_fill import merge_weeks
from bench.yardstick import yardstick_ms
from schemas.topics import SCANS
from streams.present import attempt_mark, end_attempts, present_rows

Say = Callable[[str], None]
_DRAIN_S: Final = 900.0
_MERGE_S: Final = 3600.0
_WARM_UP: Final = 20_000


@dataclass(frozen=True)
class Plan:
    """Rows in the table at each stage after the empty one; scans ingested in each round of it, and
    how fast."""

    rows: tuple[int, ...] = (10_000_000, 100_000_000)
    records: int = 1_000_000
    rate: float = 50_000
    paper_records: int = 200_000
    places: int = 5_000
    seed: int = 7
    rounds: int = 3


@dataclass(frozen=True)
class Present:
    """Ending old attempts and reading which offsets are there: seconds, all partitions."""

    at_end_s: float  # from the committed offset on, the usual case
    from_log_start_s: float  # nothing committed: all records of the log
    slowest_partition_s: float


@dataclass(frozen=True)
class Cost:
    """Of one round of ingest. CPU in µs a scan; `with_merges` until the engine rests.

    `yardstick_ms`: of `bench.yardstick`, before and after; `yardsticks`: how many a million scans
    cost, which an hour in which the machine is slow does not change.
    """

    records: int
    seconds: float
    worker_us: float
    engine_us: float
    engine_with_merges_us: float
    total_us: float
    yardstick_ms: float
    yardsticks: float
    p99_ms: float


@dataclass(frozen=True)
class Stage:
    """Ingest with `rows` in the table. `cost`: the round in the middle by its yardsticks."""

    rows: int
    parts_filled: int
    parts_before: int
    parts_after: int
    present_unmerged: Present
    present: Present
    rebuild_s: float
    rebuild_ids: int
    remember_s: float
    cost: Cost
    rounds: list[Cost]


@dataclass(frozen=True)
class Paper:
    """Two weeks of late scans that come at once."""

    records: int
    inserts: int
    parts_created: int
    parts_per_insert: float
    parts_before: int
    parts_after: int
    parts_after_merges: int
    seconds: float


@dataclass(frozen=True)
class Result:
    """`ratio_last_to_empty` and `ratio_last_to_first_filled`: CPU a scan, merges included, each in
    the yardsticks of its own time."""

    stages: list[Stage]
    ratio_last_to_empty: float
    ratio_last_to_first_filled: float
    present_limit_s: float
    paper: Paper
    exact: bool

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """Measure on a data directory of its own. Raises UserError."""
    first = -(-max(plan.rows, default=0) // PARTITIONS)
    env = {"scan_partitions": PARTITIONS}
    with running_bench(data_dir, places=plan.places, seed=plan.seed, env=env):
        say(f"the log will begin at offset {first:,}")
    if first:
        cut_head(data_dir / "kafka", SCANS.name, PARTITIONS, first)
    stages: list[Stage] = []
    with running_again(data_dir, places=plan.places, seed=plan.seed, env=env) as bench:
        assert all(low == first for low, _ in bench.log.ranges().values()), "the head is not cut"
        have = 0
        for rows in (0, *plan.rows):
            say(f"{rows:,} rows in the table")
            # as if they had come until now; the same end for each stage would do as well
            fill(bench.clickhouse, have, rows, plan.places, datetime.now(UTC))
            have = rows
            stages.append(_stage(bench, rows, plan, say))
        say(f"{plan.paper_records:,} scans of two weeks, typed from paper, at once")
        paper = _paper(bench, plan)
        exact = bench.account().exact
    costs = [stage.cost.yardsticks for stage in stages]
    return Result(
        stages=stages,
        ratio_last_to_empty=round(costs[-1] / costs[0], 3),
        ratio_last_to_first_filled=round(costs[-1] / costs[min(1, len(costs) - 1)], 3),
        present_limit_s=2.0,
        paper=paper,
        exact=exact,
    )


def _stage(bench: Bench, rows: int, plan: Plan, say: Say) -> Stage:
    parts_filled = bench.parts()
    unmerged = _present(bench)
    bench.wait_merged(_MERGE_S)
    merged = _present(bench)
    # a merge of what was filled, which any insert may set off, is no cost of the scans to come
    merge_weeks(bench.clickhouse, current=True)
    worker = bench.worker()
    bench.load(0, _WARM_UP).result(_DRAIN_S)
    bench.drain(_DRAIN_S)
    wait_for(lambda: _remembered(worker.log) == PARTITIONS, _MERGE_S, "older ids to be remembered")
    bench.wait_merged(_MERGE_S)
    parts_before = bench.parts()
    times = plan.rounds if rows else 1  # after one the table is empty no longer
    rounds = [_round(bench, worker, plan) for _ in range(times)]
    rebuilt = rebuilds(worker.log)
    remembered = sum(e["seconds"] for e in events(worker.log, "window_remembers"))
    worker.stop()
    cost = sorted(rounds, key=lambda r: r.yardsticks)[len(rounds) // 2]
    stage = Stage(
        rows=rows,
        parts_filled=parts_filled,
        parts_before=parts_before,
        parts_after=bench.parts(),
        present_unmerged=unmerged,
        present=merged,
        rebuild_s=round(sum(s for _, s in rebuilt), 2),
        rebuild_ids=sum(ids for ids, _ in rebuilt),
        remember_s=round(remembered, 2),
        cost=cost,
        rounds=rounds,
    )
    say(
        f"  {cost.total_us} µs a scan, {cost.yardsticks} yardsticks a million; "
        f"offsets read in {merged.at_end_s} s"
    )
    return stage


def _round(bench: Bench, worker: Worker, plan: Plan) -> Cost:
    yardstick = yardstick_ms()
    worker.latency(reset=True)
    begin, worker_before, engine_before = time.monotonic(), worker.usage(), bench.usage("engine")
    bench.load(plan.rate, plan.records).result(_DRAIN_S)
    bench.drain(_DRAIN_S)
    seconds = time.monotonic() - begin
    worker_after, engine_after = worker.usage(), bench.usage("engine")
    p99_ms = worker.latency()["p99_ms"]
    bench.wait_merged(_MERGE_S)
    engine_rest = bench.usage("engine")
    yardstick = (yardstick + yardstick_ms()) / 2
    worker_s = worker_after.cpu_s - worker_before.cpu_s
    engine_s = engine_rest.cpu_s - engine_before.cpu_s

    def per_scan(cpu_s: float) -> float:
        return round(1e6 * cpu_s / plan.records, 3)

    return Cost(
        records=plan.records,
        seconds=round(seconds, 2),
        worker_us=per_scan(worker_s),
        engine_us=per_scan(engine_after.cpu_s - engine_before.cpu_s),
        engine_with_merges_us=per_scan(engine_s),
        total_us=per_scan(worker_s + engine_s),
        yardstick_ms=round(yardstick, 2),
        yardsticks=round(per_scan(worker_s + engine_s) * 1_000 / yardstick, 3),
        p99_ms=p99_ms,
    )


def _present(bench: Bench) -> Present:
    """What a worker does first with each partition that is assigned to it, one after the other."""
    ranges = bench.log.ranges()
    seconds: dict[int, list[float]] = {0: [], 1: []}
    for which in (1, 0):  # at the end first: what it reads is not in any cache of the other's
        for partition, bounds in ranges.items():
            begin = time.monotonic()
            end_attempts(bench.clickhouse, attempt_mark(SCANS.name, partition))
            present_rows(bench.clickhouse, partition, bounds[which])
            seconds[which].append(time.monotonic() - begin)
    return Present(
        at_end_s=round(sum(seconds[1]), 3),
        from_log_start_s=round(sum(seconds[0]), 3),
        slowest_partition_s=round(max(seconds[0] + seconds[1]), 3),
    )


def _paper(bench: Bench, plan: Plan) -> Paper:
    parts_before, blocks = bench.parts(), _blocks(bench)
    bench.load(0, plan.paper_records, Mix(spread_days=14.0)).result(_DRAIN_S)
    worker = bench.worker()
    begin = time.monotonic()
    bench.drain(_DRAIN_S)
    seconds = time.monotonic() - begin
    created, parts_after = _blocks(bench) - blocks, bench.parts()
    inserts = _inserts(worker)
    worker.stop()
    bench.wait_merged(_MERGE_S)
    return Paper(
        records=plan.paper_records,
        inserts=inserts,
        parts_created=created,
        parts_per_insert=round(created / max(inserts, 1), 2),
        parts_before=parts_before,
        parts_after=parts_after,
        parts_after_merges=bench.parts(),
        seconds=round(seconds, 2),
    )


def _blocks(bench: Bench) -> int:
    """The table's newest block number: an inserted part takes the next, a merge takes none."""
    [(newest,)] = bench.clickhouse.rows(
        "SELECT max(max_block_number) FROM system.parts WHERE table = 'scans'"
    )
    return int(newest)


def _inserts(worker: Worker) -> int:
    samples = worker.metrics()
    mine = {k: v for k, v in samples.items() if k[1] == 'table="scans"'}
    return int(sum(values(mine, "truyvet_insert_seconds_count")))


def rebuilds(log: Path) -> list[tuple[int, float]]:
    """(ids, seconds) of each window a worker rebuilt, from its log."""
    return [(int(e["ids"]), float(e["seconds"])) for e in events(log, "window_rebuilt")]


def _remembered(log: Path) -> int:
    """How many partitions' older ids a worker has done with."""
    return len({e["partition"] for e in events(log, "window_complete")})


def events(log: Path, name: str) -> list[dict[str, Any]]:
    """A worker's log entries of that event."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [json.loads(line) for line in lines if f'"{name}"' in line]
