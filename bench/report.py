"""What a run of `truyvet bench ingest` found, as one document."""

import os
import platform
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.environments import pins
from bench.fill import Filled
from bench.model import MODEL_CORES, Load, model
from bench.ours import Cost, Round
from bench.rows import STOCK, TRUYVET, Row

_OURS: Final = ("faust-streaming", "aiokafka", "confluent-kafka", "clickhouse-connect", "pyarrow")


@dataclass
class Measured:
    """One row's rounds, records a second; or why it has none."""

    row: Row
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    records: int = 0
    failure: str = ""

    @property
    def median(self) -> float | None:
        """Of the rounds; None if it did not come through."""
        return statistics.median(self.rates) if self.rates and not self.failure else None


@dataclass
class Report:
    """All rows with the median of each, and where truyvet's CPU time went."""

    filled: Filled
    rounds: int
    seed: int
    engine_version: str
    partitions: int
    rows: list[Measured]
    ours: dict[int, list[Round]] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)
    bytes_per_event: dict[str, float] = field(default_factory=dict)

    def median(self, name: str) -> float | None:
        """A row's median by its name."""
        return next((m.median for m in self.rows if m.row.name == name), None)

    @property
    def shortest_pipe(self) -> float | None:
        """The faster of the two clients' pipes."""
        rates = [m.median for m in self.rows if m.row.name.startswith("pipe_") and m.median]
        return max(rates, default=None)

    @property
    def events_per_s(self) -> float:
        """truyvet's median with one worker."""
        median = self.median(TRUYVET)
        assert median is not None, "a round of truyvet that fails ends the run"
        return median

    def cost(self) -> Cost:
        """The median of each figure over the rounds with one worker."""
        costs = [r.cost for r in self.ours[1]]
        steps = {name: [c.steps.get(name, 0.0) for c in costs] for c in costs for name in c.steps}
        return Cost(
            statistics.median(c.worker for c in costs),
            statistics.median(c.engine for c in costs),
            statistics.median(c.merging for c in costs),
            statistics.median(c.broker for c in costs),
            {name: statistics.median(values) for name, values in steps.items()},
        )

    def load(self) -> Load:
        """What an event costs, for the model on paper."""
        each = self.cost().per_event(self.filled.records)
        return Load(
            worker_us=each["worker"],
            engine_us=each["engine"] + each["engine_merging_afterwards"],
            broker_us=each["broker"],
            log_bytes=self.bytes_per_event.get("log", 0.0),
            partitions=self.partitions,
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: rates in records a second, CPU in microseconds an event."""
        cost, records = self.cost(), self.filled.records
        workers = {n: statistics.median(r.rate for r in rounds) for n, rounds in self.ours.items()}
        return {
            "events_per_s": round(self.events_per_s),
            "ratio_to_stock_faust": ratio(self.events_per_s, self.median(STOCK)),
            "ratio_to_shortest_pipe": ratio(self.events_per_s, self.shortest_pipe),
            "records": records,
            "rounds": self.rounds,
            "seed": self.seed,
            "topic": {
                "value_bytes": self.filled.value_bytes,
                "people": self.filled.people,
                "expected": dict(self.filled.expected),
                "published_in_s": self.filled.seconds,
            },
            "rows": [self._row(measured) for measured in self.rows],
            "workers": {str(n): round(rate) for n, rate in workers.items()},
            "ratio_of_workers": {
                str(n): ratio(rate, workers[1]) for n, rate in workers.items() if n > 1
            },
            "cpu_us_per_event": {
                **cost.per_event(records),
                "steps": cost.steps_per_event(records),
                "floors": self.floors,
            },
            "bytes_per_event": dict(self.bytes_per_event),
            "model": {str(cores): asdict(model(self.load(), cores)) for cores in MODEL_CORES},
            "machine": machine(),
            "versions": {name: version(name) for name in _OURS} | {"engine": self.engine_version},
        }

    def _row(self, measured: Measured) -> dict[str, Any]:
        row = measured.row
        found: dict[str, Any] = {
            "name": row.name,
            "what": row.en,
            "leaves_out": row.leaves_out_en,
            "records": measured.records,
            "median": None if measured.median is None else round(measured.median),
            "rounds": [round(rate) for rate in measured.rates],
            "truyvet_is_times": ratio(self.events_per_s, measured.median),
        }
        if measured.cpu_us:
            found["client_cpu_us_per_event"] = round(statistics.median(measured.cpu_us), 3)
        if row.peer:
            found["version"] = pins(row.peer)[row.peer]
        if measured.failure:
            found["failure"] = measured.failure
        return found


def ratio(ours: float, other: float | None) -> float | None:
    """How many times the other's rate; None if the other has none."""
    return round(ours / other, 2) if other else None


def machine() -> Mapping[str, Any]:
    """Facts that figures depend on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _first("/proc/cpuinfo", "model name"),
        "memory_kb": int((_first("/proc/meminfo", "MemTotal") or "0").split()[0]),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _first(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
