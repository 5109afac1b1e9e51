"""truyvet's row: workers of a fresh group, into emptied tables, until every record is a row.

Everything that production does is on. What the tables hold afterwards must be what the producer
said must come of the topic, to the record.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bench import tables
from bench.fill import Filled
from bench.processes import cpu_seconds, total_cpu
from deploy.embedded.ports import PortRequest, choose
from schemas import metrics as m
from schemas.errors import UserError
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES

_LOOK_S: Final = 0.25
# as the parser names them: without a counter's suffix
_OUTCOME_METRICS: Final = frozenset(
    definition.name.removesuffix("_total")
    for definition in (m.SCANS_WRITTEN, m.SCANS_DUPLICATE, m.SCANS_REJECTED, m.SCANS_EXPIRED)
)
_STEP_CPU: Final = m.STEP_CPU.name


@dataclass(frozen=True)
class Services:
    """The processes beside the workers."""

    engine: int
    broker: int


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one round. `steps`: of the worker's, by its threads' clocks."""

    worker: float
    engine: float
    merging: float
    broker: float
    steps: Mapping[str, float]

    def per_event(self, records: int) -> dict[str, float]:
        """Microseconds an event, by process; `merging` is the engine's after the last insert."""
        spent = {
            "worker": self.worker,
            "engine": self.engine,
            "engine_merging_afterwards": self.merging,
            "broker": self.broker,
        }
        return {name: round(seconds / records * 1e6, 3) for name, seconds in spent.items()}

    def steps_per_event(self, records: int) -> dict[str, float]:
        """Microseconds an event in each step, by the workers' own clocks."""
        return {name: round(s / records * 1e6, 3) for name, s in sorted(self.steps.items())}


@dataclass(frozen=True)
class Round:
    """Records a second from the first delivery to the last acknowledged insert."""

    rate: float
    cost: Cost


@dataclass
class Worker:
    """One worker process and what was last heard of it."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    cpu_at_start: float | None = None
    done: int = 0
    moved: float = 0.0  # monotonic, when `done` last grew


def run_truyvet(
    env: Mapping[str, str],
    clickhouse: ClickHouse,
    services: Services,
    filled: Filled,
    workers: int,
    tag: str,
    timeout_s: float,
) -> Round:
    """One round. Raises UserError if a worker dies, it takes too long, or a record is missing."""
    for table in OUTCOMES:
        clickhouse.command(f"TRUNCATE TABLE {table}")
    tables.quiet(clickhouse)
    before = cpu_seconds(services.engine), cpu_seconds(services.broker)
    with ExitStack() as stack:
        group = {**os.environ, **env, "TRUYVET_WORKER_GROUP": f"bench-{tag}"}
        started = [
            stack.enter_context(_worker(group, f"{tag}-{number}")) for number in range(workers)
        ]
        _wait(started, filled.records, timeout_s)
        spent = total_cpu(w.process.pid for w in started) - sum(
            w.cpu_at_start or 0.0 for w in started
        )
        after = cpu_seconds(services.engine), cpu_seconds(services.broker)
        rate = _rate(started, filled.records)
        steps = _steps(started)
    tables.quiet(clickhouse)
    merged = cpu_seconds(services.engine)
    verify(clickhouse, filled)
    cost = Cost(spent, after[0] - before[0], merged - after[0], after[1] - before[1], steps)
    return Round(rate, cost)


def verify(clickhouse: ClickHouse, filled: Filled) -> None:
    """Raises UserError unless each record is in exactly the table it must be in."""
    found = {table: tables.count(clickhouse, table) for table in OUTCOMES}
    due = {
        "scans": filled.written,
        "rejects": filled.rejects,
        "duplicates": filled.duplicates,
        "expired": 0,
    }
    wrong = [
        f"{name}: {found[name]:,}, must be {rows:,}"
        for name, rows in due.items()
        if found[name] != rows
    ]
    if wrong:
        told = "; ".join(wrong)
        raise UserError(
            f"Các bảng không chứa đúng những gì đã gửi: {told}. / "
            f"The tables do not hold what was published: {told}."
        )
    for name, rows in due.items():
        partitions = clickhouse.rows(f"SELECT DISTINCT kafka_partition FROM {name}")  # noqa: S608
        offsets = sum(_different(clickhouse, name, *row) for row in partitions)
        if offsets != rows:
            raise UserError(
                f"{name} có {rows:,} dòng của {offsets:,} bản ghi khác nhau. / "
                f"{name} has {rows:,} rows of {offsets:,} different records."
            )


def _different(clickhouse: ClickHouse, table: str, partition: int) -> int:
    """Offsets of a partition: of all at once they would not fit the engine's memory."""
    [(offsets,)] = clickhouse.rows(
        f"SELECT uniqExact(kafka_offset) FROM {table} WHERE kafka_partition = {partition}"  # noqa: S608
    )
    return int(offsets)


