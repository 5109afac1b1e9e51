"""A case's contacts page by page, every page of the same run; nothing longer is held."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

from console.access import Principal
from console.api.runs import StoredRun, newest_run
from console.api.state import Console
from console.api.worklist_rows import Row, documents_of, entered
from console.store import cases, worklist
from console.store.worklist import Work
from schemas.cases import OPEN_STATUSES, Case, Decided
from schemas.ids import person_bits, person_text

PAGE: Final = 500
# By rank, dense from 1 and the end of the table's key: a page costs the same wherever it is.
_PAGE: Final = """
SELECT document FROM trace_contacts
WHERE case_id = {case:String} AND run = {run:UInt32} AND attempt = {attempt:UUID}
  AND rank > {offset:UInt32} AND rank <= {offset:UInt32} + {limit:UInt32}
ORDER BY rank
"""
_THERE: Final = """
SELECT person, tier, JSONExtractString(document, 'decided') FROM trace_contacts
WHERE case_id = {case:String} AND run = {run:UInt32} AND attempt = {attempt:UUID}
  AND person IN {persons:Array(UInt64)}
"""


def page(
    console: Console, principal: Principal, case: Case, own: bool, limit: int, offset: int
) -> tuple[StoredRun | None, list[Row], int]:
    """The newest run, these of the list, and how many there are. Raises Retryable."""
    run = newest_run(console.clickhouse, case.id)
    if not own:
        handed = [
            work
            for work in worklist.handed_to(console.store, principal.area)
            if work.case_id == case.id
        ]
        return run, of_works(console, case, run, handed[offset : offset + limit]), len(handed)
    traced = run.total if run else 0
    rows = _traced(console, case, run, limit, offset) if run and offset < traced else []
    beside = _beside(console, case, run)
    begin = max(0, offset - traced)
    room = limit - len(rows)
    rows += of_works(console, case, run, beside[begin : begin + room] if room else [])
    return run, rows, traced + len(beside)


def every_row(console: Console, case: Case) -> Iterator[list[Row]]:
    """All of a case's list, a page at a time, all of one run."""
    run = newest_run(console.clickhouse, case.id)
    for offset in range(0, run.total if run else 0, PAGE):
        assert run is not None
        yield _traced(console, case, run, PAGE, offset)
    beside = _beside(console, case, run)
    for begin in range(0, len(beside), PAGE):
        yield of_works(console, case, run, beside[begin : begin + PAGE])


def rows_in_area(
    console: Console, principal: Principal, wanted: Sequence[Case]
) -> Iterator[list[Row]]:
    """Of these cases of the area all contacts; then what was handed over to it from elsewhere.

    A case that is not the area's is taken for what was handed over of it.
    """
    for case in wanted:
        if principal.reaches(case.ward):
            yield from every_row(console, case)
    ids = {case.id: case for case in wanted}
    by_case: dict[str, list[Work]] = {}
    for work in worklist.handed_to(console.store, principal.area):
        by_case.setdefault(work.case_id, []).append(work)
    for case_id in [i for i in by_case if i in ids]:
        run = newest_run(console.clickhouse, case_id)
        works = by_case[case_id]
        for begin in range(0, len(works), PAGE):
            yield of_works(console, ids[case_id], run, works[begin : begin + PAGE])


def open_cases(console: Console, principal: Principal, most: int) -> list[Case]:
    """The area's open cases and those of which something was handed over to it, newest first.

    One more than `most`, if there are more.
    """
    found: list[Case] = []
    offset = 0
    while len(found) <= most:
        listed = cases.list_cases(
            console.store, principal.area, limit=1000, offset=offset, open_only=True
        )
        found += listed
        offset += len(listed)
        if len(listed) < 1000:
            break
    known = {case.id for case in found}
    handed = worklist.handed_to(console.store, principal.area)
    for case_id in dict.fromkeys(work.case_id for work in handed):
        case = cases.case(console.store, case_id) if case_id not in known else None
        if case is not None and case.status in OPEN_STATUSES:
            found.append(case)
    return found[: most + 1]


def of_works(
    console: Console, case: Case, run: StoredRun | None, works: Sequence[Work]
) -> list[Row]:
    """The rows of contacts that somebody has touched, or whom the case names."""
    documents = documents_of(console.clickhouse, run, [work.person for work in works])
    return _together(case, run, documents, works)


def _traced(console: Console, case: Case, run: StoredRun, limit: int, offset: int) -> list[Row]:
    what: dict[str, Any] = {"case": case.id, "run": run.view.run, "attempt": run.attempt}
    what |= {"limit": limit, "offset": offset}
    listed = [orjson.loads(text) for (text,) in console.clickhouse.rows(_PAGE, what)]
    documents: dict[str, dict[str, Any]] = {document["person"]: document for document in listed}
    touched = worklist.works(console.store, case.id, documents)
    works = [touched.get(person) or Work(case.id, person) for person in documents]
    return _together(case, run, documents, works)


def _beside(console: Console, case: Case, run: StoredRun | None) -> list[Work]:
    """Named in the interview, ruled out with the case, or touched, and not in the run."""
    works = worklist.works(console.store, case.id)
    for person in dict.fromkeys(person for people in entered(case) for person in people):
        works.setdefault(person, Work(case.id, person))
    traced = in_run(console, run, works)
    return [work for person, work in sorted(works.items()) if person not in traced]


def in_run(
    console: Console, run: StoredRun | None, persons: Iterable[str]
) -> dict[str, tuple[str, bool]]:
    """Which of these the run has: in which tier, and whether an officer had ruled them out by then.

    Their documents are not read out. Raises Retryable.
    """
    found: dict[str, tuple[str, bool]] = {}
    wanted = sorted(persons)
    for begin in range(0, len(wanted) if run else 0, 5000):
        assert run is not None
        what: dict[str, Any] = {"case": run.case_id, "run": run.view.run, "attempt": run.attempt}
        what["persons"] = [person_bits(person) for person in wanted[begin : begin + 5000]]
        for person, tier, decided in console.clickhouse.rows(_THERE, what):
            found[person_text(person)] = tier, decided == Decided.NO_CONTACT
    return found


def _together(
    case: Case,
    run: StoredRun | None,
    documents: dict[str, dict[str, Any]],
    works: Sequence[Work],
) -> list[Row]:
    named, excluded = entered(case)
    return [
        Row(
            case,
            work.person,
            run,
            documents.get(work.person),
            named.get(work.person),
            excluded.get(work.person),
            work,
        )
        for work in works
    ]
