"""`truyvet bench ingest`: stock Faust and truyvet on the same topic, in the same run, in turn.

Stock Faust only counts; truyvet validates, resolves codes, removes duplicates, writes to
ClickHouse and reads back. Broker and engine run beside both on the same cores. Figures that
depend on the machine are given as ratios; the medians of the rounds count.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from bench.fill import fill_topic
from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.stack import Stack, StackOptions
from schemas.errors import UserError
from schemas.settings import load_settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES
from streams.migrate import migrate

_ROUND_TIMEOUT_S = 1200
Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """Medians over the rounds, records a second; the ratio is what travels between machines."""

    records: int
    rounds: int
    stock_records: int
    events_per_s: float
    stock_events_per_s: float
    ratio_to_stock_faust: float
    truyvet_rounds: list[float]
    stock_rounds: list[float]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def run(
    data_dir: Path, records: int, stock_records: int, rounds: int, seed: int, say: Say
) -> Result:
    """Measure on a fresh data directory, which must be empty or absent.

    `stock_records` of the same topic are enough to know stock Faust's rate. Raises UserError.
    """
    if data_dir.exists() and any(data_dir.iterdir()):
        raise UserError(f"{data_dir} is not empty: the benchmark needs a directory of its own.")
    options = StackOptions(data_dir=data_dir, services=frozenset({"kafka", "engine"}))
    ours, stock = [], []
    with Stack(options) as stack:
        settings = load_settings(data_dir)
        migrate(settings)
        say(f"publishing {records:,} scans")
        fill_topic(settings, records, seed)
        for number in range(rounds):
            rate = _stock(settings.kafka_bootstrap, number, stock_records)
            stock.append(rate)
            say(f"round {number + 1}: stock Faust, counting only: {rate:,.0f}/s")
            rate = _ours(stack.env, ClickHouse(settings), number, records)
            ours.append(rate)
            say(f"round {number + 1}: truyvet, everything on:      {rate:,.0f}/s")
    events, yardstick = statistics.median(ours), statistics.median(stock)
    return Result(
        records,
        rounds,
        stock_records,
        round(events),
        round(yardstick),
        round(events / yardstick, 2),
        [round(r) for r in ours],
        [round(r) for r in stock],
    )


def _stock(bootstrap: str, number: int, expected: int) -> float:
    command = [sys.executable, "-m", "bench.stock", bootstrap, SCANS.name, f"stock-{number}"]
    process = subprocess.run(
        [*command, str(expected)], capture_output=True, timeout=_ROUND_TIMEOUT_S, check=False
    )
    try:
        answer = json.loads(process.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise UserError(f"stock Faust ended early: {process.stderr[-300:].decode()}") from None
    return float(answer["records"] / answer["seconds"])


def _ours(env: Mapping[str, str], clickhouse: ClickHouse, number: int, expected: int) -> float:
    """One worker of a fresh group, into emptied tables, until every record is a row."""
    for table in OUTCOMES:
        clickhouse.command(f"TRUNCATE TABLE {table}")
    port = choose((PortRequest("metrics"),), {})["metrics"]
    log = Path(env["TRUYVET_DATA_DIR"]) / "logs" / f"bench-worker-{number}.log"
    with log.open("wb") as output:
        worker = _start_worker(
            {**os.environ, **env, "TRUYVET_WORKER_GROUP": f"bench-{number}"}, port, output
        )
        try:
            return _measure(port, expected)
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(30)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def _start_worker(env: dict[str, str], port: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "console.cli.main", "worker", "--metrics-port", str(port)]
    return subprocess.Popen(command, env=env, stdout=output, stderr=output)


def _measure(port: int, expected: int) -> float:
    """Records a second from the first delivery to the last acknowledged insert."""
    deadline = time.monotonic() + _ROUND_TIMEOUT_S
    while time.monotonic() < deadline:
        progress = _progress(port)
        if progress.get("records", 0) >= expected:
            return float(progress["records"] / progress["seconds"])
        time.sleep(0.25)
    raise UserError(f"the worker did not finish {expected:,} scans in {_ROUND_TIMEOUT_S} s")


def _progress(port: int) -> dict[str, Any]:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/latency", timeout=5)
    except httpx.HTTPError:
        return {}
    found: dict[str, Any] = answer.json()
    return found
