"""`truyvet bench ingest`: every row on the same topic, in the same run, in turn.

Broker and engine run beside whatever is measured, on the same cores. The order of the rows turns
from round to round, the engine is quiet before each, the medians of the rounds count.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import environments, floors, tables
from bench.fill import Filled, fill_topic
from bench.ours import Services, run_truyvet
from bench.processes import speak
from bench.report import Measured, Report
from bench.rows import NAIVE, STOCK, TRUYVET, Row, turned
from deploy.embedded.stack import Stack, StackOptions
from schemas.errors import UserError
from schemas.settings import Settings, load_settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse
from streams.migrate import migrate

_FLOOR_RECORDS: Final = 500_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is to be measured. Shares of the topic are in records."""

    rows: list[Row]
    records: int
    stock_records: int
    peer_records: int
    rounds: int
    seed: int
    garbage: float = 0.0
    floors: bool = True
    timeout_s: float = 1200.0

    def share(self, row: Row, filled: Filled) -> int:
        """How many records of the topic this row reads. What only counts valid ones can read no
        more than there are."""
        most = {"stock": self.stock_records, "peer": self.peer_records, "all": self.records}
        return min(most[row.share], filled.written if row.share == "peer" else filled.records)


@dataclass(frozen=True)
class Bench:
    """A running broker and engine with the topic on it."""

    data_dir: Path
    env: Mapping[str, str]
    settings: Settings
    clickhouse: ClickHouse
    services: Services
    filled: Filled


def run(data_dir: Path, plan: Plan, say: Say) -> Report:
    """Measure on a fresh data directory, which must be empty or absent.

    Raises UserError if truyvet's own row goes wrong; another's failure is a row that says so.
    """
    if data_dir.exists() and any(data_dir.iterdir()):
        raise UserError(
            f"{data_dir} không trống: phép đo cần một thư mục riêng. / "
            f"{data_dir} is not empty: the benchmark needs a directory of its own."
        )
    pythons = _environments(plan, say)
    options = StackOptions(data_dir=data_dir, services=frozenset({"kafka", "engine"}))
    with Stack(options) as stack:
        settings = load_settings(data_dir)
        migrate(settings)
        clickhouse = ClickHouse(settings, timeout_s=120)
        tables.make_tables(clickhouse)
        say(f"publishing {plan.records:,} scans by librdkafka")
        filled = fill_topic(settings, plan.records, plan.seed, plan.garbage)
        say(f"published in {filled.seconds:.1f} s, {filled.value_bytes:.0f} bytes each")
        bench = Bench(data_dir, stack.env, settings, clickhouse, _services(stack), filled)
        [(engine,)] = clickhouse.rows("SELECT version()")
        report = Report(
            filled,
            plan.rounds,
            plan.seed,
            str(engine),
            settings.scan_partitions,
            [Measured(row) for row in plan.rows],
        )
        _rounds(bench, plan, report, pythons, say)
        report.bytes_per_event = _sizes(bench)
        if plan.floors:
            say("floors: reading, parsing and inserting, each by itself")
            report.floors = _floors(bench)
    return report


def _environments(plan: Plan, say: Say) -> dict[str, Path | str]:
    """By peer: its Python, or why it has none."""
    found: dict[str, Path | str] = {}
    for peer in {row.peer for row in plan.rows if row.peer}:
        try:
            found[peer] = environments.environment(peer, say)
        except UserError as error:
            found[peer] = str(error)
            say(str(error))
    return found


def _services(stack: Stack) -> Services:
    status = stack.status()
    engine, broker = status.service("engine"), status.service("kafka")
    assert engine is not None
    assert broker is not None
    assert engine.pid is not None
    assert broker.pid is not None
    return Services(engine.pid, broker.pid)


