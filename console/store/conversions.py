"""A contact becomes a case: registered and linked in one transaction, or neither."""

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from console.store import tables
from console.store.cases import NewCase, for_change, inserted
from console.store.engine import Store
from console.store.errors import Conflict
from console.store.one_person import ids_of, open_cases_of
from console.store.worklist import Guard, Work, locked, must_not_be_a_case, put
from console.worklist.axes import Status
from schemas.cases import Case, CaseStatus


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
        if isinstance(became, Case):
            hold_cases(connection, (of.id, became.id))
        ward, before = locked(connection, of.id, person)
        guard(ward, before)
        if isinstance(became, Case):
            must_not_be_a_case(connection, before, but=became.id)
            case = for_change(connection, became.id)
            if case.status is CaseStatus.VOIDED:  # a moment ago
                raise Conflict(f"Ca {case.id} đã bị huỷ. / Case {case.id} is voided.")
        else:
            must_not_be_a_case(connection, before)
            case = inserted(connection, became, by)
            # after the insert: its number is given one transaction at a time, on PostgreSQL too
            others = [c for c in open_cases_of(connection, ids_of(of, person)) if c.id != case.id]
            _must_be_the_first(of, others, reaches)
        changes = {
            "status": Status.CONVERTED,
            "converted_to": case.id,
            "last_exposure": last_exposure,
        }
        put(connection, before, changes, by=by, what="convert", note=note)
        return case


def undo(connection: Connection, case: Case, by: str) -> None:
    """The contacts that had become this case, voided now, are contacts again, as they were. Those
    of a case that is voided itself stay as they are."""
    w, c = tables.contact_work.c, tables.cases.c
    query = (
        select(w.case_id, w.person)
        .join(tables.cases, c.id == w.case_id)
        .where(w.converted_to == case.id, w.status == Status.CONVERTED)
        .where(c.status != CaseStatus.VOIDED)
        .order_by(w.case_id, w.person)
    )
    for row in connection.execute(query).all():
        _, before = locked(connection, row.case_id, row.person)
        changes = {"status": _before_conversion(connection, before), "converted_to": None}
        put(connection, before, changes, by=by, what="voided", note=f"{case.id}: đã huỷ / voided")


def hold_those_of(connection: Connection, case_id: str) -> None:
    """Lock the case, and the cases whose contact became it, before `undo`."""
    w = tables.contact_work.c
    query = select(w.case_id).where(w.converted_to == case_id, w.status == Status.CONVERTED)
    hold_cases(connection, (case_id, *connection.scalars(query).all()))


def hold_cases(connection: Connection, ids: Iterable[str]) -> None:
    """Lock these cases' rows, in the one order in which whoever needs several does so."""
    c = tables.cases.c
    query = select(c.id).where(c.id.in_(sorted(set(ids)))).order_by(c.id).with_for_update()
    connection.execute(query).all()


def _before_conversion(connection: Connection, work: Work) -> Status:
    """What the contact's status was when it was converted; as the history of it says."""
    h = tables.contact_history.c
    mine = (h.case_id == work.case_id) & (h.person == work.person) & (h.what == "convert")
    query = select(h.changes).where(mine).order_by(h.version.desc())
    for changes in connection.scalars(query):
        if "status" in changes:
            return Status(changes["status"][0])
    return Status.ACTIVE


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
