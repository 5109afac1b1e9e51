"""What officers add to a case: place-time points, answers, named contacts, exclusions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from console.store import tables
from console.store.cases import changed, locked
from console.store.engine import Store
from console.store.errors import Conflict
from schemas.cases import ENTERED, MOST_PERSONS, MOST_POINTS, Answer, Case
from schemas.places import Record

Entries = Mapping[str, Sequence[Record]]
MOST: Final = dict.fromkeys(ENTERED, MOST_PERSONS) | {"points": MOST_POINTS}


@dataclass(frozen=True)
class HistoryEntry:
    """Who made a version of a case, when, what became of which field, and their note."""

    version: int
    at: datetime
    by: str
    changes: dict[str, Any]
    note: str | None


def change_entries(
    store: Store,
    case_id: str,
    add: Entries,
    remove: Entries,
    *,
    by: str,
    note: str | None = None,
    on_version: int | None = None,
) -> Case:
    """The case with these entries added and those removed, all of them or none.

    `add` and `remove`: by list, of `ENTERED`. What is there already is not added twice; an answer
    takes the place of what the same person answered of a stay there that began at the same time.
    Raises NotFound; Conflict if the case is not open or not at `on_version`, an entry to remove is
    not there, a list would be too long, or entries contradict.
    """
    with store.write() as connection:
        before = locked(connection, case_id, on_version)
        return with_entries(connection, before, add, remove, by=by, note=note)


def with_entries(
    connection: Connection,
    before: Case,
    add: Entries,
    remove: Entries,
    *,
    by: str,
    note: str | None,
) -> Case:
    """As `change_entries`, of a case whose row is locked."""
    changes = {
        name: _list(before, name, add.get(name, ()), remove.get(name, ())) for name in ENTERED
    }
    return changed(connection, before, changes, "amended", by, note)


def history(store: Store, case_id: str) -> list[HistoryEntry]:
    """The case's changes, the first one first; its registration is version 1 and not in it."""
    c = tables.case_history.c
    query = select(tables.case_history).where(c.case_id == case_id).order_by(c.version)
    with store.read() as connection:
        rows = connection.execute(query).all()
    return [HistoryEntry(r.version, r.at, r.by, r.changes, r.note) for r in rows]


def _list(
    case: Case, name: str, add: Sequence[Record], remove: Sequence[Record]
) -> tuple[Record, ...]:
    entries: list[Record] = list(getattr(case, name))
    for entry in remove:
        if entry not in entries:
            raise Conflict(
                f"{name}: ca {case.id} không có mục cần bỏ. / "
                f"{name}: case {case.id} has no such entry to remove."
            )
        entries = [one for one in entries if one != entry]
    last = {_began(entry) if isinstance(entry, Answer) else entry: entry for entry in add}
    new = [entry for entry in last.values() if entry not in entries]
    corrected = {_began(entry) for entry in new if isinstance(entry, Answer)}
    entries = [
        one for one in entries if not (isinstance(one, Answer) and _began(one) in corrected)
    ] + new
    if len(entries) > MOST[name]:
        raise Conflict(
            f"{name}: tối đa {MOST[name]} mục cho một ca. / "
            f"{name}: a case has at most {MOST[name]} entries."
        )
    return tuple(entries)


def _began(answer: Answer) -> tuple[str, int, datetime]:
    return answer.person, answer.place, answer.begin
