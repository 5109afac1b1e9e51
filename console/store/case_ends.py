"""Cases closed, voided, and opened again."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from console.store import tables
from console.store.cases import (
    Change,
    Check,
    changed,
    for_change,
    hold_numbers,
    must_be_at,
    must_fit,
)
from console.store.conversions import hold_those_of, undo
from console.store.engine import Store
from console.store.erasures import OPEN
from console.store.errors import Conflict
from console.store.meanwhile import worked_meanwhile
from schemas.cases import OPEN_STATUSES, Case, CaseStatus
from schemas.erasures import NOBODY


def close(store: Store, case_id: str, *, by: str, reason: str | None = None) -> Case:
    """The case, followed to its end. Raises NotFound, or Conflict if it is voided."""
    return _end(store, case_id, CaseStatus.CLOSED, "closed", by, reason)


def void(store: Store, case_id: str, *, by: str, reason: str | None = None) -> Case:
    """The case, registered in error. Raises NotFound."""
    return _end(store, case_id, CaseStatus.VOIDED, "voided", by, reason)


def reopen(
    store: Store,
    case_id: str,
    changes: Mapping[str, Any],
    on_version: int | None = None,
    *,
    by: str,
    reason: str | None = None,
    check: Check | None = None,
) -> Case:
    """The closed case open again, with these fields changed (of `cases.AMENDABLE`; `status` among
    them, as which it is open) and with what was worked on its list meanwhile. One that is open so
    already stays as it is.

    Raises NotFound; Conflict if it is voided, open otherwise, not at `on_version`, if its
    fields would contradict each other, or if its person was erased or is to be; and what `check` of
    the case raises: then it stays closed.
    """
    status = changes["status"]
    assert status in OPEN_STATUSES
    with store.write() as connection:
        before = for_change(connection, case_id)
        if all(getattr(before, name) == value for name, value in changes.items()):
            return before
        if before.status in OPEN_STATUSES:
            raise Conflict(
                f"Ca {case_id} đang mở: hãy sửa thay vì mở lại. / "
                f"Case {case_id} is open: amend it instead."
            )
        _must_not_be_voided(before)
        must_be_at(before, on_version)
        must_fit(before, changes)
        _must_have_its_person(connection, before)
        if check is not None:
            hold_numbers(connection)
            check(connection, before)
        worked = worked_meanwhile(connection, before)
        after = changed(connection, before, dict(changes) | worked, "amended", by, reason)
        _ended_by(connection, case_id, None, None)
        return after


def _must_have_its_person(connection: Connection, case: Case) -> None:
    e = tables.erasures.c
    asked = select(e.id).where(e.person == case.person, e.state.in_([s.value for s in OPEN]))
    if case.person == NOBODY or connection.scalar(asked.limit(1)) is not None:
        raise Conflict(
            f"Người của ca {case.id} đã được xoá theo yêu cầu: không còn gì để truy vết. / "
            f"The person of case {case.id} was erased on request: nothing is left to trace."
        )


def _end(
    store: Store, case_id: str, status: CaseStatus, change: Change, by: str, reason: str | None
) -> Case:
    with store.write() as connection:
        if status is CaseStatus.VOIDED:
            hold_those_of(connection, case_id)
        before = for_change(connection, case_id)
        if status is not CaseStatus.VOIDED:
            _must_not_be_voided(before)
        after = changed(connection, before, {"status": status}, change, by, reason)
        if after is not before:
            _ended_by(connection, case_id, by, reason)
        if status is CaseStatus.VOIDED:
            undo(connection, after, by)
        return after


def _must_not_be_voided(case: Case) -> None:
    if case.status is CaseStatus.VOIDED:
        raise Conflict(f"Ca {case.id} đã bị huỷ. / Case {case.id} is voided and stays so.")


def _ended_by(connection: Connection, case_id: str, by: str | None, reason: str | None) -> None:
    of_case = tables.cases.c.id == case_id
    ended = {"ended_by": by, "ended_reason": reason}
    connection.execute(update(tables.cases).where(of_case).values(ended))
