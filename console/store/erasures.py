"""Requests for erasure, and the list that they make: a row here, a record on `erasures.v1`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from console.store import outbox, tables
from console.store.engine import Store, allocate, utc_now
from console.store.outbox import Entry
from schemas.erasures import Erasure
from schemas.topics import ERASURES


class State(StrEnum):
    """`waiting`: all is gone but for what open cases need."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"


OPEN: Final = (State.RUNNING, State.WAITING)


@dataclass(frozen=True)
class Asked:
    """One request. `person` is None once nothing is left to do."""

    id: int
    hash: str
    person: str | None
    before: datetime
    reason: str
    asked_at: datetime
    asked_by: str
    state: State
    pending: dict[str, Any]
    removed: dict[str, int]
    kept_for: tuple[str, ...]
    finished_at: datetime | None


def ask(store: Store, person: str, hashed: str, reason: str, by: str) -> Asked:
    """Enter the person into the list, as of now; one that is being worked on is not entered
    twice."""
    e = tables.erasures.c
    with store.write() as connection:
        running = connection.execute(
            select(tables.erasures).where(e.hash == hashed, e.state == State.RUNNING)
        ).first()
        if running is not None:
            return _asked(running)
        now = utc_now()
        number = allocate(connection, "erasures")
        row = {
            "id": number,
            "hash": hashed,
            "person": person,
            "before": now,
            "reason": reason,
            "asked_at": now,
            "asked_by": by,
            "state": State.RUNNING.value,
            "pending": {},
            "removed": {},
            "kept_for": [],
        }
        connection.execute(insert(tables.erasures), [row])
        record = Erasure(hash=hashed, before=now, version=number)
        outbox.append(connection, [erasure_entry(record)], now)
        made = connection.execute(select(tables.erasures).where(e.id == number)).one()
        return _asked(made)


def one(store: Store, number: int) -> Asked | None:
    """The request, or None."""
    with store.read() as connection:
        row = connection.execute(
            select(tables.erasures).where(tables.erasures.c.id == number)
        ).first()
    return _asked(row) if row else None


def asked(store: Store, *, open_only: bool = False, limit: int = 1_000) -> list[Asked]:
    """Requests, the newest first."""
    e = tables.erasures.c
    query = select(tables.erasures).order_by(e.id.desc()).limit(limit)
    if open_only:
        query = query.where(e.state.in_([state.value for state in OPEN]))
    with store.read() as connection:
        return [_asked(row) for row in connection.execute(query)]


def the_list(store: Store) -> list[Erasure]:
    """What `erasures.v1` says: of each person the newest."""
    e = tables.erasures.c
    query = select(e.hash, e.before, e.id).order_by(e.id)
    with store.read() as connection:
        newest = {row.hash: row for row in connection.execute(query)}
    return [Erasure(hash=r.hash, before=r.before, version=r.id) for r in newest.values()]


def erasure_entry(erasure: Erasure) -> Entry:
    """Its record on `erasures.v1`."""
    return Entry(ERASURES.name, erasure.hash, erasure.model_dump_json().encode())


def note(store: Store, number: int, **fields: Any) -> None:
    """Change these fields of a request."""
    with store.write() as connection:
        connection.execute(
            update(tables.erasures).where(tables.erasures.c.id == number).values(**fields)
        )


def _asked(row: Row[Any]) -> Asked:
    fields = dict(row._mapping)
    kept = {"state": State(fields["state"]), "kept_for": tuple(fields["kept_for"])}
    return Asked(**(fields | kept))
