"""What the work on a list says of the case itself, in the same transaction: it is traced again."""

from sqlalchemy import Connection, select

from console.store import tables
from console.store.cases import changed, read_case
from console.worklist.axes import Classification
from schemas.cases import MOST_DECIDED, OPEN_STATUSES, Case, Decision, SamePerson


def decided(
    connection: Connection, case_id: str, person: str, what: Classification, by: str
) -> None:
    """The officer's classification of a contact, or that there is none any more.

    Of an ended case nothing changes. Beyond `MOST_DECIDED` it stands on the list alone.
    """
    case = _open(connection, case_id)
    if case is None:
        return
    others = tuple(entry for entry in case.decided if entry.person != person)
    new: tuple[Decision, ...] = ()
    if what is not Classification.UNCONFIRMED:
        new = (Decision.model_validate({"person": person, "classification": what.value}),)
    if len(others) + len(new) <= MOST_DECIDED:
        told = [{"person": person, "classification": what.value}]
        changes = {"decided": others + new}
        changed(connection, case, changes, "amended", by, None, told={"decided": told})


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
