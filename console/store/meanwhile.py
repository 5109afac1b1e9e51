"""What was worked on a case's list while the case was closed, for when it is opened again.

Until it was closed, the case has what its list has; a closed one does not change.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from console.store import tables
from console.worklist.axes import Answer, Classification
from schemas.cases import MOST_PERSONS, WORKED, Case, Decision, Said, SamePerson

_WORKED: Final = frozenset({"classification", "answers"})  # fields of a step of the list's history


def worked_meanwhile(connection: Connection, case: Case) -> dict[str, tuple[Any, ...]]:
    """`decided`, `said` and `same` of the closed case as they are with it: who was not touched
    since keeps what the case has. Beyond what `WORKED` allows it stands on the list alone."""
    since = _closed_at(connection, case.id)
    if since is None:
        return {}
    decided = {entry.person: entry for entry in case.decided}
    said = {entry.person: entry for entry in case.said}
    for row in _worked_since(connection, case.id, since):
        known = {q: a for q, a in sorted(row.answers.items()) if a != Answer.UNKNOWN}
        if known:
            said[row.person] = Said(person=row.person, answers=known)
        else:
            said.pop(row.person, None)
        if row.classification == Classification.UNCONFIRMED:
            decided.pop(row.person, None)
        else:
            made = {"person": row.person, "classification": row.classification}
            decided[row.person] = Decision.model_validate(made)
    return {
        "decided": tuple(decided.values())[: WORKED["decided"]],
        "said": tuple(said.values())[: WORKED["said"]],
        "same": _same(case.same, connection, case.id, since),
    }


def _closed_at(connection: Connection, case_id: str) -> datetime | None:
    h = tables.case_history.c
    query = select(h.at, h.changes).where(h.case_id == case_id).order_by(h.version.desc())
    said = (row.at for row in connection.execute(query) if "status" in row.changes)
    return next(said, None)


def _worked_since(connection: Connection, case_id: str, since: datetime) -> list[Any]:
    """Rows of `contact_work`, of whom something that the case has was changed."""
    h, w = tables.contact_history.c, tables.contact_work.c
    steps = select(h.person, h.changes).where(h.case_id == case_id, h.at >= since)
    touched = {row.person for row in connection.execute(steps) if _WORKED & row.changes.keys()}
    query = select(w.person, w.classification, w.answers).where(w.case_id == case_id)
    rows = connection.execute(query.order_by(w.changed_at, w.person))
    return [row for row in rows if row.person in touched]


def _same(
    before: Iterable[SamePerson], connection: Connection, case_id: str, since: datetime
) -> tuple[SamePerson, ...]:
    p, w = tables.contact_pairs.c, tables.contact_work.c
    query = select(p.first, p.second, p.same).where(p.case_id == case_id, p.at >= since)
    pairs = {frozenset((r.first, r.second)): r.same for r in connection.execute(query)}
    kept = [entry for entry in before if pairs.get(frozenset((entry.person, entry.of)), True)]
    doubles = select(w.person, w.duplicate_of).where(
        w.case_id == case_id, w.duplicate_of.is_not(None)
    )
    for person, keep in connection.execute(doubles.order_by(w.person)):
        entry = SamePerson(person=person, of=keep)
        if pairs.get(frozenset((person, keep))) and entry not in kept:
            kept.append(entry)
    return tuple(kept[:MOST_PERSONS])
