"""Quix Streams: read, parse, validate; with `dedupe` also a set of ids in its state (RocksDB).

`python run_quixstreams.py BOOTSTRAP TOPIC GROUP COUNT validate|dedupe`.
"""

# What it imports is installed in its own environment only.
# mypy: disable-error-code="import-not-found"

import sys
import tempfile
from typing import Any

from quixstreams import Application
from scan_check import Invalid, parse
from tally import Tally


def main(bootstrap: str, topic_name: str, group: str, count: int, work: str) -> None:
    """Until `count` records are through."""
    tally = Tally(count)
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        loglevel="ERROR",
        state_dir=tempfile.mkdtemp(prefix="bench-quix-"),
        use_changelog_topics=False,
        consumer_extra_config={"fetch.queue.backoff.ms": 2, "queued.min.messages": 200_000},
    )
    topic = app.topic(topic_name, value_deserializer="bytes", key_deserializer="bytes")

    def validated(value: bytes) -> Any:
        tally.first()
        try:
            return parse(value)
        except Invalid:
            return None

    def new(scan: Any, state: Any) -> bool:
        key = scan.event_id.hex if scan is not None else ""
        if not key or state.get(key):
            return False
        state.set(key, 1)
        return True

    frame = app.dataframe(topic).apply(validated)
    if work == "dedupe":
        # its state is by message key, which is the person: what repeats, repeats under one key
        frame = frame.apply(new, stateful=True)
        frame = frame.update(lambda is_new: tally.add(1, int(is_new)))
    else:
        frame = frame.update(lambda scan: tally.add(1, int(scan is not None)))
    app.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
