"""When a case is traced again: requests wait together, cases take turns, nothing is forgotten."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.cases import TraceAgain
from streams.again import AT_ONCE, Again, Due


@dataclass
class Record:
    offset: int
    value: bytes
    timestamp: int = 5_000


@dataclass
class Message:
    generation_id: int = 1


@dataclass
class Event:
    value: list[Record]
    acknowledged: int = 0
    message: Message = field(default_factory=Message)

    def ack(self) -> None:
        self.acknowledged += 1


@dataclass
class Traced:
    """Notes what is traced; each takes `takes_s`."""

    takes_s: float = 0.0
    done: list[Due] = field(default_factory=list)
    at_once: int = 0
    running: list[str] = field(default_factory=list)
    changes: bool = True

    async def __call__(self, due: Due) -> bool:
        assert due.case not in self.running, "a case is traced by one at a time"
        self.running.append(due.case)
        self.at_once = max(self.at_once, len(self.running))
        await asyncio.sleep(self.takes_s)
        self.running.remove(due.case)
        self.done.append(due)
        return self.changes

    @property
    def cases(self) -> list[str]:
        return [due.case for due in self.done]


_OFFSETS = itertools.count()


SINCE_MS = 1_772_323_200_000


def event(*cases: str, adds: bool = True, version: int = 0) -> Event:
    came = datetime.fromtimestamp(SINCE_MS / 1000 - bool(version), UTC)
    requests = [
        TraceAgain(case=case, adds=adds, appended_at=came, version=version) for case in cases
    ]
    return Event([Record(next(_OFFSETS), r.model_dump_json().encode()) for r in requests])


async def run(again: Again, *events: Event, for_s: float) -> None:
    task = asyncio.create_task(again.run())
    for one in events:
        again.submit(one)
    await asyncio.sleep(for_s)
    task.cancel()


def test_requests_that_wait_together_are_one_run() -> None:
    async def play() -> None:
        traced = Traced()
        again = Again(traced, pause_s=0.02)
        events = [event("C-1", "C-1"), event("C-1"), event("C-1", "C-2")]
        await run(again, *events, for_s=0.2)
        assert sorted(traced.cases) == ["C-1", "C-2"]
        [first] = [due for due in traced.done if due.case == "C-1"]
        assert (first.first, first.last) == (events[0].value[0].offset, events[2].value[0].offset)
        assert [e.acknowledged for e in events] == [1, 1, 1]

    asyncio.run(play())


def test_a_flood_of_one_case_does_not_keep_others_waiting() -> None:
    async def play() -> None:
        traced = Traced(takes_s=0.05)
        again = Again(traced, pause_s=0.05)
        task = asyncio.create_task(again.run())
        for _ in range(20):
            again.submit(event("C-flood"))
            again.submit(event(f"C-{_}"))
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.8)
        task.cancel()
        others = {case for case in traced.cases if case != "C-flood"}
        assert len(others) == 20
        assert 2 <= traced.cases.count("C-flood") <= 8
        assert traced.at_once <= AT_ONCE

    asyncio.run(play())


def test_what_comes_while_a_case_is_traced_makes_one_more_run() -> None:
    async def play() -> None:
        traced = Traced(takes_s=0.1)
        again = Again(traced, pause_s=0.02)
        first, second = event("C-1"), event("C-1")
        task = asyncio.create_task(again.run())
        again.submit(first)
        await asyncio.sleep(0.03)
        again.submit(second)
        assert (first.acknowledged, second.acknowledged) == (0, 0)
        await asyncio.sleep(0.5)
        task.cancel()
        assert traced.cases == ["C-1", "C-1"]
        assert (first.acknowledged, second.acknowledged) == (1, 1)

    asyncio.run(play())


def test_where_nobody_can_be_added_it_waits_longer() -> None:
    async def play() -> None:
        traced = Traced()
        again = Again(traced, pause_s=0.01, later_s=0.3)
        task = asyncio.create_task(again.run())
        again.submit(event("C-1", adds=False))
        await asyncio.sleep(0.05)
        assert len(traced.done) == 1  # nothing was traced of late: at once
        again.submit(event("C-1", adds=False))
        await asyncio.sleep(0.1)
        assert len(traced.done) == 1
        again.submit(event("C-1"))  # somebody may be added: now, and for both
        await asyncio.sleep(0.05)
        assert len(traced.done) == 2
        await asyncio.sleep(0.4)
        assert len(traced.done) == 2
        task.cancel()

    asyncio.run(play())


def test_who_changes_nothing_is_looked_at_less_often_until_something_changes() -> None:
    """Ends only: after 0.1 s, then 0.2, then 0.4; not where an officer asked or somebody is new."""

    async def play() -> None:
        traced = Traced(changes=False)
        again = Again(traced, pause_s=0.01, later_s=0.1, not_at_once_s=0.0)
        task = asyncio.create_task(again.run())

        async def due_in(*, version: int = 0, adds: bool = False) -> float:
            done, began = len(traced.done), time.monotonic()
            again.submit(event("C-1", adds=adds, version=version))
            while len(traced.done) == done:  # noqa: ASYNC110 (what it does is what is tested)
                await asyncio.sleep(0.005)
            return time.monotonic() - began

        await due_in()
        waited = [await due_in() for _ in range(2)]
        assert waited[0] > 0.15
        assert waited[1] > 0.35
        assert await due_in(adds=True) < 0.6, "somebody may be new: at once"
        assert await due_in(version=2) < 0.6, "an officer waits as long as ever"
        traced.changes = True
        assert await due_in() > 0.7
        assert await due_in() < 0.6
        task.cancel()

    asyncio.run(play())


def test_a_case_that_waits_keeps_one_batch_of_requests_and_not_all() -> None:
    """What is committed is of the batches that were acknowledged in a row: the first holds it."""

    async def play() -> None:
        traced = Traced()
        again = Again(traced, pause_s=0.01, not_at_once_s=0.3)
        task = asyncio.create_task(again.run())
        first, *later = (event("C-1", adds=False, version=1) for _ in range(50))
        also = event("C-1", "C-2", adds=False, version=2)
        for one in (first, *later, also):
            again.submit(one)
        assert (first.acknowledged, also.acknowledged) == (0, 0)
        assert all(one.acknowledged == 1 for one in later)
        await asyncio.sleep(0.6)
        task.cancel()
        assert (first.acknowledged, also.acknowledged) == (1, 1)
        assert sorted((due.case, due.version) for due in traced.done) == [("C-1", 2), ("C-2", 2)]

    asyncio.run(play())


def test_what_comes_again_after_a_rebalance_waits_for_the_case_anew() -> None:
    """The batch of before holds up no commit any more: nobody would make the run after a stop."""

    async def play() -> None:
        traced = Traced()
        again = Again(traced, pause_s=0.01, not_at_once_s=0.2)
        task = asyncio.create_task(again.run())
        before = event("C-1", adds=False, version=1)
        same = Event(before.value, message=Message(2))
        more = Event(event("C-1", adds=False, version=2).value, message=Message(2))
        for one in (before, same, more):
            again.submit(one)
        assert (before.acknowledged, same.acknowledged, more.acknowledged) == (0, 0, 1)
        await asyncio.sleep(0.4)
        task.cancel()
        assert (same.acknowledged, len(traced.done)) == (1, 1)

    asyncio.run(play())


def test_what_comes_while_a_case_is_traced_rests_after_it_too() -> None:
    async def play() -> None:
        traced = Traced(takes_s=0.2, changes=False)
        again = Again(traced, pause_s=0.01, later_s=0.3)
        task = asyncio.create_task(again.run())
        again.submit(event("C-1", adds=False))
        await asyncio.sleep(0.1)
        again.submit(event("C-1", adds=False))  # 0.3 s after it began would be 0.1 after its end
        await asyncio.sleep(0.5)
        assert len(traced.done) == 1, "0.6 s after its end, since it changed nothing"
        await asyncio.sleep(0.6)
        task.cancel()
        assert len(traced.done) == 2

    asyncio.run(play())


def test_whose_first_scan_a_run_is_late_for_is_one_that_adds() -> None:
    async def play() -> None:
        traced = Traced()
        again = Again(traced, pause_s=0.01, not_at_once_s=0.1)
        ends = event("C-1", adds=False)
        adds = event("C-1")
        await run(again, event("C-2", adds=False), ends, adds, for_s=0.1)
        assert {due.case: due.since_ms for due in traced.done} == {"C-1": SINCE_MS, "C-2": 0}

    asyncio.run(play())


def test_a_version_waits_for_more_and_a_scan_that_adds_does_not() -> None:
    async def play() -> None:
        traced = Traced()
        again = Again(traced, pause_s=0.01, not_at_once_s=0.3)
        task = asyncio.create_task(again.run())
        again.submit(event("C-1", adds=False, version=4))
        await asyncio.sleep(0.05)
        assert traced.done == []
        again.submit(event("C-1", adds=False, version=5))
        again.submit(event("C-1"))
        await asyncio.sleep(0.1)
        task.cancel()
        [due] = traced.done
        assert due.version == 5
        assert due.since_ms == SINCE_MS, "of the scan, and of no version"

    asyncio.run(play())


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"case":"C 1"}'])
def test_a_request_that_makes_no_sense_is_passed_over(value: Any) -> None:
    async def play() -> None:
        traced = Traced()
        again = Again(traced)
        odd = Event([Record(1, value)])
        await run(again, odd, Event([]), for_s=0.05)
        assert traced.done == []
        assert odd.acknowledged == 1
        assert again.waiting == 0

    asyncio.run(play())


def test_of_a_timetable_all_are_due_and_who_may_have_one_more_contact_goes_first() -> None:
    async def play() -> None:
        traced = Traced(takes_s=0.02)
        again = Again(traced, pause_s=0.01, not_at_once_s=0)
        rode = [f"C-{number}" for number in range(20)]
        task = asyncio.create_task(again.run())
        again.submit(event(*rode, adds=False, version=1))
        await asyncio.sleep(0.03)
        again.submit(event("C-late"))
        await asyncio.sleep(0.6)
        task.cancel()
        assert set(traced.cases) == {*rode, "C-late"}
        assert traced.cases.index("C-late") < 8

    asyncio.run(play())
