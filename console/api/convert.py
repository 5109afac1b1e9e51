"""The route of a contact who becomes a case: registered or linked, and the history stays."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends

from console.access import Principal, Requires, Right, forbidden
from console.api.casecheck import problems_of
from console.api.cases import ConsoleOf
from console.api.documented import answers
from console.api.errors import field_problem, invalid
from console.api.state import Console
from console.api.teamwork_schemas import Converted
from console.api.worklist import Person
from console.api.worklist_rows import Row, may_work, row_of
from console.api.worklist_schemas import ConvertContact
from console.store import cases, conversions
from console.store.engine import utc_now
from console.store.one_person import ids_of
from schemas.cases import Case, CaseStatus

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases/{case_id}/list", tags=["list"])

Converts = Annotated[Principal, Depends(Requires(Right.LIST_CONVERT))]


@router.post("/{person}/convert", summary="Became a case", responses=answers(404, 409, 503))
def convert(
    case_id: str, person: Person, body: ConvertContact, principal: Converts, console: ConsoleOf
) -> Converted:
    """A new case of this person, or `case`; the contact is CONVERTED and names it. Sent again
    after a fault, it makes no second case; nor if the person is an open case already.
    """
    row = row_of(console, principal, case_id, person)
    may_work(principal)(row.case.ward, row.work)
    became = conversions.convert(
        console.store,
        row.case,
        person,
        _new(console, principal, row, body)
        if body.case is None
        else _existing(console, principal, row, body.case),
        by=principal.by,
        guard=may_work(principal),
        reaches=principal.reaches,
        last_exposure=row.last_exposure,
        note=body.note,
    )
    console.relay.wake()
    log.info("contact_converted", case=case_id, became=became.id)
    return Converted(contact_of=case_id, person=person, status="CONVERTED", case=became)


def _new(console: Console, principal: Principal, row: Row, body: ConvertContact) -> cases.NewCase:
    asked = body.to_register(row.person, row.case.ward)
    if problems := problems_of(asked, utc_now(), console):
        raise invalid(*problems)
    if not principal.reaches(asked.ward):
        raise forbidden(
            "Ca thuộc địa bàn khác với địa bàn của khoá.",
            "The case's ward is outside this key's area.",
        )
    return cases.NewCase(
        person=asked.person,
        ward=asked.ward,
        status=CaseStatus(asked.status),
        symptoms=asked.symptoms,
        onset=asked.onset,
        sampled_on=asked.sampled_on,
        result_on=asked.result_on,
        isolated_at=asked.isolated_at,
        negative_at=asked.negative_at,
        rule_set=asked.rule_set,
    )


def _existing(console: Console, principal: Principal, row: Row, case_id: str) -> Case:
    case = cases.case(console.store, case_id)
    if case is None or not principal.reaches(case.ward):
        vi, en = "Không có ca này trong địa bàn.", "There is no such case in this key's area."
        raise invalid(field_problem("case", "unknown", vi, en))
    theirs = ids_of(case, case.person) & ids_of(row.case, row.person)
    if not theirs or case.id == row.case.id:
        vi, en = "Ca này của người khác.", "This case is another person's."
        raise invalid(field_problem("case", "other_person", vi, en))
    if case.status is CaseStatus.VOIDED:
        vi, en = "Ca này đã bị huỷ.", "This case is voided."
        raise invalid(field_problem("case", "voided", vi, en))
    return case
