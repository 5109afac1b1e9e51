"""The way to the relational database: SQLite by default, PostgreSQL by its URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from schemas.errors import UserError
from schemas.settings import Settings

_WRITES: Final = "truyvet_writes"
_BUSY_TIMEOUT_MS: Final = 15_000


@dataclass(frozen=True)
class Store:
    """Transactions on the relational database. Thread-safe."""

    engine: Engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that changes something: all of it, or nothing after an exception.

        On SQLite it takes the write lock at once: a reader that turns writer midway could
        meet another's write and would have to begin again.
        """
        with self.engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def open_store(settings: Settings) -> Store:
    """The store these settings name. Its tables are made by `migrations.run.upgrade`."""
    return Store(open_engine(settings))


def open_engine(settings: Settings) -> Engine:
    """An engine. Raises UserError if the URL is not one, or its driver is not installed."""
    try:
        url = make_url(settings.sql_url)
        if url.get_backend_name() == "sqlite":
            return _sqlite(settings.sql_url)
        if url.get_backend_name() == "postgresql":
            # in a zone east of UTC a time of year 9999 could be written and never read
            utc = {"options": "-c timezone=UTC"}
            return create_engine(
                url, pool_pre_ping=True, pool_timeout=10, hide_parameters=True, connect_args=utc
            )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise UserError(
            f"TRUYVET_DATABASE_URL không dùng được ({error}). / "
            f"TRUYVET_DATABASE_URL cannot be used ({error})."
        ) from None
    raise UserError(
        "TRUYVET_DATABASE_URL phải là địa chỉ sqlite hoặc postgresql. / "
        "TRUYVET_DATABASE_URL must be a sqlite or postgresql URL."
    )


def _sqlite(url: str) -> Engine:
    database = make_url(url).database
    if not database or database == ":memory:":
        raise UserError(
            "TRUYVET_DATABASE_URL phải nêu một tệp SQLite, không phải bộ nhớ. / "
            "TRUYVET_DATABASE_URL must name a SQLite file, not memory."
        )
    Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_timeout=30, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins and commits, not the driver
        for pragma in (
            f"busy_timeout = {_BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def utc_now() -> datetime:
    """Now, in whole milliseconds, as every record keeps its times."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def hold(connection: Connection, name: str) -> None:
    """Keep others from allocating of this name until the transaction ends."""
    same = text("UPDATE counters SET value = value WHERE name = :name")
    connection.execute(same, {"name": name})


def allocate(connection: Connection, name: str, count: int = 1) -> int:
    """The first of `count` new numbers, dense from 1; given back if the transaction fails."""
    assert count >= 1
    add = text("UPDATE counters SET value = value + :count WHERE name = :name RETURNING value")
    values = {"name": name, "count": count}
    last = connection.scalar(add, values)
    if last is None:
        start = text("INSERT INTO counters (name, value) VALUES (:name, 0) ON CONFLICT DO NOTHING")
        connection.execute(start, {"name": name})
        last = connection.scalar(add, values)
    assert isinstance(last, int)
    return last - count + 1