@contextmanager
def _worker(env: Mapping[str, str], tag: str) -> Iterator[Worker]:
    port = choose((PortRequest("metrics"),), {})["metrics"]
    log = Path(env["TRUYVET_DATA_DIR"]) / "logs" / f"bench-worker-{tag}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "console.cli.main", "worker", "--metrics-port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=dict(env), stdout=output, stderr=output)
        try:
            yield Worker(port, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(workers: Sequence[Worker], records: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while sum(worker.done for worker in workers) < records:
        for worker in workers:
            _look(worker)
        if time.monotonic() > deadline:
            done = sum(worker.done for worker in workers)
            raise UserError(
                f"truyvet chỉ ghi {done:,} trong {records:,} lượt quét sau {timeout_s:.0f} giây. / "
                f"truyvet wrote {done:,} of {records:,} scans in {timeout_s:.0f} s."
            )
        time.sleep(_LOOK_S)


def _look(worker: Worker) -> None:
    if worker.process.poll() is not None:
        last = worker.log.read_text("utf-8", "replace")[-300:]
        raise UserError(
            f"Một worker đã dừng ({worker.process.returncode}); {worker.log}: {last} / "
            f"A worker ended ({worker.process.returncode}); {worker.log}: {last}"
        )
    found = _metrics(worker.port)
    if not found:
        return
    if worker.cpu_at_start is None:  # it answers: its imports are behind it
        worker.cpu_at_start = cpu_seconds(worker.process.pid)
    done = int(sum(found[name] for name in found if name[0] in _OUTCOME_METRICS))
    if done > worker.done:
        worker.done, worker.moved = done, time.monotonic()


def _rate(workers: Sequence[Worker], records: int) -> float:
    """By the worker's own clock. Of several, from the first that began to the last that ended.

    When a worker ended is known to a quarter of a second, which is how often it was looked at.
    """
    latencies = [_get(worker.port, "/latency").json() for worker in workers if worker.done]
    if len(latencies) == 1:
        return float(records / latencies[0]["seconds"])
    ends = [worker.moved for worker in workers if worker.done]
    begins = [end - found["seconds"] for end, found in zip(ends, latencies, strict=True)]
    return float(records / (max(ends) - min(begins)))


def _steps(workers: Sequence[Worker]) -> dict[str, float]:
    total: dict[str, float] = {}
    for worker in workers:
        for (name, step), seconds in _metrics(worker.port).items():
            if name == _STEP_CPU:
                total[step] = total.get(step, 0.0) + seconds
    return total


def _metrics(port: int) -> dict[tuple[str, str], float]:
    """Outcome counters (summed over partitions and reasons) and the CPU of the steps."""
    try:
        text = _get(port, "/metrics").text
    except httpx.HTTPError:
        return {}
    found = {("up", ""): 1.0}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == _STEP_CPU:
                key = (sample.name, sample.labels["step"])
            elif family.name in _OUTCOME_METRICS and sample.name.endswith("_total"):
                key = (family.name, "")
            else:
                continue
            found[key] = found.get(key, 0.0) + sample.value
    return found


def _get(port: int, path: str) -> Any:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10, trust_env=False)
