"""What the console's tests share: a console on SQLite, with a broker and tables in memory.

On PostgreSQL instead where `postgres_kit` is told of one.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi.testclient import TestClient

from console.api.app import create_app
from console.broker import Record
from console.store.engine import Store, open_store
from console.store.keys import Role, create_key
from console.store.migrations.run import upgrade
from console.store.register import NewPlace, NewSite
from issuer.keyring import KeyRing
from schemas.errors import Retryable
from schemas.settings import Settings
from streams.clickhouse import ClickHouse
from tests import postgres_kit

RING = KeyRing.parse("1:" + "5a" * 32)
ADMIN = "tv_" + "A" * 43
PERSON = "7ZK3M9QX2B4CD"
WARD = "11413"  # Hải An, Hải Phòng
DATABASE = "console.db"


@dataclass
class FakeBroker:
    """A `Publisher` that keeps what it is sent; away while `fails`."""

    records: list[Record] = field(default_factory=list)
    fails: bool = False
    delay_s: float = 0.0
    closed: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, records: Sequence[Record]) -> None:
        """Take them, unless away."""
        await asyncio.sleep(self.delay_s)
        if self.fails:
            raise Retryable("the broker is away")
        self.take(records)

    def take(self, records: Sequence[Record]) -> None:
        """Keep them, and tell who waits."""
        self.records += records
        self.arrived.set()

    async def until(self, count: int, timeout_s: float = 10) -> None:
        """Return when there are so many records."""
        async with asyncio.timeout(timeout_s):
            while len(self.records) < count:
                self.arrived.clear()
                await self.arrived.wait()

    async def check(self) -> None:
        """Answer, unless away."""
        if self.fails:
            raise Retryable("the broker is away")

    async def close(self) -> None:
        """Remember it."""
        self.closed = True


Answer = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]


class FakeTables(ClickHouse):
    """Answers each query with what `answer` says; away when it is None."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer

    def query_rows(
        self,
        sql: str,
        parameters: dict[str, Any],
        settings: dict[str, Any],
    ) -> list[tuple[Any, ...]]:
        """What the test said."""
        if self.answer is None:
            raise Retryable("ClickHouse is away")
        return self.answer(sql, parameters)

    def close(self) -> None:
        """Nothing to close."""


def settings_in(directory: Path, **changes: Any) -> Settings:
    """Settings of a console that can reach nothing but its own database."""
    fixed = {
        "kafka_bootstrap": "127.0.0.1:1",
        "clickhouse_url": "http://127.0.0.1:1",
        "admin_key": ADMIN,
    }
    if postgres_kit.SOCKET and "database_url" not in changes:
        postgres_kit.create(directory)
        changes["database_url"] = postgres_kit.url_in(directory)
    return Settings(data_dir=directory, **(fixed | changes))


def migrated(directory: Path, **changes: Any) -> tuple[Settings, Store]:
    """A fresh database and its store."""
    directory.mkdir(exist_ok=True)
    if postgres_kit.SOCKET:
        postgres_kit.create(directory, like=_empty_there())
        settings = settings_in(directory, **changes)
        return settings, open_store(settings)
    settings = settings_in(directory, **changes)
    with (directory / DATABASE).open("xb") as file:  # there is none yet
        file.write(_empty())
    return settings, open_store(settings)


@cache
def _empty_there() -> Path:
    """The same on PostgreSQL: a directory whose database is so."""
    with TemporaryDirectory() as name:
        upgrade(settings_in(Path(name)))
        return Path(name)


@cache
def _empty() -> bytes:
    """A database as the migrations leave it: they take longer than most of the tests."""
    with TemporaryDirectory() as directory:
        upgrade(settings_in(Path(directory)))
        assert not Path(directory, f"{DATABASE}-wal").exists()  # all of it is in the file
        return Path(directory, DATABASE).read_bytes()


@dataclass
class Running:
    """A console that runs, and what it talks to."""

    client: TestClient
    store: Store
    broker: FakeBroker
    relayed: FakeBroker
    tables: FakeTables

    def key(
        self,
        role: Role,
        area: str = "*",
        producer: str | None = None,
        sector: str | None = None,
    ) -> dict[str, str]:
        """Headers of a new key."""
        secret = create_key(self.store, role, area, producer=producer, sector=sector, name="test")
        return bearer(secret)


def bearer(secret: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {secret}"}


@contextmanager
def running(directory: Path, **changes: Any) -> Iterator[Running]:
    """A console with its lifespan, over ASGI."""
    settings, store = migrated(directory, **changes)
    broker, relayed, tables = FakeBroker(), FakeBroker(), FakeTables(lambda _sql, _what: [])
    app = create_app(settings, publisher=broker, relay_publisher=relayed, clickhouse=tables)
    with TestClient(app) as client:
        yield Running(client, store, broker, relayed, tables)
    assert broker.closed
    assert relayed.closed
    store.close()


def new_sites(sites: int, places: int, prefix: str = "s") -> list[NewSite]:
    """Sites with places, each with an external key of its own."""
    return [
        NewSite(
            f"Site {s}",
            "office",
            WARD,
            "health",
            f"{prefix}{s}",
            places=tuple(
                NewPlace(f"Room {p}", "meeting_room", f"{prefix}{s}/{p}", enclosed=True)
                for p in range(places)
            ),
        )
        for s in range(sites)
    ]
