"""A model on paper: what more cores would carry, and which number limits first.

From what an event costs here in CPU, in bytes and in processes. It spreads work without loss and
knows nothing of locks, caches or a slower network than it is told: an upper bound, no promise.
`python -m bench.model report.json` prints it from the document of `truyvet bench ingest --json`.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MODEL_CORES: Final = (16, 64)
NETWORK_BYTES_S: Final = 1.25e9  # 10 Gbit/s into and, apart from that, out of the broker


@dataclass(frozen=True)
class Load:
    """What one event costs: CPU microseconds by process, bytes in the log, partitions."""

    worker_us: float
    engine_us: float
    broker_us: float
    log_bytes: float
    partitions: int


@dataclass(frozen=True)
class Carried:
    """Events a second by each limit; `limit` names the lowest, `workers` those it takes."""

    cpu: float
    partitions: float
    network: float
    limit: str
    events_per_s: float
    workers: int
    partitions_needed: int


def model(load: Load, cores: int, network_bytes_s: float = NETWORK_BYTES_S) -> Carried:
    """The most that `cores` cores carry.

    `cpu`: all cores busy with worker, engine and broker in the proportion of their costs.
    `partitions`: a process of one interpreter keeps about one core busy, and a partition is one
    process's, so no more processes than partitions can share the work.
    `network`: what the broker hands to the workers, as it lies in the log.
    """
    cpu = cores * 1e6 / (load.worker_us + load.engine_us + load.broker_us)
    partitions = load.partitions * 1e6 / load.worker_us
    network = network_bytes_s / load.log_bytes if load.log_bytes else float("inf")
    limits = {"cpu": cpu, "partitions": partitions, "network": network}
    limit = min(limits, key=lambda name: limits[name])
    busy = cpu * load.worker_us / 1e6  # cores' worth of workers when every core is busy
    workers = min(_up(busy), load.partitions)
    return Carried(
        round(cpu),
        round(partitions),
        round(network) if load.log_bytes else 0.0,
        limit,
        round(limits[limit]),
        workers,
        _up(busy),
    )


def table(document: Mapping[str, Any]) -> list[str]:
    """Lines of the model in a document of `--json`."""
    return [
        f"{cores:>3} cores: {found['events_per_s']:>10,.0f} events/s, limited by {found['limit']}"
        f" (cpu {found['cpu']:,.0f}, partitions {found['partitions']:,.0f},"
        f" network {found['network']:,.0f}); every core busy takes {found['partitions_needed']}"
        " workers, and as many partitions"
        for cores, found in document["model"].items()
    ]


def _up(value: float) -> int:
    return max(1, -int(-value // 1))


if __name__ == "__main__":
    print("\n".join(table(json.loads(Path(sys.argv[1]).read_bytes()))))
