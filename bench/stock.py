"""The yardstick: a stock Faust agent that only counts, a record at a time.

Run as a process of its own: `python -m bench.stock BOOTSTRAP TOPIC GROUP COUNT`. Prints one JSON
line with `records` and `seconds`, from the first record to the last.
"""

import json
import logging
import os
import sys
import tempfile
import time
from typing import Any

import faust

_REPORT_EVERY = 1_000


def main(bootstrap: str, topic_name: str, group: str, expected: int) -> None:
    """Count `expected` records of the topic, print the time it took, and leave."""
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=tempfile.mkdtemp(prefix="stock-faust-"),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=4 * 1024 * 1024,
    )
    topic = app.topic(topic_name, value_serializer="raw", key_serializer="raw")

    @app.agent(topic)
    async def count(stream: Any) -> None:
        seen, begin = 0, 0.0
        async for _value in stream:
            if seen == 0:
                begin = time.perf_counter()
            seen += 1
            if seen % _REPORT_EVERY == 0:
                print(json.dumps({"seen": seen, "of": expected}), file=sys.stderr, flush=True)
            if seen == expected:
                seconds = time.perf_counter() - begin
                print(json.dumps({"records": seen, "seconds": seconds}), flush=True)
                os._exit(0)

    sys.argv = ["bench-stock"]
    faust.Worker(app, loglevel=logging.ERROR, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
