"""What officers decided of a case's contacts, one row each, and every change with who and when."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, or_, select, update

from console.store import tables
from console.store.case_decisions import worked
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from console.worklist.areas import area_of_ward, areas_within
from console.worklist.axes import Category, Classification, FollowUp, Reachability, Status
from issuer.units import EVERYWHERE, wards_in
from schemas.cases import CaseStatus
from schemas.scan import format_timestamp

_AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters
_UNTOUCHED: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Work:
    """What is decided of one contact of a case. Version 0: nobody has touched it."""

    case_id: str
    person: str
    version: int = 0
    classification: Classification = Classification.UNCONFIRMED
    status: Status = Status.ACTIVE
    follow_up: FollowUp | None = None
    follow_up_from: date | None = None
    category: Category | None = None
    answers: dict[str, str] = field(default_factory=dict)
    assigned_to: str | None = None
    reachability: Reachability | None = None
    area: str | None = None
    last_exposure: datetime | None = None
    converted_to: str | None = None
    duplicate_of: str | None = None
    changed_at: datetime = _UNTOUCHED
    changed_by: str = ""

    def responsible(self, ward: str) -> str:
        """The area that works it: the case's ward, or whose hand-over was accepted."""
        return self.area or area_of_ward(ward)


# Raises if this change is not the asker's to make: of the case's ward and the row as it is now.
Guard = Callable[[str, Work], None]


@dataclass(frozen=True)
class Step:
    """One change, as the history has it: of each field, what it was and what it became."""

    version: int
    at: datetime
    by: str
    what: str
    changes: dict[str, Any]
    note: str | None


def change(
    store: Store,
    case_id: str,
    person: str,
    changes: Mapping[str, Any],
    *,
    by: str,
    what: str,
    guard: Guard,
    note: str | None = None,
    on_version: int | None = None,
    answers: Mapping[str, str | None] | None = None,
) -> Work:
    """The contact with these fields changed; without a difference or a note, as it was.

    `answers`: only of the questions that are answered now, None takes one back; those to other
    questions stay, whoever has entered them meanwhile.
    Another classification or answer is a new version of the case, too.
    Raises NotFound, Conflict if the case is voided, the contact is not at `on_version`, or its
    status is to change though it became a case that is not voided.
    """
    with store.write() as connection:
        ward, before = locked(connection, case_id, person)
        guard(ward, before)
        if on_version not in (None, before.version):
            raise Conflict(
                f"Người này đã có phiên bản {before.version}: hãy xem lại rồi sửa. / "
                f"This contact is at version {before.version} by now: look again, then change."
            )
        real = {**changes, "answers": _answered(before.answers, answers or {})}
        if "status" in changes:
            must_not_be_a_case(connection, before)
            real["converted_to"] = None
        after = put(connection, before, real, by=by, what=what, note=note)
        if (after.classification, after.answers) != (before.classification, before.answers):
            worked(connection, case_id, person, after.classification, after.answers, by)
        return after


def must_not_be_a_case(connection: Connection, before: Work, but: str | None = None) -> None:
    """Raises Conflict if the contact became a case, other than this one, that is not voided."""
    if before.status is not Status.CONVERTED or before.converted_to in (None, but):
        return
    c = tables.cases.c
    status = connection.scalar(select(c.status).where(c.id == before.converted_to))
    if status != CaseStatus.VOIDED:
        raise Conflict(
            f"Người này đã thành ca {before.converted_to}. / "
            f"This contact became case {before.converted_to}."
        )


def _answered(before: Mapping[str, str], answers: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**before, **answers}
    return {question: str(said) for question, said in sorted(merged.items()) if said is not None}


def locked(connection: Connection, case_id: str, person: str) -> tuple[str, Work]:
    """The case's ward and the contact; the case's row is locked until the transaction ends.

    Raises NotFound, or Conflict if the case is voided.
    """
    c = tables.cases.c
    query = select(c.ward, c.status).where(c.id == case_id).with_for_update()
    case = connection.execute(query).first()
    if case is None:
        raise NotFound(f"Không có ca {case_id}. / There is no case {case_id}.")
    if case.status == CaseStatus.VOIDED:
        raise Conflict(
            f"Ca {case_id} đã bị huỷ: không còn việc gì. / "
            f"Case {case_id} is voided: there is nothing to do any more."
        )
    return case.ward, _one(connection, case_id, person)


