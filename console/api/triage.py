"""The route of a team's day: whom to call with the people there are, and what that leaves out."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, Query

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf, must_stand
from console.api.documented import answers
from console.api.errors import field_problem, invalid
from console.api.schemas import Sentence
from console.api.state import Console
from console.api.teamwork_schemas import LeftOutRow, TriageRow, TriageSaid
from console.api.worklist_pages import open_cases, rows_in_area
from console.api.worklist_rows import Row, case_of, cases_among
from console.store import sites
from console.worklist.areas import covers
from console.worklist.axes import Classification, FollowUp, Status
from console.worklist.triage import LEFT, Candidate, Left, cut, setting_of
from schemas.cases import Case
from tracer.documents import near
from tracer.tiers import Tier

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["list"])

MOST_CASES = 200
_UNSEEN: Final[dict[str, Any]] = {"minutes": 0.0, "band": "", "confidence": 0.0, "exposures": []}
Reads = Annotated[Principal, Depends(Requires(Right.LIST_READ))]
Capacity = Annotated[int, Query(ge=1, le=10_000, description="How many the team can call today.")]
CaseIds = Annotated[
    list[str], Query(alias="case", description="Only these; without it, all open ones.")
]


@router.get(
    "/triage", summary="The day's list, cut at the capacity", responses=answers(404, 409, 422, 503)
)
def triage(
    principal: Reads,
    console: ConsoleOf,
    capacity: Capacity,
    case: CaseIds = [],  # noqa: B006
) -> TriageSaid:
    """By tier, minutes, last exposure, confidence and setting; what is left out, and why."""
    wanted = wanted_cases(console, principal, case)
    assigned: dict[tuple[str, str], str] = {}
    found = cut(_candidates(console, principal, wanted, assigned), capacity)
    log.info("triaged", cases=len(wanted), today=len(found.today))
    today = [
        TriageRow(
            number=number,
            case=c.case_id,
            cases=found.cases[c.person],
            assigned_to=assigned.get((c.case_id, c.person)),
            **{k: v for k, v in asdict(c).items() if k not in ("case_id", "left")},
        )
        for number, c in enumerate(found.today, start=1)
    ]
    left_out = [
        LeftOutRow(
            sentence=Sentence(vi=LEFT[left.reason][0], en=LEFT[left.reason][1]), **asdict(left)
        )
        for left in found.left_out
    ]
    ids = [one.id for one in wanted]
    return TriageSaid(capacity=capacity, cases=ids, today=today, left_out=left_out)


def wanted_cases(console: Console, principal: Principal, ids: Iterable[str]) -> list[Case]:
    """These cases, each of which must be readable; without any, the area's open ones.

    Raises Conflict if one of them is voided: nobody is a contact of it any more.
    """
    named = list(dict.fromkeys(ids))
    if named:
        found = [case_of(console, principal, case_id)[0] for case_id in named[: MOST_CASES + 1]]
    else:
        found = open_cases(console, principal, MOST_CASES)
    if len(found) > MOST_CASES:
        vi = f"Nhiều hơn {MOST_CASES} ca: hãy nêu từng ca."
        en = f"More than {MOST_CASES} cases: name those that are meant."
        raise invalid(field_problem("case", "too_many", vi, en))
    must_stand(*found)
    return found


def _candidates(
    console: Console,
    principal: Principal,
    wanted: list[Case],
    assigned: dict[tuple[str, str], str],
) -> Iterator[Candidate]:
    kinds: dict[int, str] = {}
    for rows in rows_in_area(console, principal, wanted):
        places = {e["place"] for row in rows if row.document for e in row.document["exposures"]}
        found = sites.named(console.store, places - kinds.keys())
        # a room of a hospital is care, whatever it is called
        kinds |= {p: "hospital" if at.sector == "health" else at.kind for p, at in found.items()}
        known = cases_among(console, principal, rows)
        for row in rows:
            if row.work.assigned_to:
                assigned[row.case.id, row.person] = row.work.assigned_to
            yield _candidate(principal, row, kinds, is_case=row.person in known)


def _candidate(
    principal: Principal, row: Row, kinds: dict[int, str], *, is_case: bool
) -> Candidate:
    document = row.standing
    if document is None or not document["exposures"]:  # of whom no scan shows, nothing is sure
        document = _UNSEEN
    settings = {kinds.get(exposure["place"], "") for exposure in near(document)}
    if row.named:
        settings.add(row.named.relation.value)
    return Candidate(
        row.case.id,
        row.person,
        row.tier,
        document["minutes"],
        row.last_exposure,
        document["band"],
        document["confidence"],
        setting_of(settings),
        _left(principal, row, is_case=is_case),
    )


def _left(principal: Principal, row: Row, *, is_case: bool) -> Left | None:
    work = row.work
    decided = work.classification is not Classification.UNCONFIRMED
    reasons: tuple[tuple[bool, Left], ...] = (
        (row.excluded is not None, "excluded"),
        (work.status is Status.CONVERTED, "converted"),
        (is_case, "is_case"),
        (work.status is Status.DROPPED, "dropped"),
        (work.duplicate_of is not None, "duplicate"),
        (not covers(principal.area, work.responsible(row.case.ward)), "handed_over"),
        (work.follow_up is FollowUp.FOLLOW_UP, "followed"),
        (decided, "decided"),
        (row.document is None and row.named is None, "withdrawn"),
        (row.tier == Tier.SAME_TIME_ONLY, "not_on_call_list"),
    )
    return next((reason for holds, reason in reasons if holds), None)
