"""The relational database as JSON lines, a file a table, of one state of it; and back.

The same way for SQLite and PostgreSQL, and from one to the other: a row is what SQLAlchemy reads.
"""

import base64
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import (
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    TypeDecorator,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
)

from console.backup.folder import Folder, Manifest, lines
from console.store import tables
from console.store.engine import Store, open_store
from schemas.settings import Settings

OF: Final = "relational/"
_AT_ONCE: Final = 2_000


def dump(folder: Folder, store: Store) -> None:
    """Every table, in one transaction that sees one state. Done again whole after a stop: parts
    of two states do not fit together."""
    with store.read() as connection:
        for table in tables.metadata.sorted_tables:
            counted = _Counted(connection, table)
            folder.put(
                f"relational/{table.name}.jsonl.gz",
                OF + table.name,
                counted.lines(),
                lambda counted=counted: counted.rows,  # type: ignore[misc]
            )


def rows_in(settings: Settings) -> dict[str, int]:
    """As `rows_of`, of the database that the settings name."""
    store = open_store(settings)
    try:
        return rows_of(store)
    finally:
        store.close()


def rows_of(store: Store) -> dict[str, int]:
    """Rows by table, of the tables that have any."""
    with store.read() as connection:
        there = set(inspect(connection).get_table_names())
        counted = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables.metadata.sorted_tables
            if table.name in there
        }
    return {name: count for name, count in counted.items() if count}


def load(connection: Connection, path: Path, manifest: Manifest) -> None:
    """Put all rows in, instead of what is there. The schema must be the backup's revision."""
    there = [table for table in tables.metadata.sorted_tables if manifest.of(OF + table.name)]
    for table in reversed(there):
        connection.execute(delete(table))
    for table in there:
        for part in manifest.of(OF + table.name):
            rows = lines(path, part)
            names: list[str] = next(rows)
            waiting: list[dict[str, Any]] = []
            for row in rows:
                waiting.append(_back(table, dict(zip(names, row, strict=True))))
                if len(waiting) == _AT_ONCE:
                    connection.execute(insert(table), waiting)
                    waiting = []
            if waiting:
                connection.execute(insert(table), waiting)
        _raise_sequence(connection, table)


class _Counted:
    """A table's rows as lines, counted as they go: first the names, then a list a row."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection, self._table = connection, table
        self.rows = 0

    def lines(self) -> Iterator[bytes]:
        yield orjson.dumps([column.name for column in self._table.columns]) + b"\n"
        found = self._connection.execute(select(self._table).execution_options(yield_per=_AT_ONCE))
        for some in found.partitions(_AT_ONCE):
            self.rows += len(some)
            yield b"".join(orjson.dumps([_out(value) for value in row]) + b"\n" for row in some)


def _out(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value


def _back(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(table.c[name].type, value) for name, value in row.items()}


def _value(kind: Any, value: Any) -> Any:
    kind = kind.impl if isinstance(kind, TypeDecorator) else kind
    if value is None:
        return None
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return base64.b64decode(value) if isinstance(kind, LargeBinary) else value


def _raise_sequence(connection: Connection, table: Table) -> None:
    """PostgreSQL numbers rows from a sequence that knows nothing of rows put in with a number."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if not isinstance(column.type, Integer) or len(table.primary_key.columns) > 1:
            continue
        sequence = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table.name, "column": column.name},
        )
        highest = connection.scalar(select(func.max(column)))
        if sequence and highest:
            connection.execute(
                text("SELECT setval(:sequence, :highest)"),
                {"sequence": sequence, "highest": highest},
            )
