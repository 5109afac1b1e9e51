"""What a worker watches of a case as its records come: at once what they say, then what is read."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from schemas.cases import Case, TraceAgain
from schemas.ids import person_text
from streams.alerts import trace_requests, version_request
from streams.cases import CaseWatcher, as_said
from streams.watch import OpenCases, Watched
from streams.windows import PlaceWindow
from tests.unit.test_casework import SAID, a_case, of
from tests.unit.test_contacts import A_CASE, ALICE, BOB, CASE, NOW
from tests.unit.test_watch import BEGIN, persons, rows_of

MINE = {A_CASE.id}
WINDOWS = (PlaceWindow(1, BEGIN, BEGIN + 1_000),)


@dataclass
class Reads:
    """Stands for `Tracing.watched`; `meanwhile` happens while it reads."""

    versions: list[int]
    meanwhile: Callable[[], None] = lambda: None
    fails: Exception | None = None
    near: tuple[int, ...] = ()

    def __call__(self, case: Case) -> Watched:
        self.versions.append(case.version)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if self.fails:
            raise self.fails
        return replace(as_said(case), windows=WINDOWS, near=persons(*self.near))


def settled(watcher: CaseWatcher) -> None:
    async def play() -> None:
        after = asyncio.Event()
        after.set()
        task = asyncio.create_task(watcher.run(after))
        while not watcher.settled:  # noqa: ASYNC110 (what it does is what is tested)
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(asyncio.wait_for(play(), 5))


@dataclass
class Told:
    """Whom `opened` was told of."""

    versions: list[int] = field(default_factory=list)

    async def __call__(self, case: Case) -> None:
        self.versions.append(case.version)


def watching(told: Told | None = None) -> tuple[OpenCases, Reads, CaseWatcher]:
    index, reads = OpenCases(), Reads([])
    return index, reads, CaseWatcher(index, reads, told or Told())


def seen(index: OpenCases, person: int) -> set[str]:
    return index.look(rows_of(*(np.array([n]) for n in (9, person, BEGIN)))).moved


def test_ids_count_with_the_record_and_windows_once_they_are_read() -> None:
    index, _, watcher = watching()
    watcher.apply(of(a_case(1)))
    assert (seen(index, CASE), seen(index, ALICE), index.windows) == (MINE, set(), 0)
    settled(watcher)
    assert index.windows == 1
    card = {"person": person_text(ALICE), "of": person_text(CASE)}
    watcher.apply(of(a_case(2, same=[card])))
    assert (seen(index, ALICE), index.windows) == (MINE, 1)
    watcher.apply(of(a_case(3, status="closed")))
    assert (seen(index, CASE), index.cases) == (set(), 0)


def test_answers_and_decisions_make_nobody_read_the_tables() -> None:
    index, reads, watcher = watching()
    watcher.apply(of(a_case(1)))
    settled(watcher)
    watcher.apply(of(a_case(2, said=[SAID])))
    assert watcher.settled
    assert reads.versions == [1]
    found: Any = index.get(a_case(1).id)
    assert (found.version, found.windows) == (2, WINDOWS)


def test_what_comes_while_it_reads_is_not_undone() -> None:
    index, reads, watcher = watching()
    card = {"person": person_text(ALICE), "of": person_text(CASE)}
    reads.meanwhile = lambda: watcher.apply(of(a_case(2, same=[card])))
    watcher.apply(of(a_case(1)))
    settled(watcher)
    assert reads.versions == [1, 2]
    assert seen(index, ALICE) == MINE
    reads.meanwhile = lambda: watcher.apply(of(a_case(4, status="voided")))
    watcher.apply(of(a_case(3, ward="11414", same=[card])))
    settled(watcher)
    assert index.cases == 0


def test_wherever_its_person_scanned_it_is_read_again() -> None:
    index, reads, watcher = watching()
    watcher.apply(of(a_case(1)))
    settled(watcher)
    scans = rows_of(*(np.array([n, n]) for n in (9, CASE, BEGIN)))
    [request] = trace_requests(index.look(scans), scans)
    watcher.moved(request)
    watcher.moved(version_request(A_CASE.id, 1, NOW))
    other = TraceAgain(case="C-2", adds=True, moved=True, appended_at=NOW)
    watcher.moved(replace(request, value=other.model_dump_json().encode()))
    assert not watcher.settled
    settled(watcher)
    assert reads.versions == [1, 1]


def test_one_more_run_is_asked_for_once_it_is_watched_but_not_at_the_start() -> None:
    """A scan after the run's reading and before the windows are there is in neither."""
    told = Told()
    _, _, watcher = watching(told)
    watcher.apply(of(a_case(1)))  # an old record, read again when the worker starts
    watcher.look_again()
    settled(watcher)
    assert told.versions == []
    now = round(time.time() * 1000) + 10
    watcher.apply(replace(of(a_case(2, ward="11414")), timestamp=now))
    watcher.apply(replace(of(a_case(3, ward="11414", said=[SAID])), timestamp=now))
    settled(watcher)
    assert told.versions == [3]
    watcher.apply(replace(of(a_case(4, ward="11414")), timestamp=now))
    settled(watcher)
    assert told.versions == [3], "list work changes nothing that is watched"


def test_of_whom_another_worker_knew_a_run_is_asked_for_after_a_rebalance() -> None:
    told = Told()
    _, reads, watcher = watching(told)
    watcher.apply(of(a_case(1)))
    reads.near = (BOB,)
    for near, versions in (((BOB,), []), ((BOB, ALICE), [1]), ((ALICE,), [1])):
        settled(watcher)
        reads.near = near
        watcher.look_again()
        settled(watcher)
        assert told.versions == versions


@pytest.mark.parametrize("fault", [ValueError("no rule-set"), OverflowError("date")])
def test_a_case_that_cannot_be_watched_is_not(fault: Exception) -> None:
    index, reads, watcher = watching()
    reads.fails = fault
    watcher.apply(of(a_case(1)))
    settled(watcher)
    assert index.cases == 0


def test_whom_the_record_excludes_is_watched_as_such() -> None:
    out = [{"person": person_text(ALICE), "reason": "not_there"}]
    assert as_said(a_case(1, excluded=out)).excluded == {ALICE}
    assert as_said(a_case(1)).excluded == frozenset()


def test_what_a_place_is_said_to_be_counts_for_the_cases_that_were_there() -> None:
    told = Told()
    index, reads, watcher = watching(told)
    watcher.apply(of(a_case(1)))
    settled(watcher)
    watcher.places_changed(np.array([2, 7], np.uint32))
    settled(watcher)
    assert (reads.versions, told.versions) == ([1], []), "the case was at place 1 only"
    watcher.places_changed(np.array([1, 2], np.uint32))
    settled(watcher)
    assert (reads.versions, told.versions) == ([1, 1], [1]), "read and traced again"
    watcher.apply(of(a_case(2, status="closed")))
    watcher.places_changed(np.array([1], np.uint32))
    settled(watcher)
    assert (reads.versions, index.cases) == ([1, 1], 0)


def test_the_day_of_the_result_is_no_reason_to_read_or_trace_again() -> None:
    told = Told()
    _, reads, watcher = watching(told)
    watcher.apply(of(a_case(1)))
    settled(watcher)
    watcher.apply(of(a_case(2, result_on="2022-01-07")))
    settled(watcher)
    assert (reads.versions, told.versions) == ([1], [])
