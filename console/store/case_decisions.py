"""What the work on a list says of the case itself, in the same transaction: it is traced again."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from console.store import tables
from console.store.cases import changed, read_case
from console.worklist.axes import Answer, Classification
from schemas.cases import MOST_PERSONS, OPEN_STATUSES, WORKED, Case, Decision, Said, SamePerson


def worked(
    connection: Connection,
    case_id: str,
    person: str,
    what: Classification,
    answers: Mapping[str, str],
    by: str,
) -> None:
    """The officer's classification of a contact, and what it has answered, as they stand now.

    Of an ended case nothing changes. Beyond what `WORKED` allows it stands on the list alone.
    """
    case = _open(connection, case_id)
    if case is None:
        return
    known = {q: a for q, a in sorted(answers.items()) if a != Answer.UNKNOWN}
    decision = {"person": person, "classification": what.value}
    said = {"person": person, "answers": known}
    undecided = what is Classification.UNCONFIRMED
    now: dict[str, tuple[Any, ...]] = {
        "decided": () if undecided else (Decision.model_validate(decision),),
        "said": (Said.model_validate(said),) if known else (),
    }
    changes, told = {}, {}
    for name, entry in (("decided", decision), ("said", said)):
        before = getattr(case, name)
        others = tuple(e for e in before if e.person != person)
        was = tuple(e for e in before if e.person == person)
        if was != now[name] and len(others) + len(now[name]) <= WORKED[name]:
            changes[name], told[name] = others + now[name], [entry]
    if changes:
        changed(connection, case, changes, "amended", by, None, told=told)


def as_worked(connection: Connection, case: Case) -> dict[str, tuple[Any, ...]]:
    """`decided`, `said` and `same` of the case as its list has them now: what was worked while it
    was closed is not in it. Beyond what `WORKED` allows it stands on the list alone."""
    w = tables.contact_work.c
    rows = connection.execute(
        select(w.person, w.classification, w.answers, w.duplicate_of)
        .where(w.case_id == case.id)
        .order_by(w.changed_at, w.person)
    ).all()
    listed = {row.person for row in rows}
    decided = [e for e in case.decided if e.person not in listed]
    said = [e for e in case.said if e.person not in listed]
    for row in rows:
        known = {q: a for q, a in sorted(row.answers.items()) if a != Answer.UNKNOWN}
        if known:
            said.append(Said(person=row.person, answers=known))
        if row.classification != Classification.UNCONFIRMED:
            decision = {"person": row.person, "classification": row.classification}
            decided.append(Decision.model_validate(decision))
    return {
        "decided": tuple(decided[: WORKED["decided"]]),
        "said": tuple(said[: WORKED["said"]]),
        "same": _same(connection, case, {r.person: r.duplicate_of for r in rows if r.duplicate_of}),
    }


def _same(connection: Connection, case: Case, doubles: Mapping[str, str]) -> tuple[SamePerson, ...]:
    p = tables.contact_pairs.c
    query = select(p.first, p.second).where(p.case_id == case.id, p.same.is_(False))
    apart = {frozenset(pair) for pair in connection.execute(query)}
    kept = [entry for entry in case.same if frozenset((entry.person, entry.of)) not in apart]
    for other, keep in doubles.items():
        joined, keepers = {e.person for e in kept}, {e.of for e in kept}
        # what was entered with the case itself goes before what would contradict it
        if other not in joined | keepers and keep not in joined and other != case.person:
            kept.append(SamePerson(person=other, of=keep))
    return tuple(kept[:MOST_PERSONS])


def joined(
    connection: Connection, case_id: str, keep: str, other: str, same: bool, by: str
) -> None:
    """Whether `other` is another id of `keep`. Of an ended case nothing changes.

    Raises Conflict if one of them is joined otherwise already, or the case has too many.
    """
    case = _open(connection, case_id)
    if case is None:
        return
    entry = SamePerson(person=other, of=keep)
    without = tuple(known for known in case.same if known != entry)
    changes = {"same": (*without, entry) if same else without}
    changed(connection, case, changes, "amended", by, None)


def _open(connection: Connection, case_id: str) -> Case | None:
    """The case, whose row is locked already, if it is open."""
    row = connection.execute(select(tables.cases).where(tables.cases.c.id == case_id)).one()
    case = read_case(row)
    return case if case.status in OPEN_STATUSES else None
