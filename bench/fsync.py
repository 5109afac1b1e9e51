"""`truyvet bench fsync`: what it costs to be safe against power loss.

Each setting in turn, several rounds: how fast Kafka takes N scans, and how fast the worker then
writes them. By default neither broker nor engine calls fsync for a write.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import admin

from bench.process_stack import Bench, running_bench
from bench.process_worker import wait_for
from schemas.kafka import librdkafka
from schemas.topics import SCANS
from streams.convert import OUTCOMES

Say = Callable[[str], None]
_admin: Any = admin  # it re-exports names that its type stubs do not say
_DRAIN_S: Final = 1200.0


@dataclass(frozen=True)
class Setting:
    """What is switched on: the topic's flush settings, the engine's fsync."""

    name: str
    topic: Mapping[str, str]
    engine: bool


SETTINGS: Final = (
    Setting("default", {}, False),
    Setting("engine_fsync", {}, True),
    Setting("kafka_flush_messages_1", {"flush.messages": "1"}, False),
    Setting("kafka_flush_ms_1000", {"flush.ms": "1000"}, False),
    Setting("both", {"flush.messages": "1"}, True),
)
_NO_LIMIT: Final = str(2**63 - 1)
_TOPIC_DEFAULTS: Final = {"flush.messages": _NO_LIMIT, "flush.ms": _NO_LIMIT}
_ENGINE: Final = ("fsync_after_insert", "fsync_part_directory")


@dataclass(frozen=True)
class Plan:
    """Scans a round."""

    records: int = 1_000_000
    rounds: int = 3
    places: int = 5_000
    seed: int = 7


@dataclass(frozen=True)
class Outcome:
    """Medians, records a second, and their ratio to the default of the same run."""

    setting: str
    publish_per_s: float
    ingest_per_s: float
    publish_ratio: float
    ingest_ratio: float
    publish_rounds: list[float]
    ingest_rounds: list[float]


@dataclass(frozen=True)
class Result:
    """One outcome a setting."""

    records: int
    rounds: int
    outcomes: list[Outcome]
    exact: bool

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """Measure on a data directory of its own. Raises UserError."""
    published: dict[str, list[float]] = {setting.name: [] for setting in SETTINGS}
    ingested: dict[str, list[float]] = {setting.name: [] for setting in SETTINGS}
    with running_bench(data_dir, places=plan.places, seed=plan.seed) as bench:
        _round(bench, plan.records)  # the broker's first million is slower than its second
        for number in range(plan.rounds):
            for setting in SETTINGS:
                apply(bench, setting)
                into, out = _round(bench, plan.records)
                published[setting.name].append(into)
                ingested[setting.name].append(out)
                say(f"round {number + 1}: {setting.name}: in {into:,.0f}/s, out {out:,.0f}/s")
    base_in = statistics.median(published["default"])
    base_out = statistics.median(ingested["default"])
    outcomes = [
        Outcome(
            setting=name,
            publish_per_s=round(statistics.median(published[name])),
            ingest_per_s=round(statistics.median(ingested[name])),
            publish_ratio=round(statistics.median(published[name]) / base_in, 3),
            ingest_ratio=round(statistics.median(ingested[name]) / base_out, 3),
            publish_rounds=[round(rate) for rate in published[name]],
            ingest_rounds=[round(rate) for rate in ingested[name]],
        )
        for name in published
    ]
    return Result(plan.records, plan.rounds, outcomes, exact=True)


def apply(bench: Bench, setting: Setting) -> None:
    """Switch the topic and the tables to this setting, and see that they are."""
    resource = _admin.ConfigResource(
        _admin.ResourceType.TOPIC,
        SCANS.name,
        incremental_configs=[
            _admin.ConfigEntry(name, value, incremental_operation=_admin.AlterConfigOpType.SET)
            for name, value in {**_TOPIC_DEFAULTS, **setting.topic}.items()
        ],
    )
    admin = _admin.AdminClient(librdkafka(bench.settings))
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(30)
    value = int(setting.engine)
    for table in OUTCOMES:
        bench.clickhouse.command(
            f"ALTER TABLE {table} MODIFY SETTING " + ", ".join(f"{s} = {value}" for s in _ENGINE)
        )
    [(shown,)] = bench.clickhouse.rows(
        "SELECT engine_full FROM system.tables WHERE name = 'scans' AND database = 'default'"
    )
    assert f"{_ENGINE[0]} = {value}" in shown, shown


def _round(bench: Bench, records: int) -> tuple[float, float]:
    """(published, ingested) a second. The tables are emptied and must hold the records after."""
    bench.empty_tables()
    sent = bench.load(0, records).result(_DRAIN_S)
    worker = bench.worker()
    wait_for(lambda: worker.latency()["records"] >= records, _DRAIN_S, "all scans to be written")
    found = worker.latency()
    bench.drain(60)
    worker.stop()
    bench.check_counts({"scans": records - sent.repeats, "duplicates": sent.repeats}, "fsync")
    time.sleep(1.0)
    return records / sent.acknowledged_s, found["records"] / found["seconds"]
