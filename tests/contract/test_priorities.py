"""ClickHouse's `priority`, on which it rests that case work goes before reading."""

import threading
import time
from typing import Any, Final

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from streams.clickhouse import Priority
from tests.contract.clickhouse_fixtures import Address
from tests.contract.clickhouse_fixtures import address as address
from tests.contract.clickhouse_fixtures import client as client

LONG: Final = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"
_READ: Final = "SELECT sum(read_rows) FROM system.processes WHERE Settings['log_comment'] = '{}'"
_KILL: Final = "KILL QUERY WHERE Settings['log_comment'] = '{}' SYNC"


class Running:
    """A query that does not end by itself."""

    def __init__(self, address: Address, client: Any, name: str, priority: Priority) -> None:
        self._address, self._client, self._name, self._priority = address, client, name, priority
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        self._until_begun()

    def rows_in(self, seconds: float) -> int:
        """How many rows it reads in this time."""
        before = self._rows()
        time.sleep(seconds)
        return self._rows() - before

    def end(self) -> None:
        self._client.command(_KILL.format(self._name))
        self._thread.join(20)

    def _ask(self) -> None:
        settings = {
            "log_comment": self._name,
            "priority": int(self._priority),
            "max_block_size": 8192,
            "max_threads": 1,
        }
        with self._address.client() as asking, pytest.raises(DatabaseError):
            asking.command(LONG, settings=settings)

    def _rows(self) -> int:
        return int(self._client.command(_READ.format(self._name)))

    def _until_begun(self) -> None:
        end = time.monotonic() + 20
        while not self._rows():
            assert time.monotonic() < end
            time.sleep(0.02)


def test_reading_stands_still_while_case_work_runs(address: Address, client: Any) -> None:
    reading = Running(address, client, "reading", Priority.READING)
    try:
        case = Running(address, client, "case", Priority.CASES)
        try:
            time.sleep(0.2)
            while_both = reading.rows_in(0.5)
        finally:
            case.end()
        time.sleep(1.2)  # it looks once a second
        alone = reading.rows_in(0.5)
    finally:
        reading.end()
    assert alone > 10 * while_both, (alone, while_both)
