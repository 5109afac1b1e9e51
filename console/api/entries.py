"""Routes of what officers add to a case, and of who changed what."""

from collections import Counter
from typing import Any

import structlog
from fastapi import APIRouter

from console.api.casecheck import time_problems, too_old
from console.api.cases import ConsoleOf, Reads, Registers, within
from console.api.documented import a_case, answers
from console.api.entries_schemas import CaseHistory, ChangeEntries, Entries
from console.api.errors import field_problem, invalid
from console.api.schemas import FieldProblem
from console.api.state import Console
from console.store import case_entries, venues
from console.store.cases import must_be_open
from console.store.engine import utc_now
from console.store.one_person import ids_of
from schemas.cases import ENTERED, FIRST_DAY, Case, SamePerson
from schemas.clock import LOCAL

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases", tags=["cases"])


@router.post(
    "/{case_id}/entries",
    summary="Add or remove points, answers, named contacts, exclusions, ids of one person",
    responses=a_case(200) | answers(404, 409),
)
def change_entries(
    case_id: str, body: ChangeEntries, principal: Registers, console: ConsoleOf
) -> Case:
    """It is traced again, and officers are told what that changes. Without a change, as it was."""
    case = within(console, principal, case_id)
    must_be_open(case)
    if problems := _problems(case, body, console):
        raise invalid(*problems)
    after = case_entries.change_entries(
        console.store,
        case_id,
        _lists(body.add),
        _lists(body.remove),
        by=principal.by,
        note=body.note,
        on_version=body.version,
    )
    console.relay.wake()
    log.info("case_entries_changed", case=after.id, version=after.version)
    return after


@router.get(
    "/{case_id}/history",
    summary="Who changed what of a case",
    response_model=CaseHistory,
    responses=answers(404),
)
def history(case_id: str, principal: Reads, console: ConsoleOf) -> dict[str, Any]:
    """Its registration is version 1; each change made one more."""
    case = within(console, principal, case_id)
    found = case_entries.history(console.store, case_id)
    return {
        "case": case.id,
        "history": [vars(entry) for entry in found],
        "venues": [vars(steps) for steps in venues.steps(console.store, case.id)],
    }


def _lists(entries: Entries) -> dict[str, Any]:
    return {name: getattr(entries, name) for name in ENTERED}


def _problems(case: Case, body: ChangeEntries, console: Console) -> list[FieldProblem]:
    now = utc_now()
    added = body.add
    since = case.registered_at
    found = time_problems("add.points", added.points, now, console, since=since)
    found += time_problems("add.answers", added.answers, now, console, since=since)
    today = now.astimezone(LOCAL).date()
    for number, named in enumerate(added.named):
        field = f"add.named.{number}.last_contact"
        if named.last_contact > today:
            words = "Ngày ở tương lai.", "The day is in the future."
            found.append(field_problem(field, "in_future", *words))
        elif named.last_contact < FIRST_DAY:
            found.append(too_old(field))
    times = {
        name: Counter(entry.person for entry in _after(case, body, name))
        for name in ("named", "excluded", "same")
    }
    found += _same_problems(case, added.same, times["same"])
    mine = ids_of(case, case.person)
    for name, other in (("named", "excluded"), ("excluded", "named")):
        for number, entry in enumerate(getattr(added, name)):
            field = f"add.{name}.{number}.person"
            if entry.person in mine:
                words = "Đây chính là ca bệnh.", "This is the case itself."
                found.append(field_problem(field, "the_case", *words))
            elif entry.person in times[other]:
                words = (
                    "Người này vừa được kể tên vừa bị loại trừ: hãy bỏ một trong hai.",
                    "This person is both named and excluded: remove one of the two.",
                )
                found.append(field_problem(field, "named_and_excluded", *words))
            elif times[name][entry.person] > 1:
                words = (
                    "Người này đã có ở đây với nội dung khác: hãy bỏ mục cũ trước.",
                    "This person is here already with another content: remove that first.",
                )
                found.append(field_problem(field, "twice", *words))
    return found


def _same_problems(
    case: Case, added: tuple[SamePerson, ...], ids: Counter[str]
) -> list[FieldProblem]:
    found = []
    for number, entry in enumerate(added):
        field = f"add.same.{number}.person"
        if entry.person == case.person:
            words = "Đây chính là ca bệnh: hãy ghi mã kia.", "This is the case: name the other id."
            found.append(field_problem(field, "the_case", *words))
        elif ids[entry.person] > 1:
            words = "Mã này đã được gộp vào một người.", "This id is somebody's already."
            found.append(field_problem(field, "twice", *words))
        elif entry.of in ids or entry.person == entry.of:
            words = (
                "Mã này lại được gộp vào mã khác: hãy nêu mã được giữ.",
                "This id is itself another's: name the one that is kept.",
            )
            found.append(field_problem(f"add.same.{number}.of", "joined", *words))
    return found


def _after(case: Case, body: ChangeEntries, name: str) -> list[Any]:
    """The list as the change would leave it."""
    removed = getattr(body.remove, name)
    kept = [entry for entry in getattr(case, name) if entry not in removed]
    return kept + [entry for entry in dict.fromkeys(getattr(body.add, name)) if entry not in kept]
