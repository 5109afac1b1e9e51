"""The yardstick: a stock Faust agent that only counts, a record at a time, JSON decoded.

Run as a process of its own: `python -m bench.stock BOOTSTRAP TOPIC GROUP COUNT`. Prints one JSON
line with `records`, `seconds` and `cpu_s`, from the first record to the last.
"""

import json
import logging
import os
import sys
import tempfile
import time
from typing import Any

import faust


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
    topic = app.topic(topic_name, value_serializer="json", key_serializer="raw")

    @app.agent(topic)
    async def count(stream: Any) -> None:
        seen, begin, cpu = 0, 0.0, 0.0
        async for _value in stream:
            if seen == 0:
                begin, cpu = time.perf_counter(), time.process_time()
            seen += 1
            if seen == expected:
                seconds, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
                answer = {"records": seen, "seconds": seconds, "cpu_s": cpu_s}
                print(json.dumps(answer), flush=True)
                os._exit(0)

    sys.argv = ["bench-stock"]
    faust.Worker(app, loglevel=logging.ERROR, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
