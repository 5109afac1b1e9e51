"""Routes of how the work stands: who is followed and due today, and a list in numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf, Limit
from console.api.documented import answers
from console.api.runs import StoredRun, newest_run
from console.api.state import Console
from console.api.teamwork_schemas import FollowedContact, FollowedPage, Summary
from console.api.worklist_pages import in_run, of_works
from console.api.worklist_rows import absent, case_of, entered, local_today, said
from console.store import cases, worklist
from console.store.worklist import Work
from console.worklist.axes import REACHABILITIES, Classification
from tracer.tiers import Tier

router = APIRouter(prefix="/v1", tags=["list"])

Reads = Annotated[Principal, Depends(Requires(Right.LIST_READ))]
DueState = Literal["due", "overdue", "done_today", "over", "not_begun", "open", "all"]


@router.get("/follow-up", summary="Who is followed, and what is due", responses=answers(503))
def follow_up(
    principal: Reads,
    console: ConsoleOf,
    state: DueState = "open",
    assigned_to: Annotated[str | None, Query(max_length=32)] = None,
    limit: Limit = 200,
    after: Annotated[str, Query(max_length=128, description="`next` of the page before.")] = "",
) -> FollowedPage:
    """Over all cases of the area. `open`: due and overdue."""
    states = ("due", "overdue") if state == "open" else (state,)
    case_id, _, person = after.rpartition("/")
    found: list[FollowedContact] = []
    more: str | None = None
    while True:
        works = worklist.followed(console.store, principal.area, limit=200, after=(case_id, person))
        for one in _followed(console, principal, works):
            if assigned_to not in (None, one.assigned_to):
                continue
            if state == "all" or one.plan.state in states:
                if len(found) == limit:
                    more = f"{found[-1].case}/{found[-1].person}"
                    break
                found.append(one)
        if more or len(works) < 200:
            break
        case_id, person = works[-1].case_id, works[-1].person
    return FollowedPage(day=local_today(), contacts=found, next=more)


def _followed(
    console: Console, principal: Principal, works: list[Work]
) -> Iterator[FollowedContact]:
    by_case: dict[str, list[Work]] = {}
    for work in works:
        by_case.setdefault(work.case_id, []).append(work)
    for case_id, some in by_case.items():
        case = cases.case(console.store, case_id)
        assert case is not None  # a row of the list names it
        run = newest_run(console.clickhouse, case_id)
        for one in said(console, principal, of_works(console, case, run, some)):
            yield FollowedContact(
                case=one.case,
                person=one.person,
                version=one.version,
                assigned_to=one.assigned_to,
                reachability=one.reachability,
                plan=one.plan,
            )


@router.get(
    "/cases/{case_id}/list-summary", summary="A list in numbers", responses=answers(404, 503)
)
def summary(case_id: str, principal: Reads, console: ConsoleOf) -> Summary:
    """Counted as the list has them, from what is decided and the run's own counts; the documents
    are not read.
    """
    case, own = case_of(console, principal, case_id)
    if not own:
        raise absent()
    run = newest_run(console.clickhouse, case_id)
    works = worklist.works(console.store, case_id)
    named, excluded = (set(people) for people in entered(case))
    known = works.keys() | named | excluded
    there = in_run(console, run, known)
    others = max(run.total - len(there), 0) if run else 0  # nobody has said anything of them
    total = others + len(there) + len(known - there.keys())
    no_contact = {
        p for p, w in works.items() if w.classification is Classification.NO_CONTACT
    } | excluded
    called = {p for p, (tier, _) in there.items() if tier != Tier.SAME_TIME_ONLY}
    to_call = (called | named) - no_contact
    call_list = others - _only_there(run, there) + len(to_call)
    reached = Counter(
        str(w.reachability) for p, w in works.items() if w.reachability and p in to_call
    )
    reached["NOT_TRIED"] = call_list - reached.total()
    untouched = total - len(works)
    return Summary(
        case=case_id,
        contacts=total,
        call_list=call_list,
        touched=len(works),
        classification=_counted(works, "classification", "UNCONFIRMED", untouched),
        status=_counted(works, "status", "ACTIVE", untouched),
        follow_up=_counted(works, "follow_up"),
        category=_counted(works, "category"),
        reachability=[
            Summary.Reach(how=how, count=reached[how], share=_share(reached[how], call_list))
            for how in REACHABILITIES
        ],
        handed_over=sum(work.area is not None for work in works.values()),
    )


def _only_there(run: StoredRun | None, known: Mapping[str, tuple[str, bool]]) -> int:
    """How many besides these were only there at the same time; who is ruled out is in no tier of
    the run's counts."""
    if run is None:
        return 0
    counted = sum(tier == Tier.SAME_TIME_ONLY and not out for tier, out in known.values())
    others = run.total - len(known)
    return min(max(run.view.contacts_by_tier.get(Tier.SAME_TIME_ONLY, 0) - counted, 0), others)


def _counted(
    works: dict[str, Work], axis: str, untouched: str = "", count: int = 0
) -> dict[str, int]:
    found = Counter(str(v) for w in works.values() if (v := getattr(w, axis)) is not None)
    if count:
        found[untouched] += count
    return dict(sorted(found.items()))


def _share(count: int, total: int) -> float:
    return round(count / total, 4) if total else 0.0
