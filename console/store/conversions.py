"""A contact becomes a case: registered and linked in one transaction, or neither."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Text, cast, or_, select

from console.store import tables
from console.store.cases import NewCase, inserted, read_case
from console.store.engine import Store
from console.store.errors import Conflict
from console.store.worklist import Guard, locked, must_not_be_a_case, put
from console.worklist.axes import Status
from schemas.cases import OPEN_STATUSES, Case

_OPEN: Final = [status.value for status in OPEN_STATUSES]


def convert(
    store: Store,
    of: Case,
    person: str,
    became: NewCase | Case,
    *,
    by: str,
    guard: Guard,
    reaches: Callable[[str], bool],
    last_exposure: datetime | None,
    note: str | None = None,
) -> Case:
    """The case that the contact of case `of` is from now on: a new one, or `became`.

    Raises NotFound; Conflict if the contact is another case already that is not voided, or if it
    would be a second open case of one person. That one is named if it `reaches` its ward.
    """
    with store.write() as connection:
        ward, before = locked(connection, of.id, person)
        guard(ward, before)
        if isinstance(became, Case):
            must_not_be_a_case(connection, before, but=became.id)
            case = became
        else:
            must_not_be_a_case(connection, before)
            case = inserted(connection, became, by)
            # after the insert: its number is given one transaction at a time, on PostgreSQL too
            others = [c for c in _open_cases(connection, ids_of(of, person)) if c.id != case.id]
            _must_be_the_first(of, others, reaches)
        changes = {
            "status": Status.CONVERTED,
            "converted_to": case.id,
            "last_exposure": last_exposure,
        }
        put(connection, before, changes, by=by, what="convert", note=note)
        return case


def ids_of(case: Case, person: str | None) -> frozenset[str]:
    """All ids of this person that the case knows of, as a card and a phone."""
    if person is None:
        return frozenset()
    kept = next((entry.of for entry in case.same if entry.person == person), person)
    return frozenset({kept, *(entry.person for entry in case.same if entry.of == kept)})


def _open_cases(connection: Connection, ids: Iterable[str]) -> list[Case]:
    """Of the person with these ids, by whichever of them; the first one registered first."""
    wanted = frozenset(ids)
    c = tables.cases.c
    joined = [cast(c.same, Text).contains(person) for person in sorted(wanted)]
    query = (
        select(tables.cases)
        .where(c.status.in_(_OPEN), or_(c.person.in_(sorted(wanted)), *joined))
        .order_by(c.registered_at, c.id)
    )
    found = [read_case(row) for row in connection.execute(query)]
    return [case for case in found if wanted & ids_of(case, case.person)]


def _must_be_the_first(of: Case, others: list[Case], reaches: Callable[[str], bool]) -> None:
    if not others:
        return
    other = next((case for case in others if reaches(case.ward)), None)
    if other is None:
        raise Conflict(
            "Người này đang là ca ở địa bàn khác: hãy để nơi thấy cả hai chuyển. / "
            "This person is an open case in another area: who reaches both is to convert."
        )
    if other.id == of.id:
        raise Conflict(
            f"Đây là một mã khác của chính ca {of.id}. / This is another id of case {of.id} itself."
        )
    raise Conflict(
        f"Người này đang là ca {other.id}: hãy chuyển thành ca đó (--case {other.id}). / "
        f"This person is case {other.id} already: convert to that one (--case {other.id})."
    )
