"""Cases: registered, amended, closed, voided, each change a CloudEvent on `cases.v1`."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

import orjson
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from console.store import outbox, tables
from console.store.case_dates import amended_contradictions
from console.store.engine import Store, allocate, hold, utc_now
from console.store.errors import Conflict, NotFound
from console.store.outbox import Entry
from issuer.units import EVERYWHERE, wards_in
from schemas import cloudevents
from schemas.cases import (
    DAYS,
    LISTS,
    MOMENTS,
    OPEN_STATUSES,
    Case,
    CaseStatus,
    Point,
    Symptoms,
)
from schemas.clock import LOCAL
from schemas.topics import CASES
from streams.spans import carried

Change = Literal["registered", "amended", "closed", "voided"]

AMENDABLE: Final = frozenset({"status", "symptoms", *DAYS, *MOMENTS, "ward", "rule_set"})
SOURCE: Final = "truyvet/console"
# not in what was hashed before there were these fields: a retry across the upgrade is still one
_LATER_FIELDS: Final = (("symptoms", None), ("result_on", None), ("points", ()))


Check = Callable[[Connection, Case], None]


@dataclass(frozen=True)
class NewCase:
    """A case to register."""

    person: str | None
    ward: str
    status: CaseStatus = CaseStatus.CONFIRMED
    symptoms: Symptoms | None = None
    onset: date | None = None
    sampled_on: date | None = None
    result_on: date | None = None
    isolated_at: datetime | None = None
    negative_at: datetime | None = None
    rule_set: str | None = None
    points: tuple[Point, ...] = ()


def register_case(
    store: Store,
    new: NewCase,
    *,
    registered_by: str,
    request_key: str | None = None,
    check: Check | None = None,
) -> Case:
    """A new case, on its way to `cases.v1`.

    The same `request_key` again returns the case it made, and makes no second one. Raises
    Conflict if it was used for another case, and what `check` of the new case raises: then there
    is none.
    """
    try:
        return _register(store, new, registered_by, request_key, check)
    except IntegrityError:  # on PostgreSQL, the same request at the same time was first
        return _register(store, new, registered_by, request_key, check)


def _register(
    store: Store, new: NewCase, registered_by: str, request_key: str | None, check: Check | None
) -> Case:
    fields = vars(new)
    asked = {name: value for name, value in fields.items() if (name, value) not in _LATER_FIELDS}
    asked |= {"points": [p.model_dump(mode="json") for p in new.points]} if new.points else {}
    request_hash = hashlib.sha256(orjson.dumps(asked)).hexdigest() if request_key else None
    c = tables.cases.c
    with store.write() as connection:
        if request_key:
            made = connection.execute(
                select(tables.cases).where(c.request_key == request_key)
            ).first()
            if made and made.request_hash != request_hash:
                raise Conflict(
                    "Idempotency-Key này đã dùng cho một ca khác. / "
                    "This Idempotency-Key was used for another case."
                )
            if made:
                return read_case(made)
        case = inserted(connection, new, registered_by, request_key, request_hash)
        if check is not None:
            check(connection, case)
        return case


def inserted(
    connection: Connection,
    new: NewCase,
    registered_by: str,
    request_key: str | None = None,
    request_hash: str | None = None,
) -> Case:
    """The new case and its event. Until the transaction ends, no other case gets a number."""
    now = utc_now()
    year = now.astimezone(LOCAL).year
    number = allocate(connection, _numbers(year))
    case_id = f"C-{year}-{number:06}"
    fields = vars(new) | {"points": tuple(dict.fromkeys(new.points))}
    case = Case(id=case_id, registered_at=now, registered_by=registered_by, **fields)
    request = {"request_key": request_key, "request_hash": request_hash}
    connection.execute(insert(tables.cases), [columns(case) | request])
    outbox.append(connection, [case_event(case, "registered", now)], now)
    return case


def hold_numbers(connection: Connection) -> None:
    """Until the transaction ends, no other case gets a number."""
    hold(connection, _numbers(utc_now().astimezone(LOCAL).year))


def _numbers(year: int) -> str:
    return f"case/{year}"


def amend(
    store: Store,
    case_id: str,
    changes: Mapping[str, Any],
    on_version: int | None = None,
    *,
    by: str,
    note: str | None = None,
) -> Case:
    """The case with these fields changed (of `AMENDABLE`); without a difference, as it was.

    Raises NotFound; Conflict if it is closed or voided or not at `on_version`, or if its fields
    would contradict each other: two that cross can be right each by itself, and wrong together.
    """
    assert set(changes) <= AMENDABLE
    with store.write() as connection:
        before = locked(connection, case_id, on_version)
        must_fit(before, changes)
        return changed(connection, before, dict(changes), "amended", by, note)


def locked(connection: Connection, case_id: str, on_version: int | None) -> Case:
    """The open case, for a change. Raises NotFound, Conflict if it is not at `on_version`."""
    before = for_change(connection, case_id)
    must_be_open(before)
    must_be_at(before, on_version)
    return before


def must_be_at(case: Case, version: int | None) -> None:
    """Raises Conflict if it has moved on."""
    if version not in (None, case.version):
        raise Conflict(
            f"Ca {case.id} đã có phiên bản {case.version}: hãy xem lại rồi sửa. / "
            f"Case {case.id} is at version {case.version} by now: look again, then amend."
        )


def must_fit(case: Case, changes: Mapping[str, Any]) -> None:
    """Raises Conflict if its fields would contradict each other."""
    for wrong in amended_contradictions(case, changes):
        raise Conflict(
            f"{wrong.field}: {wrong.vi} Ca {case.id} đã có phiên bản {case.version}: "
            "hãy xem lại rồi sửa. / "
            f"{wrong.field}: {wrong.en} Case {case.id} is at version {case.version} by now: "
            "look again, then amend."
        )


def must_be_open(case: Case) -> None:
    """Raises Conflict if it is closed or voided."""
    if case.status not in OPEN_STATUSES:
        closed = case.status is CaseStatus.CLOSED
        hint = (" Hãy mở lại trước.", " Reopen it first.") if closed else ("", "")
        raise Conflict(
            f"Ca {case.id} đã đóng hoặc bị huỷ.{hint[0]} / "
            f"Case {case.id} is closed or voided.{hint[1]}"
        )


def case(store: Store, case_id: str) -> Case | None:
    """One case, or None."""
    with store.read() as connection:
        row = connection.execute(select(tables.cases).where(tables.cases.c.id == case_id)).first()
    return read_case(row) if row else None


def list_cases(
    store: Store, area: str, *, limit: int = 100, offset: int = 0, open_only: bool = False
) -> list[Case]:
    """Cases whose ward is in the area, the newest first."""
    c = tables.cases.c
    query = select(tables.cases).order_by(c.registered_at.desc(), c.id.desc())
    if open_only:
        query = query.where(_is_open())
    query = query.where(*_within(area)).limit(limit).offset(offset)
    with store.read() as connection:
        return [read_case(row) for row in connection.execute(query)]


def count_open(store: Store, area: str) -> int:
    """How many open cases there are in the area."""
    query = select(func.count()).select_from(tables.cases).where(_is_open(), *_within(area))
    with store.read() as connection:
        return connection.scalar(query) or 0


def _is_open() -> ColumnElement[bool]:
    return tables.cases.c.status.in_([status.value for status in OPEN_STATUSES])


def _within(area: str) -> list[ColumnElement[bool]]:
    if area == EVERYWHERE:
        return []
    return [tables.cases.c.ward.in_([ward.code for ward in wards_in(area)])]


def for_change(connection: Connection, case_id: str) -> Case:
    """The case, open or not, its row locked until the transaction ends. Raises NotFound."""
    query = select(tables.cases).where(tables.cases.c.id == case_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"Không có ca {case_id}. / There is no case {case_id}.")
    return read_case(row)


def changed(
    connection: Connection,
    before: Case,
    changes: dict[str, Any],
    change: Change,
    by: str,
    note: str | None,
    told: Mapping[str, Any] | None = None,
) -> Case:
    """The next version of the case, its event and its history; without a difference, `before`.

    `told`: what the history says of it; the fields as they become if not given. Raises Conflict
    if the case would contradict itself.
    """
    try:
        after = Case.model_validate(before.model_dump() | changes)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        said = problem["msg"].removeprefix("Value error, ")  # in both languages already
        raise Conflict(said) from None
    if after == before:
        return before
    after = after.model_copy(update={"version": before.version + 1})
    connection.execute(
        update(tables.cases).where(tables.cases.c.id == after.id).values(columns(after))
    )
    now = utc_now()
    was, became = (case.model_dump(mode="json") for case in (before, after))
    different = {name: became[name] for name in changes if was[name] != became[name]}
    entry = {"at": now, "by": by, "changes": told or different, "note": note}
    entry |= {"case_id": after.id, "version": after.version}
    connection.execute(insert(tables.case_history), [entry])
    outbox.append(connection, [case_event(after, change, now)], now)
    return after


def case_event(case: Case, change: Change, now: datetime) -> Entry:
    """A CloudEvent on `cases.v1`: the case as it is, and what became of it."""
    headers = cloudevents.headers(
        f"{case.id}/{case.version}", SOURCE, f"{cloudevents.CASE_PREFIX}{change}", now
    )
    value = case.model_dump_json(exclude_none=True).encode()
    texts = {name: text.decode() for name, text in headers}
    return Entry(CASES.name, case.id, value, texts | carried())


def columns(case: Case) -> dict[str, Any]:
    """As the table has them: lists of records as JSON."""
    lists = case.model_dump(mode="json", include=set(LISTS))
    return case.model_dump() | lists


def read_case(row: Row[Any]) -> Case:
    """The case in a row of the table."""
    fields = dict(row._mapping)
    return Case.model_validate({name: fields[name] for name in Case.model_fields})
