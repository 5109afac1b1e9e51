"""Visits of the follow-up: one a day; entered again, the day's visit is corrected."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update

from console.store import tables
from console.store.engine import Store, utc_now
from console.store.errors import Conflict
from console.store.worklist import Guard, Work, locked, put
from console.worklist.axes import FollowUp, VisitResult
from console.worklist.followup import Visit


def record_visit(
    store: Store,
    case_id: str,
    person: str,
    visit: Visit,
    *,
    by: str,
    guard: Guard,
    last_exposure: datetime | None,
    note: str | None = None,
) -> Work:
    """Keep the day's visit. Raises NotFound, and Conflict if the contact is not followed."""
    v = tables.contact_visits.c
    with store.write() as connection:
        ward, before = locked(connection, case_id, person)
        guard(ward, before)
        if before.follow_up is not FollowUp.FOLLOW_UP:
            raise Conflict(
                "Người này không được theo dõi: hãy đặt FOLLOW_UP trước. / "
                "This contact is not followed: set follow_up to FOLLOW_UP first."
            )
        mine = (v.case_id == case_id) & (v.person == person) & (v.day == visit.day)
        there = connection.execute(select(tables.contact_visits).where(mine)).first()
        old = _said(_visit(there)) if there else None
        if old == _said(visit) and not note:
            return before
        tenths = None if visit.temperature is None else round(visit.temperature * 10)
        row = {
            "case_id": case_id,
            "person": person,
            "day": visit.day,
            "result": visit.result,
            "symptoms": visit.symptoms,
            "temperature_tenths": tenths,
            "at": utc_now(),
            "by": by,
        }
        if there:
            connection.execute(update(tables.contact_visits).where(mine).values(row))
        else:
            connection.execute(insert(tables.contact_visits), [row])
        changes = {"last_exposure": last_exposure or before.last_exposure}
        also = {f"visit {visit.day}": [old, _said(visit)]}
        return put(connection, before, changes, by=by, what="visit", note=note, also=also)


def visits(store: Store, case_id: str, person: str) -> dict[date, Visit]:
    """A contact's, by day."""
    return visits_of(store, [(case_id, person)])[case_id, person]


def visits_of(
    store: Store, contacts: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], dict[date, Visit]]:
    """Of each of these (case, person), by day; at most a page of them."""
    found: dict[tuple[str, str], dict[date, Visit]] = {key: {} for key in contacts}
    by_case: dict[str, list[str]] = {}
    for case_id, person in found:
        by_case.setdefault(case_id, []).append(person)
    v = tables.contact_visits.c
    with store.read() as connection:
        for case_id, persons in by_case.items():
            for begin in range(0, len(persons), 500):
                some = v.person.in_(persons[begin : begin + 500])
                query = select(tables.contact_visits).where(v.case_id == case_id, some)
                for row in connection.execute(query.order_by(v.person, v.day)):
                    found[case_id, row.person][row.day] = _visit(row)
    return found


def _visit(row: Any) -> Visit:
    tenths = row.temperature_tenths
    temperature = None if tenths is None else tenths / 10
    return Visit(row.day, VisitResult(row.result), row.symptoms, temperature)


def _said(visit: Visit) -> dict[str, Any]:
    return {
        "result": visit.result.value,
        "symptoms": visit.symptoms,
        "temperature": visit.temperature,
    }
