"""The shortest pipe: Kafka to ClickHouse with nothing in between, as fast as it goes.

`python -m bench.pipe --client librdkafka --table bench_pipe …`. Raw values are joined with
newlines and inserted as JSONEachRow, several inserts in flight. Nothing is checked, no code is
resolved, no duplicate found, no offset kept, nothing read back; a record that is not JSON would
stop it. Prints one JSON line: `records`, `seconds` and
`cpu_s`, from the first delivery to the last
acknowledged insert.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.httputil import get_pool_manager

from bench.clients import CLIENTS, values
from bench.tables import PIPE_COLUMNS
from schemas.settings import load_settings
from schemas.topics import SCANS

# The best of 50,000 to 400,000 rows and 2 to 4 inserts on two cores: docs/bench-ingest.md.
ROWS: Final = 200_000
IN_FLIGHT: Final = 3
_INSERT_S: Final = 120
# One block an insert, so one part a week; parsed by one thread, because several inserts are on
# their way already and a parser of several threads costs more CPU for the same rows.
_SETTINGS: Final = {
    "max_insert_block_size": 1_000_000,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 0,
    "input_format_parallel_parsing": 0,
}


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.pipe", description=__doc__)
    parser.add_argument("--client", choices=CLIENTS, required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of an insert")
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT, help="inserts at a time")
    return parser.parse_args(argv)


class Inserter:
    """Inserts side by side, at most `in_flight`; an error of one is raised at the next."""

    def __init__(self, client: Any, table: str, in_flight: int) -> None:
        self._client, self._table, self._most = client, table, in_flight
        self._threads = ThreadPoolExecutor(in_flight)
        self._going: set[Future[Any]] = set()

    def put(self, lines: list[bytes]) -> None:
        """Insert these lines, waiting while too many inserts are on their way."""
        while len(self._going) >= self._most:
            done, self._going = wait(self._going, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
        self._going.add(self._threads.submit(self._insert, b"\n".join(lines)))

    def finish(self) -> None:
        """Wait for all."""
        for future in self._going:
            future.result()
        self._threads.shutdown()

    def _insert(self, body: bytes) -> None:
        self._client.raw_insert(self._table, PIPE_COLUMNS, body, _SETTINGS, fmt="JSONEachRow")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, and one JSON line."""
    options = arguments(argv)
    settings = load_settings()
    client = clickhouse_connect.get_client(
        dsn=settings.clickhouse_url,
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database,
        compress=False,
        send_receive_timeout=_INSERT_S,
        autogenerate_session_id=False,
        pool_mgr=get_pool_manager(maxsize=8, num_pools=2),
    )
    inserter = Inserter(client, options.table, options.in_flight)
    begin, cpu, seen = 0.0, 0.0, 0
    waiting: list[bytes] = []
    found = values(
        options.client, settings.kafka_bootstrap, SCANS.name, options.group, options.records
    )
    for batch in found:
        if not begin:
            begin, cpu = time.perf_counter(), time.process_time()
        seen += len(batch)
        waiting += batch
        if len(waiting) >= options.rows:
            inserter.put(waiting)
            waiting = []
    if waiting:
        inserter.put(waiting)
    inserter.finish()
    seconds, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
    print(json.dumps({"records": seen, "seconds": seconds, "cpu_s": cpu_s}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
