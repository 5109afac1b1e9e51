"""Routes that close a case, open it again, or void it."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends

from console.access import Principal, Requires, Right
from console.api.case_ends_schemas import EndCase, ReopenCase
from console.api.casecheck import reopening_problems
from console.api.cases import ConsoleOf, must_be_there, must_reach, only_one, within
from console.api.documented import a_case, answers
from console.api.errors import invalid
from console.api.state import Console
from console.store import case_ends
from console.store.engine import utc_now
from schemas.cases import Case, CaseStatus

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases", tags=["cases"])
Ends = Annotated[Principal, Depends(Requires(Right.CASES_END))]


@router.post("/{case_id}/close", summary="Close a case", responses=a_case(200) | answers(404, 409))
def close(case_id: str, principal: Ends, console: ConsoleOf, body: EndCase | None = None) -> Case:
    """Followed to its end; it is watched no longer. Closed before, it stays as it is."""
    within(console, principal, case_id)
    return _ended(console, case_ends.close, case_id, principal, body)


@router.post(
    "/{case_id}/reopen",
    summary="Open a closed case again",
    responses=a_case(200) | answers(404, 409),
)
def reopen(case_id: str, principal: Ends, console: ConsoleOf, body: ReopenCase) -> Case:
    """As confirmed or suspected, which the body says: it is traced and watched again, with what was
    worked on its list meanwhile, and can be amended. One that is voided stays so."""
    case = within(console, principal, case_id)
    changes = body.changes()
    must_be_there(changes)
    if case.status is CaseStatus.CLOSED:
        if problems := reopening_problems(case, changes, utc_now(), console, body.ongoing):
            raise invalid(*problems)
        must_reach(principal, changes.get("ward", case.ward))
    changes["status"] = CaseStatus(body.status)
    # of the version that was looked at here, so that nothing goes in unlooked at
    version = body.version or case.version
    after = case_ends.reopen(
        console.store, case_id, changes, version, by=principal.by, reason=body.reason,
        check=None if body.although_open else only_one(principal),
    )  # fmt: skip
    console.relay.wake()
    log.info("case_reopened", case=after.id, version=after.version, status=after.status.value)
    return after


@router.post("/{case_id}/void", summary="Void a case", responses=a_case(200) | answers(404))
def void(case_id: str, principal: Ends, console: ConsoleOf, body: EndCase | None = None) -> Case:
    """Registered in error; it cannot be opened again. Voided before, it stays as it is."""
    within(console, principal, case_id)
    return _ended(console, case_ends.void, case_id, principal, body)


def _ended(
    console: Console, end: Any, case_id: str, principal: Principal, body: EndCase | None
) -> Case:
    reason = body.reason if body else None
    case: Case = end(console.store, case_id, by=principal.by, reason=reason)
    console.relay.wake()
    log.info("case_ended", case=case.id, version=case.version, status=case.status.value)
    return case
