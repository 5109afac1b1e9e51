"""Cases of other systems (`system/abc` on `cases.v1`) in the relational store, beside ours.

Whoever writes a case writes the version after the highest: an older record never overwrites. What
nobody has changed here follows the other system's later records; what somebody has changed stays.
Once an officer here has said what the case is (confirmed, closed, opened again or voided it), or it
is voided, the console's record counts: a later one changes nothing, and ours goes out with a
version above it, as workers go by the highest and the broker keeps the last.
"""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, Row, insert, select, update

from console.store import outbox, tables
from console.store.cases import AMENDABLE, case_event, columns, read_case
from console.store.conversions import hold_those_of, undo
from console.store.engine import Store, utc_now
from schemas.cases import (
    BEHIND_LAST_DAY,
    DAYS,
    FIRST_DAY,
    HIGHEST_VERSION,
    LISTS,
    MOMENTS,
    Case,
    CaseStatus,
    is_a_day,
)
from schemas.clock import LOCAL
from schemas.topics import CASES
from streams.cases import as_traced

# what a later record can change
_FIELDS: Final = ("person", *sorted(AMENDABLE), *LISTS)
_ENDED: Final = (CaseStatus.CLOSED, CaseStatus.VOIDED)
_LONGEST: Final = {"ward": 64, "rule_set": 64}
_KEPT: Final = (
    "Bản ghi sau của hệ thống kia không thay đổi gì. / "
    "A later record of the other system changed nothing."
)
_CAUGHT_UP: Final = (
    "Bản ghi của chính hệ thống này, mới hơn dữ liệu ở đây (vừa khôi phục từ bản sao lưu). / "
    "A record of this console's own, newer than what was here (restored from a backup)."
)


class Taken(StrEnum):
    """What became of a record."""

    NEW = "new"
    FOLLOWED = "followed"
    MERGED = "merged"
    KEPT = "kept"  # ours counts, and went out above it
    KNOWN = "known"
    CAUGHT_UP = "caught_up"  # ours, of before the store was restored
    ENDED = "ended"  # closed or voided, and never seen here: nothing is to be done with it


class Again(StrEnum):
    """What became of ours that was to go out again."""

    PUBLISHED = "published"
    WAITS = "waits"  # it is above, and has not gone out yet
    UNKNOWN = "unknown"  # there is no such case here


def take_in(store: Store, case: Case, *, ours: bool = False) -> Taken:
    """Another system's record, as `streams.cases.read_case` reads it: at most suspected. Or, with
    `ours`, one that a console wrote: newer than the store it is only after a restore, and then it
    counts as it stands.

    Raises ValueError if the tables cannot hold it.
    """
    if _version(store, case.id) >= case.version:
        return Taken.KNOWN
    _check(case)
    with store.write() as connection:
        if case.status is CaseStatus.VOIDED:
            hold_those_of(connection, case.id)
        row = _locked(connection, case.id)
        if row is None:
            if case.status in _ENDED:
                return Taken.ENDED
            connection.execute(insert(tables.cases), [columns(case)])
            return Taken.NEW
        before = read_case(row)
        if case.version <= before.version:
            return Taken.KNOWN
        if ours:
            _catch_up(connection, before, case)
            return Taken.CAUGHT_UP
        here = _changed_here(connection, case)
        if "status" in here or before.status is CaseStatus.VOIDED:
            _keep(connection, before, case)
            return Taken.KEPT
        try:
            after = _merged(before, case, here)
        except ValidationError:  # what was entered here contradicts it
            _keep(connection, before, case)
            return Taken.KEPT
        alike = after == case
        _put(connection, before, after, case.registered_by, publish=not alike)
        return Taken.FOLLOWED if alike else Taken.MERGED


def stands(store: Store, case: Case) -> bool:
    """Whether the store has exactly this record, as `take_in` takes it."""
    with store.read() as connection:
        row = connection.execute(select(tables.cases).where(tables.cases.c.id == case.id)).first()
    return row is not None and as_traced(read_case(row)) == case


def publish_again(store: Store, case_id: str, above: int) -> Again:
    """Ours once more, as a record that does not count came behind it.

    `above`: that record's version, 0 for a tombstone; where ours has the same, it gets the next.
    """
    with store.write() as connection:
        row = _locked(connection, case_id)
        if row is None:
            return Again.UNKNOWN
        before = read_case(row)
        if before.version > above and _waits(connection, case_id):
            return Again.WAITS
        if before.version > above:
            now = utc_now()
            outbox.append(connection, [case_event(before, "amended", now)], now)
        else:
            _keep(connection, before, before.model_copy(update={"version": above}))
        return Again.PUBLISHED


