"""The outbox: what a change publishes, written in the change's own transaction.

A record's row is locked before its outbox row gets an id, so the ids of one key rise with its
versions; the relay publishes in the order of ids.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from console.store import tables
from console.store.engine import Store

_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Entry:
    """One record to publish."""

    topic: str
    key: str
    value: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pending(Entry):
    """One record that waits in the outbox."""

    id: int = 0


def append(connection: Connection, entries: Iterable[Entry], now: datetime) -> None:
    """Leave these for the relay, in this order."""
    rows = [
        {
            "topic": entry.topic,
            "key": entry.key,
            "headers": entry.headers,
            "value": entry.value,
            "created_at": now,
        }
        for entry in entries
    ]
    if rows:
        connection.execute(insert(tables.outbox), rows)


def pending(store: Store, limit: int) -> list[Pending]:
    """The oldest unpublished rows, in the order of their ids."""
    o = tables.outbox.c
    query = (
        select(o.id, o.topic, o.key, o.value, o.headers)
        .where(o.published_at.is_(None))
        .order_by(o.id)
        .limit(limit)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    return [Pending(row.topic, row.key, row.value, row.headers, row.id) for row in rows]


def mark_published(store: Store, ids: Sequence[int], now: datetime) -> None:
    """These are acknowledged by the broker.

    By id, not by range: a row in between can have been committed since they were read.
    """
    change = (
        update(tables.outbox)
        .where(tables.outbox.c.id.in_(bindparam("ids", expanding=True)))
        .values(published_at=now)
    )
    with store.write() as connection:
        for begin in range(0, len(ids), _AT_ONCE):
            connection.execute(change, {"ids": list(ids[begin : begin + _AT_ONCE])})


def waits(store: Store, topic: str, key: str) -> bool:
    """Whether a record of this key is not published yet."""
    o = tables.outbox.c
    query = select(func.count()).where(o.published_at.is_(None), o.topic == topic, o.key == key)
    with store.read() as connection:
        return bool(connection.scalar(query))


def count_pending(store: Store) -> int:
    """How many rows wait."""
    query = select(func.count()).where(tables.outbox.c.published_at.is_(None))
    with store.read() as connection:
        return connection.scalar(query) or 0


def oldest_pending(store: Store) -> datetime | None:
    """When the one that has waited longest was written; None if none waits."""
    query = select(func.min(tables.outbox.c.created_at)).where(
        tables.outbox.c.published_at.is_(None)
    )
    with store.read() as connection:
        oldest: datetime | None = connection.scalar(query)
    return oldest


def prune(store: Store, now: datetime, keep: timedelta) -> int:
    """Remove rows published longer ago than `keep`; what they said is in the tables. How many."""
    old = delete(tables.outbox).where(tables.outbox.c.published_at < now - keep)
    with store.write() as connection:
        return connection.execute(old).rowcount
