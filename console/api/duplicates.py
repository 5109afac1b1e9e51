"""Routes of contacts that may be one person: suggested with the reason, decided by a person."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf
from console.api.documented import answers
from console.api.errors import field_problem, invalid
from console.api.runs import StoredRun, newest_run
from console.api.schemas import Sentence
from console.api.state import Console
from console.api.teamwork_schemas import (
    DecidedPair,
    DecidePair,
    Duplicates,
    PairDecided,
    SuggestionSaid,
)
from console.api.worklist_pages import every_row
from console.api.worklist_rows import absent, case_of, may_work, row_of, said
from console.store import pairs, worklist
from console.vault import NO_PHONES
from console.worklist.duplicates import Arrival, Suggestion, arrivals, arrivals_of_case, suggest
from schemas.cases import Case
from schemas.ids import person_bits, person_text

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases/{case_id}/duplicates", tags=["list"])

Reads = Annotated[Principal, Depends(Requires(Right.LIST_READ))]
Works = Annotated[Principal, Depends(Requires(Right.LIST_WORK))]
# of the places where they were seen, so that the table's own order is used
_METHODS: Final = """
SELECT person, arraySort(groupUniqArray(toString(method)))
FROM scans
WHERE place IN {places:Array(UInt32)} AND person IN {persons:Array(UInt64)}
  AND scanned_at >= fromUnixTimestamp64Milli({from:Int64})
  AND scanned_at < fromUnixTimestamp64Milli({to:Int64})
GROUP BY person
"""


@router.get("", summary="Contacts that may be one person", responses=answers(404, 503))
def suggestions(case_id: str, principal: Reads, console: ConsoleOf) -> Duplicates:
    """Scanned at the same places within seconds again and again: a card and a phone, or two
    who always go together. A person decides; nothing is merged by itself.
    """
    case, own = case_of(console, principal, case_id)
    if not own:
        raise absent()
    decided = pairs.decided(console.store, case_id)
    run = newest_run(console.clickhouse, case_id)
    found: list[Arrival] = []
    if run is not None and case.person is not None:
        found += arrivals_of_case(run.stays, case.person)
    for rows in every_row(console, case):
        for row in rows:
            found += arrivals(row.document) if row.document else ()
    suggested = suggest(found, decided)
    persons = {person for s in suggested for person in (s.first, s.second)}
    methods = _methods(console, run, persons, {place for place, _, who in found if who in persons})
    log.info("duplicates_suggested", case=case_id, pairs=len(suggested))
    return Duplicates(
        case=case_id,
        suggestions=[_said(console, case, s, methods) for s in suggested],
        decided=[DecidedPair(first=a, second=b, same=same) for (a, b), same in decided.items()],
        note=Sentence(vi=NO_PHONES[0], en=NO_PHONES[1]) if console.vault.note else None,
    )


@router.post("", summary="Decide of two", responses=answers(404, 409, 503))
def decide(case_id: str, body: DecidePair, principal: Works, console: ConsoleOf) -> PairDecided:
    """As they stand then. Of two that are the same, `keep` is worked and `other` rests, and their
    scans are one person's: the case is traced again. The case itself is always the one kept.
    """
    if body.keep == body.other:
        vi, en = "Phải là hai người khác nhau.", "These must be two."
        raise invalid(field_problem("other", "same", vi, en))
    case, _ = case_of(console, principal, case_id)
    keep, other = body.keep, body.other
    if other == case.person:
        keep, other = other, keep
    contacts = [person for person in (keep, other) if person != case.person]
    rows = [row_of(console, principal, case_id, person) for person in contacts]
    pairs.decide(
        console.store,
        case_id,
        keep,
        other,
        body.same,
        by=principal.by,
        guard=may_work(principal),
        note=body.note,
    )
    console.relay.wake()
    log.info("pair_decided", case=case_id, same=body.same)
    works = worklist.works(console.store, case_id, [row.person for row in rows])
    after = [replace(row, work=works.get(row.person, row.work)) for row in rows]
    return PairDecided(contacts=said(console, principal, after))


def _methods(
    console: Console, run: StoredRun | None, persons: Iterable[str], places: Iterable[int]
) -> dict[str, list[str]]:
    bits = sorted(person_bits(person) for person in persons)
    if run is None or not bits:
        return {}
    what: dict[str, Any] = {"persons": bits, "places": sorted(places)}
    what["from"] = int(run.view.window_from.timestamp() * 1000)
    what["to"] = int(run.view.window_to.timestamp() * 1000)
    rows = console.clickhouse.rows(_METHODS, what)
    return {person_text(person): list(methods) for person, methods in rows}


def _said(
    console: Console, case: Case, found: Suggestion, methods: dict[str, list[str]]
) -> SuggestionSaid:
    both = {person: methods.get(person, []) for person in (found.first, found.second)}
    vi = (
        f"{found.together} trong {found.of} lần đến cùng nơi, "
        f"cách nhau không quá {found.widest_s:g} giây."
    )
    en = f"{found.together} of {found.of} times at the same place within {found.widest_s:g} s."
    kinds = sorted(set(both[found.first]) ^ set(both[found.second]))
    if {"card", "self"} <= set(kinds):
        vi += " Một bên quét bằng thẻ, một bên bằng điện thoại."
        en += " One by card, the other by phone."
    if case.person in (found.first, found.second):
        vi += " Một trong hai là chính ca bệnh."
        en += " One of them is the case itself."
    return SuggestionSaid(
        first=found.first,
        second=found.second,
        together=found.together,
        of=found.of,
        methods=both,
        same_phone=console.vault.same_phone(case.id, found.first, found.second),
        reason=Sentence(vi=vi, en=en),
    )