def _check(case: Case) -> None:
    for name, longest in _LONGEST.items():
        text = getattr(case, name) or ""
        if len(text) > longest or not text.isprintable():
            raise ValueError(f"case record: {name}: not a text of at most {longest} characters")
    if case.version >= HIGHEST_VERSION:  # ours above it still has room in the column
        raise ValueError("case record: version: too high")
    for name, day in _days(case):
        if not is_a_day(day):
            raise ValueError(f"case record: {name}: {day} stands for no day")


def _days(case: Case) -> Iterator[tuple[str, date]]:
    """Every day and time of it, in local days: of the first and last of a calendar no other day
    can be counted."""
    for name in DAYS:
        if (day := getattr(case, name)) is not None:
            yield name, day
    for name in (*MOMENTS, "registered_at"):
        if (moment := getattr(case, name)) is not None:
            yield name, _local_day(moment)
    for name in ("points", "answers"):
        for entry in getattr(case, name):
            yield from ((name, _local_day(moment)) for moment in (entry.begin, entry.end))
    yield from (("named", entry.last_contact) for entry in case.named)


def _local_day(moment: datetime) -> date:
    if not FIRST_DAY.year <= moment.year < BEHIND_LAST_DAY.year:
        return moment.date()  # the calendar's first and last have no day before or after them
    return moment.astimezone(LOCAL).date()


def _version(store: Store, case_id: str) -> int:
    """Of the case that is here, 0 if none is: most of what is read is known, and locks nothing."""
    with store.read() as connection:
        query = select(tables.cases.c.version).where(tables.cases.c.id == case_id)
        return connection.scalar(query) or 0


def _locked(connection: Connection, case_id: str) -> Row[Any] | None:
    query = select(tables.cases).where(tables.cases.c.id == case_id).with_for_update()
    return connection.execute(query).first()


def _changed_here(connection: Connection, case: Case) -> set[str]:
    """The fields that somebody here has changed, whoever wrote the versions between."""
    c = tables.case_history.c
    query = select(c.changes).where(c.case_id == case.id, c.by != case.registered_by)
    return {name for changes in connection.scalars(query) for name in changes}


def _merged(before: Case, case: Case, here: set[str]) -> Case:
    """Theirs, but for what was changed here; above theirs, if that makes another record of it."""
    source = before.model_dump()
    ours = {name: source[name] for name in here if name in _FIELDS}
    after = Case.model_validate(case.model_dump() | ours)
    return after if after == case else after.model_copy(update={"version": case.version + 1})


def _keep(connection: Connection, before: Case, case: Case) -> None:
    after = before.model_copy(update={"version": case.version + 1})
    _put(connection, before, after, case.registered_by, publish=True, note=_KEPT)


def _catch_up(connection: Connection, before: Case, case: Case) -> None:
    """As it stands; confirmed before, it is so still: a record that is read says suspected."""
    confirmed = before.status is CaseStatus.CONFIRMED and case.status is CaseStatus.SUSPECTED
    after = case.model_copy(update={"status": before.status}) if confirmed else case
    _put(connection, before, after, case.registered_by, publish=False, note=_CAUGHT_UP)


def _put(
    connection: Connection,
    before: Case,
    after: Case,
    by: str,
    *,
    publish: bool,
    note: str | None = None,
) -> None:
    ended = _ended(after) if after.status is not before.status else {}
    c = tables.cases.c
    connection.execute(update(tables.cases).where(c.id == after.id).values(columns(after) | ended))
    was, became = (case.model_dump(mode="json") for case in (before, after))
    different = {name: became[name] for name in _FIELDS if was[name] != became[name]}
    now = utc_now()
    entry = {"at": now, "by": by, "changes": different, "note": note}
    entry |= {"case_id": after.id, "version": after.version}
    connection.execute(insert(tables.case_history), [entry])
    if after.status is CaseStatus.VOIDED and before.status is not CaseStatus.VOIDED:
        undo(connection, after, by)
    if publish:
        outbox.append(connection, [case_event(after, "amended", now)], now)


def _ended(case: Case) -> dict[str, Any]:
    by = case.registered_by if case.status in _ENDED else None
    return {"ended_by": by, "ended_reason": None}


def _waits(connection: Connection, case_id: str) -> bool:
    """Whether a record of ours has not gone out yet: it comes behind whatever has come."""
    o = tables.outbox.c
    query = select(o.id).where(o.published_at.is_(None), o.topic == CASES.name, o.key == case_id)
    return connection.execute(query.limit(1)).first() is not None
