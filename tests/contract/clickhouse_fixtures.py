"""A ClickHouse to test against: the embedded engine on a free port, or the server of
TRUYVET_TEST_CLICKHOUSE_URL. The tests of the contract do not know which."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

from schemas.settings import load_settings
from streams.clickhouse import ClickHouse
from streams.migrate import migrate_tables

REPOSITORY = Path(__file__).resolve().parents[2]
DATABASE = "truyvet_contract"
PARTS = f"FROM system.parts WHERE database = '{DATABASE}' AND table = 'scans' AND active"
TABLE = """CREATE TABLE {name} (
    event_id UUID, person UInt64, at DateTime64(3, 'UTC'), direction Enum8('in' = 1, 'out' = 2),
    method LowCardinality(String) DEFAULT 'self', device FixedString(4) DEFAULT 'none',
    seat Nullable(UInt8), tags Array(String), note String DEFAULT concat('p', toString(person)),
    offset UInt64,
    PROJECTION by_offset (SELECT offset ORDER BY offset)
) ENGINE = MergeTree PARTITION BY toMonday(at) ORDER BY (person, at)"""


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    user: str = "default"
    password: str = ""

    def client(self, **options: Any) -> Any:
        """clickhouse-connect's ordinary client."""
        options.setdefault("database", DATABASE)
        return clickhouse_connect.get_client(
            host=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            autogenerate_session_id=False,
            **options,
        )

    def socket(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=20)


@contextmanager
def migrated_engine(directory: Path) -> Iterator[ClickHouse]:
    """An engine of its own with truyvet's tables and nothing past its time to live."""
    engine = Engine(directory / "engine")
    settings = load_settings(directory).model_copy(
        update={
            "clickhouse_url": f"http://{engine.address.host}:{engine.address.port}",
            "clickhouse_database": "default",
            "retention_days": 0,
        }
    )
    list(migrate_tables(settings))
    made = ClickHouse(settings)
    yield made
    made.close()
    assert engine.stop() == 0


class Engine:
    """One process of the embedded engine."""

    def __init__(
        self, path: Path, *arguments: str, environment: dict[str, str] | None = None
    ) -> None:
        self.command = [sys.executable, "-m", "deploy.embedded.engine", "--path", str(path)]
        self.process = subprocess.Popen(
            [*self.command, "--port", "0", *arguments],
            cwd=REPOSITORY,
            env=os.environ | (environment or {}),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("engine ready on 127.0.0.1:"), line
        self.address = Address("127.0.0.1", int(line.rsplit(":", 1)[1]))

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    url = os.environ.get("TRUYVET_TEST_CLICKHOUSE_URL")
    engine = None
    if url:
        parts = urlsplit(url)
        given = Address(
            parts.hostname or "127.0.0.1",
            parts.port or 8123,
            parts.username or "default",
            parts.password or "",
        )
    else:
        engine = Engine(tmp_path_factory.mktemp("engine"))
        given = engine.address
    with given.client(database="default") as client:
        client.command(f"DROP DATABASE IF EXISTS {DATABASE} SYNC")
        client.command(f"CREATE DATABASE {DATABASE}")
    yield given
    if engine:
        assert engine.stop() == 0
    else:
        with given.client(database="default") as client:
            client.command(f"DROP DATABASE {DATABASE} SYNC")


@pytest.fixture
def client(address: Address) -> Iterator[Any]:
    with address.client() as client:
        yield client


@pytest.fixture
def table(client: Any) -> Callable[[], int]:
    """An empty table `scans`; the value counts its rows."""
    client.command("DROP TABLE IF EXISTS scans SYNC")
    client.command(TABLE.format(name="scans"))

    def count() -> int:
        return int(client.command("SELECT count() FROM scans"))

    return count
