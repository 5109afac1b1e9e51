"""One person is one open case, by whichever of their ids: a card and a phone."""

from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import Connection, Text, cast, or_, select

from console.store import tables
from console.store.cases import read_case
from console.store.engine import Store
from console.store.errors import Conflict
from schemas.cases import OPEN_STATUSES, Case

Reaches = Callable[[str], bool]  # whether who asks may see cases of this ward
_OPEN: Final = [status.value for status in OPEN_STATUSES]
_AT_ONCE: Final = 500


def ids_of(case: Case, person: str | None) -> frozenset[str]:
    """All ids of this person that the case knows of, as a card and a phone."""
    if person is None:
        return frozenset()
    kept = next((entry.of for entry in case.same if entry.person == person), person)
    return frozenset({kept, *(entry.person for entry in case.same if entry.of == kept)})


def open_cases_of(connection: Connection, ids: Iterable[str]) -> list[Case]:
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


def open_cases_by_id(store: Store, ids: Iterable[str], reaches: Reaches) -> dict[str, str]:
    """Which of these ids of persons are an open case that may be seen, by whichever id that knows
    of: the case's, of several the first one's."""
    c = tables.cases.c
    wanted = sorted(set(ids))
    shown = select(tables.cases).where(c.status.in_(_OPEN)).order_by(c.registered_at, c.id)
    found: dict[str, Case] = {}
    with store.read() as connection:
        for begin in range(0, len(wanted), _AT_ONCE):
            some = shown.where(c.person.in_(wanted[begin : begin + _AT_ONCE]))
            found |= {row.id: read_case(row) for row in connection.execute(some)}
        joined = shown.where(cast(c.same, Text) != "[]")  # few have any
        found |= {row.id: read_case(row) for row in connection.execute(joined)}
    by_id: dict[str, str] = {}
    for case in sorted(found.values(), key=lambda case: (case.registered_at, case.id)):
        if reaches(case.ward):
            for one in ids_of(case, case.person):
                by_id.setdefault(one, case.id)
    return by_id


def must_be_the_only_one(connection: Connection, case: Case, reaches: Reaches, hint: str) -> None:
    """Raises Conflict if the person of the case is another open case; that is named where it may be
    seen. `hint`: what to do then, in both languages.

    After the insert: its number is given one transaction at a time, on PostgreSQL too.
    """
    others = open_cases_of(connection, ids_of(case, case.person))
    others = [other for other in others if other.id != case.id]
    if not others:
        return
    seen = next((other.id for other in others if reaches(other.ward)), None)
    vi, _, en = hint.partition(" / ")
    if seen is None:
        raise Conflict(
            f"Người này đang là ca ở địa bàn khác. {vi} / "
            f"This person is an open case in another area. {en}"
        )
    raise Conflict(f"Người này đang là ca {seen}. {vi} / This person is case {seen} already. {en}")