def _rounds(
    bench: Bench, plan: Plan, report: Report, pythons: Mapping[str, Path | str], say: Say
) -> None:
    by_name = {measured.row.name: measured for measured in report.rows}
    for number in range(plan.rounds):
        for row in turned(plan.rows, number):
            measured = by_name[row.name]
            if measured.failure:
                continue
            measured.records = plan.share(row, bench.filled)
            tag = f"{row.name}-{number}"
            if row.name.startswith(TRUYVET):
                found = run_truyvet(
                    bench.env,
                    bench.clickhouse,
                    bench.services,
                    bench.filled,
                    row.workers,
                    tag,
                    plan.timeout_s,
                )
                report.ours.setdefault(row.workers, []).append(found)
                measured.rates.append(found.rate)
            else:
                _other(bench, plan, measured, pythons, tag)
            told = measured.failure or f"{measured.rates[-1]:,.0f}/s"
            say(f"round {number + 1} of {plan.rounds}, {row.en}: {told}")


def _other(
    bench: Bench, plan: Plan, measured: Measured, pythons: Mapping[str, Path | str], tag: str
) -> None:
    row, records = measured.row, measured.records
    for table in (tables.PIPE, tables.ROWS):
        bench.clickhouse.command(f"TRUNCATE TABLE {table}")
    tables.quiet(bench.clickhouse)
    try:
        answer = _speak(bench, plan, row, pythons, records, tag)
        table = tables.PIPE if row.client else tables.ROWS if row.name == NAIVE else ""
        if table and (rows := tables.count(bench.clickhouse, table)) != records:
            raise UserError(
                f"Bảng của nó có {rows:,} dòng của {records:,} bản ghi. / "
                f"{rows:,} rows of {records:,} records are in its table."
            )
    except UserError as error:
        measured.failure = str(error)
        return
    measured.rates.append(float(answer["records"]) / float(answer["seconds"]))
    measured.cpu_us.append(float(answer["cpu_s"]) / float(answer["records"]) * 1e6)


def _speak(
    bench: Bench,
    plan: Plan,
    row: Row,
    pythons: Mapping[str, Path | str],
    records: int,
    tag: str,
) -> Mapping[str, Any]:
    bootstrap, count = bench.settings.kafka_bootstrap, str(records)
    ours = {**os.environ, **bench.env}
    if row.peer:
        python = pythons[row.peer]
        if isinstance(python, str):
            raise UserError(python)
        script = environments.FOLDER / f"run_{row.peer}.py"
        command = [str(python), str(script), bootstrap, SCANS.name, tag, count, row.work]
        # what it leaves behind, and its state, go with the benchmark's directory
        scratch = bench.data_dir / "peers"
        scratch.mkdir(exist_ok=True)
        env = {**environments.variables(len(os.sched_getaffinity(0))), "TMPDIR": str(scratch)}
        return speak(command, row.en, plan.timeout_s, env, scratch)
    module: dict[str, list[str]] = {
        STOCK: ["bench.stock", bootstrap, SCANS.name, tag, count],
        NAIVE: ["bench.pydantic_rows", bootstrap, tag, count, tables.ROWS],
    }
    pipe = ["bench.pipe", "--client", row.client, "--group", tag, "--table", tables.PIPE]
    words = module.get(row.name, [*pipe, "--records", count])
    return speak([sys.executable, "-m", *words], row.en, plan.timeout_s, ours)


def _sizes(bench: Bench) -> dict[str, float]:
    """Bytes an event takes in Kafka's log, and in `scans` with its projections."""
    log = sum(path.stat().st_size for path in bench.data_dir.rglob(f"{SCANS.name}-*/*.log"))
    [(rows, stored)] = bench.clickhouse.rows(
        "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts "
        "WHERE database = currentDatabase() AND table = 'scans' AND active"
    )
    return {
        "log": round(log / bench.filled.records, 1),
        "table": round(stored / max(rows, 1), 1),
    }


def _floors(bench: Bench) -> dict[str, float]:
    records = min(_FLOOR_RECORDS, bench.filled.records)
    command = [sys.executable, "-m", "bench.floors", "--records", str(records), "--group", "floor"]
    answer = speak(command, "the floors", 300, {**os.environ, **bench.env})
    inserted = floors.engine_floor(bench.clickhouse, bench.services.engine, records)
    found: dict[str, Any] = {**answer, "engine_arrow_insert": round(inserted, 3)}
    return {name: float(value) for name, value in found.items()}
