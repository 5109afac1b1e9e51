"""Routes of a case's list: read it, decide, answer, visit, assign; every change has its history."""

from dataclasses import replace
from datetime import date
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path

from console.access import Principal, Requires, Right, forbidden
from console.api.cases import ConsoleOf, Limit, Offset
from console.api.documented import answers
from console.api.errors import invalid
from console.api.state import Console
from console.api.worklist_check import changes_of, must_be_able, visit_problems
from console.api.worklist_pages import page
from console.api.worklist_rows import (
    Row,
    case_of,
    may_work,
    proposal_of,
    row_of,
    said,
)
from console.api.worklist_schemas import (
    Assign,
    ChangeContact,
    History,
    RecordVisit,
    Visits,
    WorkContact,
    WorkList,
)
from console.store import visits, worklist
from console.worklist.followup import Visit
from schemas.ids import PERSON_PATTERN

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases/{case_id}/list", tags=["list"])

Reads = Annotated[Principal, Depends(Requires(Right.LIST_READ))]
Works = Annotated[Principal, Depends(Requires(Right.LIST_WORK))]
Person = Annotated[str, Path(pattern=PERSON_PATTERN)]


@router.get("", summary="A case's list, with what is decided", responses=answers(404, 503))
def read_list(
    case_id: str, principal: Reads, console: ConsoleOf, limit: Limit = 100, offset: Offset = 0
) -> WorkList:
    """The whole list in the case's area; elsewhere what was handed over to the asker's."""
    case, own = case_of(console, principal, case_id)
    run, rows, total = page(console, principal, case, own, limit, offset)
    log.info("list_read", case=case.id, contacts=len(rows))
    return WorkList(
        case=case.id,
        run=run.view.run if run else None,
        rule_set=run.view.rule_set if run else None,
        contacts=said(console, principal, rows),
        total=total,
        limit=limit,
        offset=offset,
    )


@router.get("/{person}", summary="One contact", responses=answers(404, 503))
def read_contact(case_id: str, person: Person, principal: Reads, console: ConsoleOf) -> WorkContact:
    """What is known, proposed, decided and due."""
    return said(console, principal, [row_of(console, principal, case_id, person)])[0]


@router.patch("/{person}", summary="Decide, answer", responses=answers(404, 409, 503))
def decide(
    case_id: str, person: Person, body: ChangeContact, principal: Works, console: ConsoleOf
) -> WorkContact:
    """The answers say which clauses they fulfil or exclude; the classification is the officer's."""
    row = row_of(console, principal, case_id, person)
    work = worklist.change(
        console.store,
        case_id,
        person,
        changes_of(row, body),
        by=principal.by,
        what="decide",
        guard=may_work(principal),
        note=body.note,
        on_version=body.version,
        answers=body.answers,
    )
    console.relay.wake()
    if "classification" in body.model_fields_set:
        _log_decision(row, work)
    return _after(console, principal, row, work)


def _log_decision(row: Row, work: worklist.Work) -> None:
    """How often people decide as proposed; of whom, the history says."""
    proposal = proposal_of(row, work.answers)
    proposed = proposal["classification"] if proposal else None
    log.info(
        "contact_decided",
        case=row.case.id,
        decided=str(work.classification),
        proposed=str(proposed) if proposed else None,
    )


@router.put(
    "/{person}/visits/{day}", summary="Record a day's visit", responses=answers(404, 409, 503)
)
def record_visit(
    case_id: str,
    person: Person,
    day: date,
    body: RecordVisit,
    principal: Works,
    console: ConsoleOf,
) -> WorkContact:
    """One a day; sent again, it is corrected, and the history keeps what was there."""
    row = row_of(console, principal, case_id, person)
    if problems := visit_problems(row, day, body):
        raise invalid(*problems)
    temperature = None if body.temperature is None else round(body.temperature, 1)
    work = visits.record_visit(
        console.store,
        case_id,
        person,
        Visit(day, body.result, body.symptoms, temperature),
        by=principal.by,
        guard=may_work(principal),
        last_exposure=row.last_exposure,
        note=body.note,
    )
    return _after(console, principal, row, work)


@router.get("/{person}/visits", summary="A contact's visits", responses=answers(404, 503))
def read_visits(case_id: str, person: Person, principal: Reads, console: ConsoleOf) -> Visits:
    """By day."""
    row_of(console, principal, case_id, person)
    found = visits.visits(console.store, case_id, person)
    return Visits.model_validate({"visits": [vars(visit) for visit in found.values()]})


@router.get("/{person}/history", summary="Who changed what", responses=answers(404, 503))
def read_history(case_id: str, person: Person, principal: Reads, console: ConsoleOf) -> History:
    """Every change, the first first. Nothing of it is ever changed."""
    row_of(console, principal, case_id, person)
    steps = worklist.history(console.store, case_id, person)
    return History.model_validate({"steps": [vars(step) for step in steps]})


@router.put("/{person}/assignment", summary="Who works it", responses=answers(404, 409, 503))
def assign(
    case_id: str, person: Person, body: Assign, principal: Works, console: ConsoleOf
) -> WorkContact:
    """An officer may take a contact; giving it to another needs `list.assign`."""
    if body.to != principal.by and not principal.may(Right.LIST_ASSIGN):
        raise forbidden(
            f"Vai trò '{principal.role}' chỉ được tự nhận; giao cho người khác cần "
            f"'{Right.LIST_ASSIGN}'.",
            f"The role '{principal.role}' may take a contact; giving it to another needs "
            f"'{Right.LIST_ASSIGN}'.",
        )
    row = row_of(console, principal, case_id, person)
    if body.to is not None:
        must_be_able(console, row, int(body.to.removeprefix("key/")))
    work = worklist.change(
        console.store,
        case_id,
        person,
        {"assigned_to": body.to, "last_exposure": row.last_exposure},
        by=principal.by,
        what="assign",
        guard=may_work(principal),
        note=body.note,
    )
    return _after(console, principal, row, work)


def _after(console: Console, principal: Principal, row: Row, work: worklist.Work) -> WorkContact:
    return said(console, principal, [replace(row, work=work)])[0]
