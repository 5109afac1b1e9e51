"""Bytewax: read, parse, validate by whole batches; with `dedupe` also a keyed set of ids.

`python run_bytewax.py BOOTSTRAP TOPIC GROUP COUNT validate|dedupe`.
"""

# What it imports is installed in its own environment only.
# mypy: disable-error-code="import-not-found"

import sys
from collections.abc import Iterable
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from scan_check import Invalid, parse
from tally import Tally

BATCH = 10_000


class _Counted(StatelessSinkPartition):  # type: ignore[misc, unused-ignore]
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def write_batch(self, items: list[Any]) -> None:
        self._tally.add(len(items), len(items) - items.count(None))


class Count(DynamicSink):  # type: ignore[misc, unused-ignore]
    """Takes what comes out; None is a record that was refused or repeated."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> _Counted:
        return _Counted(self._tally)


def main(bootstrap: str, topic: str, _group: str, count: int, work: str) -> None:
    """Until `count` records are through. Its Kafka source has no group: it takes all partitions."""
    tally = Tally(count)

    def validated(messages: list[Any]) -> Iterable[Any]:
        tally.first()
        for message in messages:
            try:
                yield parse(message.value)
            except Invalid:
                yield None

    def new(seen: set[Any] | None, scan: Any) -> tuple[set[Any], list[Any]]:
        seen = set() if seen is None else seen
        if scan is None or scan.event_id in seen:
            return seen, [None]
        seen.add(scan.event_id)
        return seen, [scan]

    tuned = {"fetch.queue.backoff.ms": "2", "queued.min.messages": "200000"}
    flow = Dataflow("bench")
    source = KafkaSource([bootstrap], [topic], batch_size=BATCH, add_config=tuned)
    scans = op.flat_map_batch("validate", op.input("read", flow, source), validated)
    if work == "dedupe":
        keyed = op.key_on("person", scans, lambda scan: scan.person if scan is not None else "")
        scans = op.key_rm("scan", op.stateful_flat_map("new", keyed, new))
    op.output("count", scans, Count(tally))
    run_main(flow)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
