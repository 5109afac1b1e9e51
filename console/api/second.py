"""Contacts of possible contacts (F2), traced when asked for. Nothing is stored, nobody is told."""

from datetime import datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Query

from console.api.cases import ConsoleOf, ReadsContacts, within
from console.api.documented import answers
from console.api.errors import not_found
from console.api.runs import StoredRun, newest_run, page_of_contacts
from console.api.scans import scans_at
from console.api.second_schemas import SecondContacts
from console.api.state import Console
from console.store import cases as store
from console.store.engine import utc_now
from console.store.ground import ground
from console.store.worklist import works
from console.worklist.axes import Classification
from schemas.cases import Case
from schemas.ids import person_bits
from tracer.fetch import second_from
from tracer.identity import same_of
from tracer.parameters import load_parameters
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.second import MOST_FIRST, Second, firsts_of
from tracer.stated import answers_of

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases", tags=["cases"])
_PAGE: Final = 1_000


@router.get(
    "/{case_id}/second-contacts",
    summary="Who was with possible contacts (F2), and through whom",
    response_model=SecondContacts,
    responses=answers(404, 503),
)
def second_contacts(
    case_id: str,
    principal: ReadsContacts,
    console: ConsoleOf,
    anyway: Annotated[
        bool, Query(description="Also where the run's rule-set defines no F2.")
    ] = False,
    confirmed: Annotated[
        bool, Query(description="Only through those whom an officer has confirmed as F1.")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 100,
) -> dict[str, Any]:
    """From the newest run's contacts who are to be called, on the scans as they stand now.

    Nobody is reached through whom an officer has ruled out.
    """
    case = within(console, principal, case_id)
    run = newest_run(console.clickhouse, case_id)
    if run is None:
        raise not_found("Ca này chưa được truy vết.", "This case has not been traced yet.")
    rule_set = next((r for r in load_rule_sets() if r.id == run.view.rule_set), None)
    if rule_set is None:
        raise not_found(
            f"Bộ quy tắc {run.view.rule_set} không còn được nạp.",
            f"The rule-set {run.view.rule_set} is no longer loaded.",
        )
    answer: dict[str, Any] = {
        "case": case.id,
        "run": run.view.run,
        "rule_set": rule_set.id,
        "f2": rule_set.f2,
        "note": {"vi": rule_set.f2_note.vi, "en": rule_set.f2_note.en},
        "followed": 0,
        "not_followed": 0,
        "contacts": [],
        "total": 0,
        "left_out": 0,
    }
    if not (rule_set.f2 or anyway):
        return answer
    contacts, firsts = _worth_following(console, case, run, confirmed)
    found, followed, not_followed = _traced(console, case, contacts, firsts, rule_set)
    log.info("second_contacts_read", case=case.id, run=run.view.run, contacts=len(found.contacts))
    return answer | {
        "followed": followed,
        "not_followed": not_followed,
        "contacts": found.contacts[:limit],
        "total": len(found.contacts),
        "left_out": found.left_out,
    }


def _worth_following(
    console: Console, case: Case, run: StoredRun, confirmed: bool
) -> tuple[list[dict[str, Any]], set[int]]:
    """Whom to follow; and all F1s (64 bits), who are nobody's F2, followed or not."""
    decided = {p: work.classification for p, work in works(console.store, case.id).items()}
    made = {person for person, said in decided.items() if said is Classification.CONFIRMED}
    contacts = [
        (c, decided.get(c["person"])) for c in _contacts(console, run, made if confirmed else set())
    ]
    # whom an officer has made one is an F1 wherever the two met, at a market too
    possible = [
        (c | {"call": True} if said is Classification.CONFIRMED else c, said)
        for c, said in contacts
        if said is not Classification.NO_CONTACT
    ]
    firsts = {person_bits(c["person"]) for c, _ in possible if c["call"]}
    return [c for c, said in possible if not confirmed or said is Classification.CONFIRMED], firsts


def _traced(
    console: Console,
    case: Case,
    contacts: list[dict[str, Any]],
    called: set[int],
    rule_set: RuleSet,
) -> tuple[Second, int, int]:
    firsts, not_followed = firsts_of(contacts, _isolated(console, case))
    now = utc_now()
    stands_on = ground(console.store, load_parameters())
    scans = scans_at(console, now)
    origin = {"person": case.person, "case": case.id}
    same = same_of(case)
    told = answers_of(case)
    second = second_from(scans, origin, firsts, stands_on, rule_set, now, same, told, called)
    return second, len(firsts), not_followed


def _isolated(console: Console, case: Case) -> dict[str, datetime]:
    """Since when: of contacts who became cases and are isolated."""
    found = {}
    for person, work in works(console.store, case.id).items():
        became = store.case(console.store, work.converted_to) if work.converted_to else None
        if became is not None and became.isolated_at is not None:
            found[person] = became.isolated_at
    return found


def _contacts(console: Console, run: StoredRun, confirmed: set[str]) -> list[Any]:
    """By rank, as far as the last one that could be followed, and all who are confirmed."""
    found: list[Any] = []
    left = set(confirmed)
    for begin in range(0, run.total, _PAGE):
        page = page_of_contacts(console.clickhouse, run, _PAGE, begin)
        found += page
        left -= {c["person"] for c in page}
        if not left and sum(bool(c["call"]) for c in found) > MOST_FIRST and not page[-1]["call"]:
            break
    return found
