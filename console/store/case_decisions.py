"""What the work on a list says of the case itself, in the same transaction: it is traced again."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from console.store import tables
from console.store.cases import changed, read_case
from console.worklist.axes import Answer, Classification
from schemas.cases import OPEN_STATUSES, WORKED, Case, Decision, Said, SamePerson


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