def put(
    connection: Connection,
    before: Work,
    changes: Mapping[str, Any],
    *,
    by: str,
    what: str,
    note: str | None = None,
    also: Mapping[str, Any] | None = None,
) -> Work:
    """Write the difference and its step. `also`: what else the step says, of another table."""
    fields = asdict(before)
    real = {name: value for name, value in changes.items() if fields[name] != value}
    told = {name: value for name, value in real.items() if name != "last_exposure"}
    if not told and not note and not also:
        return before
    now = utc_now()
    after = replace(before, **real, version=before.version + 1, changed_at=now, changed_by=by)
    w = tables.contact_work.c
    if before.version:
        mine = (w.case_id == before.case_id) & (w.person == before.person)
        connection.execute(update(tables.contact_work).where(mine).values(asdict(after)))
    else:
        connection.execute(insert(tables.contact_work), [asdict(after)])
    step = {
        "case_id": after.case_id,
        "person": after.person,
        "version": after.version,
        "at": now,
        "by": by,
        "what": what,
        "changes": {name: [_json(fields[name]), _json(value)] for name, value in told.items()}
        | dict(also or {}),
        "note": note,
    }
    connection.execute(insert(tables.contact_history), [step])
    return after


def work(store: Store, case_id: str, person: str) -> Work:
    """The contact as it stands; version 0 if nobody has touched it."""
    with store.read() as connection:
        return _one(connection, case_id, person)


def works(store: Store, case_id: str, persons: Iterable[str] | None = None) -> dict[str, Work]:
    """Those of a case that somebody has touched, by person; of these persons only, if given."""
    w = tables.contact_work.c
    query = select(tables.contact_work).where(w.case_id == case_id).order_by(w.person)
    if persons is None:
        with store.read() as connection:
            return {row.person: work_of(row) for row in connection.execute(query)}
    wanted = sorted(set(persons))
    found: dict[str, Work] = {}
    with store.read() as connection:
        for begin in range(0, len(wanted), _AT_ONCE):
            some = query.where(w.person.in_(wanted[begin : begin + _AT_ONCE]))
            found |= {row.person: work_of(row) for row in connection.execute(some)}
    return found


def followed(
    store: Store, area: str, *, limit: int, after: tuple[str, str] = ("", "")
) -> list[Work]:
    """Contacts of the area that are followed, by case and person, after this one."""
    w, c = tables.contact_work.c, tables.cases.c
    query = (
        select(tables.contact_work)
        .join(tables.cases, c.id == w.case_id)
        .where(w.follow_up == FollowUp.FOLLOW_UP, c.status != CaseStatus.VOIDED)
        .where(w.status == Status.ACTIVE)
        .where(or_(w.case_id > after[0], (w.case_id == after[0]) & (w.person > after[1])))
        .order_by(w.case_id, w.person)
        .limit(limit)
    )
    if area != EVERYWHERE:
        query = query.where(worked_in(area))
    with store.read() as connection:
        return [work_of(row) for row in connection.execute(query)]


def handed_to(store: Store, area: str) -> list[Work]:
    """Contacts of cases elsewhere that this area has accepted, by case and person."""
    if area == EVERYWHERE:
        return []
    w, c = tables.contact_work.c, tables.cases.c
    query = (
        select(tables.contact_work)
        .join(tables.cases, c.id == w.case_id)
        .where(w.area.in_(areas_within(area)), c.status != CaseStatus.VOIDED)
        .where(c.ward.not_in([ward.code for ward in wards_in(area)]))
        .order_by(w.case_id, w.person)
    )
    with store.read() as connection:
        return [work_of(row) for row in connection.execute(query)]


def worked_in(area: str) -> Any:
    """SQL: the area works this contact, `cases` joined."""
    w, c = tables.contact_work.c, tables.cases.c
    own = c.ward.in_([ward.code for ward in wards_in(area)])
    return or_(w.area.in_(areas_within(area)), w.area.is_(None) & own)


def history(store: Store, case_id: str, person: str) -> list[Step]:
    """Every change, the first first."""
    h = tables.contact_history.c
    query = (
        select(h.version, h.at, h.by, h.what, h.changes, h.note)
        .where(h.case_id == case_id, h.person == person)
        .order_by(h.version)
    )
    with store.read() as connection:
        return [Step(*row) for row in connection.execute(query)]


def work_of(row: Row[Any]) -> Work:
    """From its row."""
    fields = dict(row._mapping)
    kinds: Sequence[tuple[str, type[StrEnum]]] = (
        ("classification", Classification),
        ("status", Status),
        ("follow_up", FollowUp),
        ("category", Category),
        ("reachability", Reachability),
    )
    for name, kind in kinds:
        if fields[name] is not None:
            fields[name] = kind(fields[name])
    return Work(**fields)


def _one(connection: Connection, case_id: str, person: str) -> Work:
    w = tables.contact_work.c
    mine = select(tables.contact_work).where(w.case_id == case_id, w.person == person)
    row = connection.execute(mine).first()
    return work_of(row) if row else Work(case_id, person)


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_timestamp(value)
    return value.isoformat() if isinstance(value, date) else value
