"""Possible contacts of all open cases together: a person once, with the path from each case."""

from typing import Annotated, Any, Final

import orjson
import structlog
from fastapi import APIRouter, Query

from console.api.across_schemas import ContactsAcross
from console.api.cases import ConsoleOf, ReadsContacts
from console.api.documented import answers
from console.store import cases as store

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["cases"])
MOST_CASES: Final = 1_000

_RUNS: Final = """
SELECT case_id, run, argMin(attempt, (stored_at, attempt)) FROM trace_runs
WHERE case_id IN {cases:Array(String)}
GROUP BY case_id, run ORDER BY case_id, run DESC LIMIT 1 BY case_id
"""
# closest tier first, then of more cases, then longer: as one case's list is ordered
_CONTACTS: Final = """
SELECT person, groupArray((case_id, document)), count() OVER () AS total FROM (
    SELECT person, case_id, document, minutes,
           transform(tier, ['named', 'same_small_enclosed', 'same_place'], [0, 0, 1], 2) AS nearness
    FROM trace_contacts
    WHERE (case_id, run, attempt) IN (
        SELECT arrayJoin(arrayZip({cases:Array(String)}, {runs:Array(UInt32)},
                                  {attempts:Array(UUID)})))
      AND JSONExtractBool(document, 'call')
    ORDER BY case_id
)
GROUP BY person
ORDER BY min(nearness), count() DESC, max(minutes) DESC, person
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
"""
_SHOWN: Final = (
    "rank", "tier", "minutes", "last_exposure", "band", "clauses", "questions", "path", "named",
)  # fmt: skip


@router.get(
    "/contacts",
    summary="Possible contacts of all open cases, each person once",
    response_model=ContactsAcross,
    responses=answers(503),
)
def contacts_across(
    principal: ReadsContacts,
    console: ConsoleOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    """Those to be called, of the newest run of each case in the key's area.

    Of the newest 1,000 open cases; `cases_left_out` says how many more there are.
    """
    open_cases = [
        case.id
        for case in store.list_cases(
            console.store, principal.area, limit=MOST_CASES, open_only=True
        )
    ]
    all_open = store.count_open(console.store, principal.area)
    answer: dict[str, Any] = {
        "cases": len(open_cases),
        "cases_left_out": max(all_open - len(open_cases), 0),
        "contacts": [],
        "total": 0,
        "limit": limit,
        "offset": offset,
    }
    runs = console.clickhouse.rows(_RUNS, {"cases": open_cases}) if open_cases else []
    if not runs:
        return answer
    names, numbers, attempts = zip(*runs, strict=True)
    found = console.clickhouse.rows(
        _CONTACTS,
        {
            "cases": list(names),
            "runs": [int(n) for n in numbers],
            "attempts": [str(a) for a in attempts],
            "limit": limit,
            "offset": offset,
        },
    )
    log.info("contacts_read_across", cases=len(open_cases), contacts=len(found))
    contacts = [_contact(of_cases) for _, of_cases, _ in found]
    return answer | {"contacts": contacts, "total": found[0][2] if found else 0}


def _contact(of_cases: list[tuple[str, str]]) -> dict[str, Any]:
    documents = [(case, orjson.loads(text)) for case, text in of_cases]
    return {
        "person": documents[0][1]["person"],
        "cases": [
            {"case": case} | {name: d[name] for name in _SHOWN if name in d}
            for case, d in documents
        ],
    }
