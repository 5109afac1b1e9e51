"""Routes of cases: register, look, amend, and their possible contacts."""

from collections.abc import Mapping
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Header, Query, Response
from sqlalchemy import Connection

from console.access import Principal, Requires, Right, forbidden
from console.api.casecheck import amendment_problems, problems_of
from console.api.documented import a_case, answers
from console.api.errors import field_problem, invalid, not_found
from console.api.runs import newest_run, page_of_contacts
from console.api.schemas import AmendCase, Cases, Contacts, RegisterCase
from console.api.state import Console, console_of
from console.store import cases as store
from console.store.engine import utc_now
from console.store.errors import Conflict
from console.store.one_person import must_be_the_only_one
from console.store.venues import venues
from schemas.cases import OPEN_STATUSES, Case, CaseStatus

log = structlog.get_logger()
_ANOTHER = (
    "Hãy sửa ca đó; nếu đúng là một ca nữa, thêm although_open (--although-open). / "
    "Amend that one; if this is another all the same, add although_open (--although-open)."
)
router = APIRouter(prefix="/v1/cases", tags=["cases"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Registers = Annotated[Principal, Depends(Requires(Right.CASES_REGISTER))]
Reads = Annotated[Principal, Depends(Requires(Right.CASES_READ))]
ReadsContacts = Annotated[Principal, Depends(Requires(Right.CONTACTS_READ))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
RequestKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="Made once by the client and kept in retries: one case comes of it.",
    ),
]


@router.post("", status_code=201, summary="Register a case", responses=a_case(201) | answers(409))
def register(
    body: RegisterCase,
    principal: Registers,
    console: ConsoleOf,
    response: Response,
    idempotency_key: RequestKey = None,
) -> Case:
    """The case, on its way to `cases.v1`, where the workers trace it."""
    if problems := problems_of(body, utc_now(), console):
        raise invalid(*problems)
    must_reach(principal, body.ward)
    names = RegisterCase.model_fields.keys() - {"although_open"}
    fields = {name: getattr(body, name) for name in names}
    new = store.NewCase(**(fields | {"status": CaseStatus(body.status)}))
    request_key = f"{principal.key_id}:{idempotency_key}" if idempotency_key else None
    case = store.register_case(
        console.store, new, registered_by=principal.by, request_key=request_key,
        check=None if body.although_open else only_one(principal),
    )  # fmt: skip
    console.relay.wake()
    log.info("case_registered", case=case.id, version=case.version)
    response.headers["Location"] = f"/v1/cases/{case.id}"
    return case


@router.get("", summary="Cases in the key's area")
def list_cases(
    principal: Reads, console: ConsoleOf, limit: Limit = 100, offset: Offset = 0
) -> Cases:
    """The newest first."""
    found = store.list_cases(console.store, principal.area, limit=limit, offset=offset)
    return Cases(cases=found, limit=limit, offset=offset)


@router.get("/{case_id}", summary="One case", responses=a_case(200) | answers(404))
def read(case_id: str, principal: Reads, console: ConsoleOf) -> Case:
    """The case as it stands."""
    return within(console, principal, case_id)


@router.get(
    "/{case_id}/contacts",
    summary="Possible contacts of a case",
    response_model=Contacts,
    responses=answers(404, 503)
    | {202: {"model": Contacts, "description": "No run yet: ask again after `Retry-After`."}},
)
def contacts(
    case_id: str,
    principal: ReadsContacts,
    console: ConsoleOf,
    response: Response,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """From the newest complete run, by rank. Possible contacts: a person decides."""
    case = within(console, principal, case_id)
    run = newest_run(console.clickhouse, case_id)
    answer: dict[str, Any] = {
        "case": case,
        "venues": len(venues(console.store, case_id)),
        "state": "tracing",
        "run": None,
        "contacts": [],
        "total": 0,
        "limit": limit,
        "offset": offset,
    }
    if run is None:
        response.status_code = 202
        response.headers["Retry-After"] = "1"
        return answer
    behind = run.view.case_version < case.version and case.status in OPEN_STATUSES
    log.info("contacts_read", case=case_id, run=run.view.run)
    return answer | {
        "state": "retracing" if behind else "traced",
        "run": run.view,
        "contacts": page_of_contacts(console.clickhouse, run, limit, offset),
        "total": run.total,
    }


@router.patch("/{case_id}", summary="Amend a case", responses=a_case(200) | answers(404, 409))
def amend(case_id: str, body: AmendCase, principal: Registers, console: ConsoleOf) -> Case:
    """It is traced again, and officers are told what that changes. Without a change, as it was."""
    case = within(console, principal, case_id)
    store.must_be_open(case)
    changes = body.changes()
    must_be_there(changes)
    if problems := amendment_problems(case, changes, utc_now(), console):
        raise invalid(*problems)
    must_reach(principal, changes.get("ward", case.ward))
    if "status" in changes:
        changes["status"] = CaseStatus(changes["status"])
    after = store.amend(console.store, case_id, changes, body.version, by=principal.by)
    console.relay.wake()
    log.info("case_amended", case=after.id, version=after.version)
    return after


def must_be_there(changes: Mapping[str, Any]) -> None:
    """Raises 422 for fields that no case is without, and that are to be taken away."""
    if nulled := [name for name in ("ward", "status") if changes.get(name, "") is None]:
        words = "Không được bỏ trống.", "It cannot be taken away."
        raise invalid(*(field_problem(name, "missing", *words) for name in nulled))


def only_one(principal: Principal) -> store.Check:
    """Raises Conflict unless the person of the case is no other open one."""

    def check(connection: Connection, case: Case) -> None:
        must_be_the_only_one(connection, case, principal.reaches, _ANOTHER)

    return check


def must_stand(*cases: Case) -> None:
    """Raises Conflict if one of them is voided: nobody is a contact of it any more."""
    if voided := ", ".join(case.id for case in cases if case.status is CaseStatus.VOIDED):
        raise Conflict(
            f"Đã huỷ, đăng ký nhầm: {voided}. Không còn ai là người tiếp xúc của ca đã huỷ. / "
            f"Voided, registered in error: {voided}. Nobody is a contact of a voided case any more."
        )


def must_reach(principal: Principal, ward: str) -> None:
    """Raises 403 for a ward outside the key's area."""
    if not principal.reaches(ward):
        raise forbidden(
            "Xã, phường của ca nằm ngoài địa bàn của khoá này.",
            "The ward of the case is outside the area of this key.",
        )


def within(console: Console, principal: Principal, case_id: str) -> Case:
    """The case, if there is one and it is the asker's to see; else 404 either way."""
    case = store.case(console.store, case_id)
    if case is None or not principal.reaches(case.ward):
        raise not_found(
            "Không có ca này trong địa bàn của khoá.", "There is no such case in this key's area."
        )
    return case
