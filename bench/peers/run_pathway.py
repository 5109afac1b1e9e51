"""Pathway: read and parse by its own JSON connector, validate as expressions; with `dedupe` also
grouped by person and id.

`python run_pathway.py BOOTSTRAP TOPIC GROUP COUNT validate|dedupe`. Results come out in whole
commits, so the time is taken from the first commit to the one that holds the last record.
"""

# What it imports is installed in its own environment only.
# mypy: disable-error-code="import-not-found"

import sys
from time import perf_counter, process_time
from typing import Any

import pathway as pw
from tally import Tally

COMMIT_MS = 200
TIME = "%Y-%m-%dT%H:%M:%S.%3fZ"


class Scan(pw.Schema):  # type: ignore[misc, unused-ignore]
    """The fields of a scan that every one has."""

    event_id: str
    person: str
    code: str
    direction: str
    scanned_at: str
    method: str
    producer: str
    device: str


def _one_of(column: Any, *allowed: str) -> Any:
    found = column == allowed[0]
    for value in allowed[1:]:
        found |= column == value
    return found


def main(bootstrap: str, topic: str, group: str, count: int, work: str) -> None:
    """Until `count` records are through."""
    scans = pw.io.kafka.read(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": "2",
            "queued.min.messages": "200000",
        },
        topic=topic,
        format="json",
        schema=Scan,
        autocommit_duration_ms=COMMIT_MS,
    )
    at = pw.this.scanned_at.dt.strptime(TIME)
    valid = scans.filter(
        (pw.this.event_id.str.len() == 36)
        & (pw.this.person.str.len() == 13)
        & (pw.this.code.str.len() <= 64)
        & _one_of(pw.this.direction, "in", "out", "pass")
        & _one_of(pw.this.method, "self", "staff", "card", "typed")
        & (at > pw.DateTimeNaive(year=2000, month=1, day=1))
    )
    if work == "dedupe":
        valid = valid.groupby(pw.this.person, pw.this.event_id).reduce(pw.this.event_id)
    counted = valid.reduce(seen=pw.reducers.count())
    first: list[tuple[int, float, float]] = []

    # called by the names of its arguments
    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:  # noqa: ARG001
        now = perf_counter()
        if not is_addition:
            return
        if not first:
            first.append((row["seen"], now, process_time()))
        elif row["seen"] >= count:
            begun, begin, cpu = first[0]
            seen = row["seen"] - begun
            Tally.say(seen, seen, now - begin, process_time() - cpu)

    pw.io.subscribe(counted, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
