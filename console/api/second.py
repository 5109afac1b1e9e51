"""Contacts of possible contacts (F2), traced when asked for. Nothing is stored, nobody is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query

from console.api.cases import ConsoleOf, ReadsContacts, must_stand, within
from console.api.documented import answers
from console.api.errors import not_found
from console.api.runs import StoredRun, called, newest_run
from console.api.scans import scans_at
from console.api.second_schemas import SecondContacts
from console.api.state import Console
from console.api.worklist_rows import documents_of
from console.store import cases as store
from console.store.engine import utc_now
from console.store.ground import ground
from console.store.worklist import works
from console.worklist.axes import Classification
from schemas.cases import Case
from schemas.ids import person_bits
from tracer.documents import NAMED
from tracer.fetch import second_from
from tracer.identity import same_of
from tracer.parameters import load_parameters
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.second import MOST_FIRST, Second, firsts_of
from tracer.stated import answers_of

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases", tags=["cases"])


@router.get(
    "/{case_id}/second-contacts",
    summary="Who was with possible contacts (F2), and through whom",
    response_model=SecondContacts,
    responses=answers(404, 409, 503),
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
    must_stand(case)
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
    f1s = _f1s(console, case, run, confirmed)
    found = _traced(console, case, f1s, rule_set)
    log.info("second_contacts_read", case=case.id, run=run.view.run, contacts=len(found.contacts))
    return answer | {
        "followed": len(f1s.documents),
        "not_followed": f1s.not_followed,
        "contacts": found.contacts[:limit],
        "total": len(found.contacts),
        "left_out": found.left_out,
    }


@dataclass(frozen=True)
class _F1s:
    """`documents`: of those to follow, by rank; `not_followed`: how many more there are.
    `persons`: all of them (64 bits), who are nobody's F2, followed or not."""

    documents: list[dict[str, Any]]
    not_followed: int
    persons: set[int]


def _f1s(console: Console, case: Case, run: StoredRun, confirmed: bool) -> _F1s:
    decided = {p: work.classification for p, work in works(console.store, case.id).items()}
    # whom an officer has made one is an F1 wherever the two met, at a market too
    made = {person for person, said in decided.items() if said is Classification.CONFIRMED}
    named = {entry.person for entry in case.named}
    possible = [
        one
        for one in called(console.clickhouse, run, made | named)
        if (one.call or one.person in made)
        and decided.get(one.person) is not Classification.NO_CONTACT
    ]
    follow = [
        one.person
        for one in possible
        if one.tier != NAMED and (one.person in made or not confirmed)
    ]
    found = documents_of(console.clickhouse, run, follow[:MOST_FIRST])
    documents = [found[person] for person in follow[:MOST_FIRST] if person in found]
    return _F1s(
        [d | {"call": True, "decided": _decided(d["person"] in made)} for d in documents],
        len(follow) - len(documents),
        {person_bits(one.person) for one in possible},
    )


def _decided(confirmed: bool) -> str | None:
    """As it stands: the run may be from before."""
    return Classification.CONFIRMED.value if confirmed else None


def _traced(console: Console, case: Case, f1s: _F1s, rule_set: RuleSet) -> Second:
    firsts, left_out = firsts_of(f1s.documents, _isolated(console, case))
    assert left_out == 0, "no more are read than are followed"
    now = utc_now()
    stands_on = ground(console.store, load_parameters())
    scans = scans_at(console, now)
    origin = {"person": case.person, "case": case.id}
    same, told = same_of(case), answers_of(case)
    return second_from(scans, origin, firsts, stands_on, rule_set, now, same, told, f1s.persons)


def _isolated(console: Console, case: Case) -> dict[str, datetime]:
    """Since when: of contacts who became cases and are isolated."""
    found = {}
    for person, work in works(console.store, case.id).items():
        became = store.case(console.store, work.converted_to) if work.converted_to else None
        if became is not None and became.isolated_at is not None:
            found[person] = became.isolated_at
    return found
