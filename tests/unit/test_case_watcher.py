"""What a worker watches of a case as its records come: at once what they say, then what is read."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from schemas.cases import Case, TraceAgain
from schemas.errors import Retryable
from schemas.ids import person_text
from streams.alerts import trace_requests, version_request
from streams.cases import as_said
from streams.changed import Changed, changed
from streams.columns import I64, U64
from streams.watch import OpenCases
from streams.watched import Watched
from streams.watcher import CaseWatcher
from streams.windows import PlaceWindow
from tests.unit.test_casework import SAID, a_case, of
from tests.unit.test_contacts import A_CASE, ALICE, BOB, CASE, NOW
from tests.unit.test_watch import BEGIN, persons, rows_of
from tracer.struck import Revoked

MINE = {A_CASE.id}
WINDOWS = (PlaceWindow(1, BEGIN, BEGIN + 1_000),)


@dataclass
class Reads:
    """Stands for `Tracing.watched`; `meanwhile` happens while it reads."""

    versions: list[int]
    meanwhile: Callable[[], None] = lambda: None
    fails: Exception | None = None
    near: tuple[int, ...] = ()
    codes: list[Revoked] = field(default_factory=list)
    scanned: tuple[int, ...] = ()
    never: str = ""
    unanswered: tuple[Revoked, ...] = ()

    def answer_all(self) -> None:
        """From now on."""
        self.never, self.unanswered = "", ()

    def revoked(self) -> list[Revoked]:
        return self.codes

    def struck(self, revoked: Revoked) -> tuple[U64, I64]:
        if revoked in self.unanswered:
            raise Retryable("the tables have no memory left")
        return persons(*self.scanned), np.full(len(self.scanned), BEGIN)

    def watched(self, case: Case) -> Watched:
        self.versions.append(case.version)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if self.fails:
            raise self.fails
        if case.id == self.never:
            raise Retryable("the tables have no memory left")
        found = replace(as_said(case), windows=WINDOWS, near=persons(*self.near))
        found = replace(found, around=(BEGIN - 5, BEGIN + 5))
        return replace(found, visited=np.array([(1, BEGIN, BEGIN + 5_000)]))


def settled(watcher: CaseWatcher, until: Callable[[], bool] | None = None) -> None:
    """Let it run until then, and no further. A run that is ended has not put back what it had in
    hand, as a worker runs it once: `until` has to wait for all that is due."""

    async def play() -> None:
        after = asyncio.Event()
        after.set()
        task = asyncio.create_task(watcher.run(after, after))
        while not (until() if until else watcher.settled):  # noqa: ASYNC110 (what it does is tested)
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(asyncio.wait_for(play(), 30))


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


def at_rest(watcher: CaseWatcher) -> None:
    settled(watcher, lambda: watcher.at_rest)


def at_rest_with(
    watcher: CaseWatcher, happened: Callable[[], bool], then: Callable[[], None]
) -> None:
    """Until nothing is left to look at; once that has happened, `then`."""

    def until() -> bool:
        if happened():
            then()
        return watcher.at_rest

    settled(watcher, until)


def said_of(*places: int, begin: int = BEGIN, end: int = BEGIN) -> Changed:
    place = np.array(places, np.uint32)
    return changed(place, np.full(len(place), begin), np.full(len(place), end))


def test_what_a_place_is_said_to_be_counts_for_the_cases_that_were_there() -> None:
    told = Told()
    index, reads, watcher = watching(told)
    watcher.places_changed(said_of(1))
    watcher.apply(of(a_case(1)))
    settled(watcher)
    assert (reads.versions, told.versions) == ([1], []), "what comes before is what is first known"
    watcher.places_changed(said_of(2, 7))
    watcher.places_changed(said_of(1, begin=BEGIN + 5_001, end=BEGIN + 9_000))
    at_rest(watcher)
    assert (reads.versions, told.versions) == ([1], []), "it was at place 1 only, and then"
    for place in (2, 1):
        watcher.places_changed(said_of(place, begin=BEGIN - 9, end=BEGIN + 5_000))
    at_rest(watcher)
    assert (reads.versions, told.versions) == ([1, 1], [1]), "read and traced again, once"
    watcher.apply(of(a_case(2, status="closed")))
    watcher.places_changed(said_of(1))
    at_rest(watcher)
    assert (reads.versions, index.cases) == ([1, 1], 0)


def test_what_a_place_is_said_to_be_while_a_case_is_read_counts() -> None:
    told = Told()
    _, reads, watcher = watching(told)
    watcher.apply(of(a_case(1)))
    settled(watcher)
    reads.meanwhile = lambda: watcher.places_changed(said_of(1))
    watcher.apply(of(a_case(2, onset="2022-01-02")))
    at_rest(watcher)
    assert reads.versions == [1, 2, 2]


def test_a_case_that_is_new_is_read_before_those_that_a_timetable_concerns() -> None:
    _, reads, watcher = watching()
    watcher.apply(of(a_case(1)))
    settled(watcher)
    watcher.places_changed(said_of(1))
    other = a_case(7).model_copy(update={"id": "c-other"})
    watcher.apply(of(other))
    at_rest(watcher)
    assert reads.versions == [1, 7, 1, 7], "and both were there"


GONE = Revoked(1, 1, BEGIN, BEGIN + 10)


@pytest.mark.parametrize(
    ("code", "scanned", "looks"),
    [
        (GONE, (), 2),  # at its place, then
        (GONE._replace(place=5), (), 1),
        (GONE._replace(place=5), (CASE,), 2),  # wherever it scanned itself
        (GONE._replace(place=5), (BOB,), 2),  # whoever was near it
        (GONE._replace(place=5), (ALICE,), 1),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_what_a_code_struck_counts_for_whom_it_concerns_also_after_a_start(
    code: Revoked, scanned: tuple[int, ...], looks: int, before: bool
) -> None:
    told = Told()
    _, reads, watcher = watching(told)
    reads.near, reads.scanned = (BOB,), scanned
    if before:
        reads.codes = [code]
    watcher.apply(of(a_case(1)))
    at_rest(watcher)
    if not before:
        reads.codes = [code]
        watcher.places_changed(said_of(99))
    at_rest(watcher)
    assert (len(reads.versions), len(told.versions)) == (looks, looks - 1)
    at_rest(watcher)
    assert len(reads.versions) == looks, "once"


def test_a_case_that_cannot_be_read_for_now_keeps_nobody_from_hearing_of_a_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.watcher._PAUSE_S", 0.001)
    _, reads, watcher = watching()
    watcher.apply(of(a_case(1)))
    settled(watcher)
    large = a_case(7).model_copy(update={"id": "c-large"})
    reads.never = large.id
    watcher.apply(of(large))
    watcher.places_changed(said_of(1))

    # the place was heard of while the other case waits
    at_rest_with(watcher, lambda: reads.versions.count(1) == 2, reads.answer_all)


def test_a_strike_that_is_heard_before_a_case_is_read_concerns_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.watcher._PAUSE_S", 0.001)
    told = Told()
    _, reads, watcher = watching(told)
    reads.codes, reads.never = [GONE], A_CASE.id
    watcher.apply(of(a_case(1)))

    # it was asked once, in vain, and then the strike was heard
    at_rest_with(watcher, lambda: bool(reads.versions), reads.answer_all)
    assert told.versions == [1], "a run without what was struck"


def test_a_code_that_cannot_be_asked_for_keeps_no_other_from_being_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.watcher._PAUSE_S", 0.001)
    told = Told()
    _, reads, watcher = watching(told)
    watcher.apply(of(a_case(1)))
    large = GONE._replace(place=0)
    reads.codes, reads.unanswered = [large, GONE], (large,)

    # the other code was heard of while this one waits
    at_rest_with(watcher, lambda: bool(told.versions), reads.answer_all)
    assert told.versions == [1], "nobody was at the other place"


def test_where_a_case_is_now_is_looked_at_again_when_it_would_have_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Minutes go by without a scan, and nobody else would say so."""
    monkeypatch.setattr("streams.watcher._A_MOMENT_S", 0.0)
    told = Told()
    _, reads, watcher = watching(told)
    clock = iter([BEGIN + 900] * 2)  # a tenth of a second before it would go, and then no more
    monkeypatch.setattr("streams.watcher.time.time", lambda: next(clock, BEGIN + 2_000) / 1000)
    watcher.apply(of(a_case(1)))
    settled(watcher, lambda: len(told.versions) == 1)
    assert reads.versions == [1, 1]


def test_a_case_that_is_closed_is_not_looked_at_when_it_would_have_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.watcher.time.time", lambda: (BEGIN + 900) / 1000)
    _, reads, watcher = watching()

    async def play() -> None:
        task = asyncio.create_task(watcher.run())
        watcher.apply(of(a_case(1)))
        while not watcher.at_rest:  # noqa: ASYNC110 (what it does is tested)
            await asyncio.sleep(0.001)
        [timer] = watcher._over.values()
        watcher.apply(of(a_case(2, status="closed")))
        assert timer.cancelled()
        assert not watcher._over
        task.cancel()

    asyncio.run(asyncio.wait_for(play(), 30))
    assert reads.versions == [1]


def test_the_day_of_the_result_is_no_reason_to_read_or_trace_again() -> None:
    told = Told()
    _, reads, watcher = watching(told)
    watcher.apply(of(a_case(1)))
    settled(watcher)
    watcher.apply(of(a_case(2, result_on="2022-01-07")))
    settled(watcher)
    assert (reads.versions, told.versions) == ([1], [])
