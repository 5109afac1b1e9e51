"""Lines of one worker write together: one insert for all partitions that have something."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from schemas.errors import Fatal
from streams.company import Company, Member
from streams.line import Line
from streams.waiting import Size
from streams.write import Batch, Written
from tests.unit.test_line import Delivery, World, scans
from tests.unit.test_steps import HOME, PARTITIONS

OTHERS = [(HOME + n) % PARTITIONS for n in (1, 2)]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, the others are judged in time."""
    monkeypatch.setattr("streams.company._PATIENCE_S", 5.0)


class Worker(World):
    """Three lines of one shop; `line` is the first."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.lines = [self.line, *(Line(partition, self.shop) for partition in OTHERS)]
        self.tasks = [asyncio.create_task(line.run()) for line in self.lines[1:]]

    async def begun(self) -> None:
        """Every line has its window and has written one batch; nothing is noted of that."""
        for line in self.lines:
            first = delivery(line, 0, 1)
            line.offer(first)
            await self.until(lambda first=first: first.acked)
        self.tables.inserts.clear()
        self.tables.batches.clear()

    async def end(self) -> None:
        self.tables.held.set()
        for line in self.lines[1:]:
            await line.leave(5)
        for task in self.tasks:
            task.cancel()
        await super().end()


def delivery(line: Line, first: int, count: int, values: list[bytes] | None = None) -> Delivery:
    made = Delivery(first, values or scans(first, count))
    made.value.partition = line.partition
    return made


def bring(lines: Sequence[Line], first: int = 1, count: int = 5) -> list[Delivery]:
    """As many to each line, all offered."""
    brought = [delivery(line, first, count) for line in lines]
    for line, what in zip(lines, brought, strict=True):
        line.offer(what)
    return brought


def play(part: Callable[[Worker], Any], **changes: Any) -> None:
    async def main() -> None:
        worker = Worker(**changes)
        await worker.begun()
        try:
            await part(worker)
        finally:
            await worker.end()

    asyncio.run(main())


def test_when_one_is_due_what_the_others_have_goes_with_it() -> None:
    async def part(worker: Worker) -> None:
        brought = [delivery(line, 1, 10 + n) for n, line in enumerate(worker.lines)]
        for line, what in zip(worker.lines, brought, strict=True):
            line.offer(what)
            await asyncio.sleep(0.05)  # the first is due first, by far
        await worker.until(lambda: all(what.acked for what in brought))
        [together] = worker.tables.inserts
        assert sorted(together) == sorted(line.partition for line in worker.lines)
        assert sorted(map(len, worker.tables.batches)) == [10, 11, 12]
        assert [line.unacknowledged for line in worker.lines] == [0, 0, 0]
        assert all(line.hurried_since is None for line in worker.lines)

    play(part, flush_s=0.4)


def test_one_whose_judging_takes_long_goes_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.company._PATIENCE_S", 2.0)

    async def part(worker: Worker) -> None:
        slow = worker.lines[0]
        judge, long = worker.shop.steps.waits, [True]

        def waits(verdicts: Any) -> bool:
            return (verdicts.raw.partition == slow.partition and long[0]) or judge(verdicts)

        worker.shop.steps.waits = waits  # type: ignore[method-assign]
        object.__setattr__(worker.shop, "code_wait_s", 20.0)
        brought = bring(worker.lines)
        await worker.until(lambda: brought[1].acked and brought[2].acked)
        again, began = delivery(worker.lines[1], 6, 5), time.monotonic()
        worker.lines[1].offer(again)
        await worker.until(lambda: again.acked)
        assert time.monotonic() - began < 1.8, "nobody waits for it a second time"
        assert not brought[0].acked
        long[0] = False
        await worker.until(lambda: brought[0].acked)
        assert worker.tables.inserts[-1] == [slow.partition]

    play(part)


def test_waiting_for_the_others_ends_however_often_they_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.company._PATIENCE_S", 0.1)

    class Asked:
        """Again and again: it was always asked just now."""

        @property
        def hurried_since(self) -> float:
            return time.monotonic()

        def hurry(self) -> None:
            """It judges, and never comes to an end."""

    async def main() -> None:
        company = Company(cast(Any, None), cast(Any, None), Size(1, 1))
        company.join(0, cast(Member, Asked()))
        await asyncio.wait_for(company.gathered(), 5)

    asyncio.run(main())


def test_what_is_worth_an_insert_together_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.shop._WORTHWHILE", 25)
    monkeypatch.setattr("streams.line.PIECE", 10)

    async def main() -> None:
        worker = Worker(flush_s=60.0)
        brought = [delivery(line, 0, 10) for line in worker.lines]
        for line, what in zip(worker.lines[:2], brought, strict=False):
            line.offer(what)
        await worker.until(lambda: all(line.judged_records == 10 for line in worker.lines[:2]))
        await asyncio.sleep(0.1)
        assert not worker.tables.inserts
        worker.lines[2].offer(brought[2])
        await worker.until(lambda: all(what.acked for what in brought))
        [together] = worker.tables.inserts
        assert sorted(together) == sorted(line.partition for line in worker.lines)
        await worker.end()

    asyncio.run(main())


def test_one_that_leaves_waits_for_what_it_has_in_the_common_insert() -> None:
    async def part(worker: Worker) -> None:
        worker.tables.held.clear()
        brought = bring(worker.lines)
        await worker.until(lambda: all(line.in_flight for line in worker.lines))
        later = delivery(worker.lines[1], 6, 5)
        worker.lines[1].offer(later)
        leaving = asyncio.create_task(worker.lines[1].leave(10))
        await asyncio.sleep(0.1)
        assert not leaving.done()
        worker.tables.held.set()
        await leaving
        assert brought[1].acked
        await worker.until(lambda: brought[0].acked and brought[2].acked)
        more = bring(worker.lines[::2], 6)
        await worker.until(lambda: all(what.acked for what in more))
        assert not later.acked, "begun after it was asked to leave"
        assert worker.lines[1].partition not in worker.tables.inserts[-1]

    play(part)


def test_each_settles_its_own_batch_where_the_common_insert_is_not_sure() -> None:
    async def part(worker: Worker) -> None:
        usual, unsure = worker.tables.attempt, worker.lines[2].partition

        def attempt(batches: Sequence[Batch]) -> list[Written | None]:
            sure = usual([batch for batch in batches if batch.rows.partition != unsure])
            return [None if batch.rows.partition == unsure else sure.pop(0) for batch in batches]

        worker.tables.attempt = attempt  # type: ignore[method-assign]
        brought = bring(worker.lines)
        await worker.until(lambda: all(what.acked for what in brought))
        assert worker.tables.settled == [unsure]
        assert sorted(worker.tables.batches) == [list(range(1, 6))] * 3

    play(part)


def test_no_more_are_settled_at_a_time_than_there_are_slots() -> None:
    async def part(worker: Worker) -> None:
        usual, now = worker.tables.settle, [0]
        most: list[int] = []

        def settle(batch: Batch) -> Written:
            now[0] += 1
            most.append(now[0])
            time.sleep(0.1)
            now[0] -= 1
            return usual(batch)

        worker.tables.settle = settle  # type: ignore[method-assign]
        worker.tables.attempt = lambda batches: [None] * len(batches)  # type: ignore[method-assign]
        brought = bring(worker.lines)
        await worker.until(lambda: all(what.acked for what in brought))
        assert most == [1, 1, 1], "there is one slot"

    play(part)


def test_when_the_engine_is_idle_again_what_is_worth_an_insert_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.shop._WORTHWHILE", 20)
    monkeypatch.setattr("streams.line.PIECE", 10)

    async def main() -> None:
        worker = Worker(flush_s=60.0)
        worker.tables.held.clear()
        first = bring(worker.lines[:2], 0, 10)
        await worker.until(lambda: worker.shop.slots.taken == 1)
        more = [delivery(worker.lines[0], 10, 10), delivery(worker.lines[2], 0, 10)]
        worker.lines[0].offer(more[0])
        worker.lines[2].offer(more[1])
        await worker.until(lambda: worker.lines[2].judged_records == 10)
        await asyncio.sleep(0.1)
        assert worker.tables.inserts == []
        worker.tables.held.set()
        await worker.until(lambda: all(what.acked for what in (*first, *more)))
        await worker.end()

    asyncio.run(main())


def test_who_waits_for_a_slot_goes_along_meanwhile() -> None:
    async def part(worker: Worker) -> None:
        worker.tables.held.clear()
        slow = delivery(worker.lines[0], 1, 5)
        worker.lines[0].offer(slow)
        await worker.until(lambda: worker.lines[0].in_flight == 1)
        waiting = bring(worker.lines[1:])
        await worker.until(lambda: all(line.judged_records for line in worker.lines[1:]))
        await asyncio.sleep(0.1)  # both are due, and there is one slot
        worker.tables.held.set()
        await worker.until(lambda: all(what.acked for what in waiting))
        assert sorted(worker.tables.inserts[-1]) == sorted(OTHERS)
        later = bring(worker.lines[1:], 6)
        await worker.until(lambda: all(what.acked for what in later))

    play(part)


def test_one_that_is_lost_leaves_the_others_their_insert() -> None:
    async def part(worker: Worker) -> None:
        worker.tables.held.clear()
        brought = bring(worker.lines)
        await worker.until(lambda: all(line.in_flight for line in worker.lines))
        await worker.lines[1].leave(0.1)  # too short for what is in flight
        worker.tables.held.set()
        await worker.until(lambda: brought[0].acked and brought[2].acked)
        await asyncio.sleep(0.1)
        assert not brought[1].acked
        assert sorted(worker.tables.settled) == sorted([HOME, OTHERS[1]])

    play(part)


def test_what_is_fatal_in_a_common_insert_stops_every_line() -> None:
    async def part(worker: Worker) -> None:
        def attempt(batches: Sequence[Batch]) -> list[Written | None]:
            raise Fatal("no such table")

        worker.tables.attempt = attempt  # type: ignore[method-assign]
        for line in worker.lines:
            line.offer(delivery(line, 1, 5))
        tasks = [worker.task, *worker.tasks]
        done, _ = await asyncio.wait(tasks, timeout=5)
        assert len(done) == 3
        assert all(isinstance(task.exception(), Fatal) for task in tasks)
        assert worker.shop.slots.taken == 0

    play(part)


@pytest.mark.parametrize("bound", ["records", "bytes", "lines"])
def test_no_more_goes_in_one_insert_than_one_may_hold(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.company._LINES_AT_ONCE", 2 if bound == "lines" else 64)

    async def part(worker: Worker) -> None:
        garbage = [b"x" * 1_000] * 10 if bound == "bytes" else None
        most = {"records": Size(25, 1 << 20), "bytes": Size(1_000, 28_000)}
        worker.shop.company._most = most.get(bound, Size(1_000, 1 << 20))
        brought = [delivery(line, 1, 10, garbage) for line in worker.lines]
        for line, what in zip(worker.lines, brought, strict=True):
            line.offer(what)
        await worker.until(lambda: all(what.acked for what in brought))
        assert sorted(map(len, worker.tables.inserts)) == [1, 2]

    play(part, flush_s=0.2)


def test_little_does_not_wait_for_the_end_of_anothers_backlog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits for the slot has it before the next of the one that had it."""
    monkeypatch.setattr("streams.line.PIECE", 250)

    async def part(worker: Worker) -> None:
        worker.tables.held.clear()
        deep, trickle, _ = worker.lines
        backlog = [delivery(deep, 1 + 250 * n, 250) for n in range(12)]
        for what in backlog:
            deep.offer(what)
        await worker.until(lambda: deep.in_flight == 1 and deep.judged_records >= 1_000)
        little = delivery(trickle, 1, 5)
        trickle.offer(little)
        await worker.until(lambda: trickle.judged_records == 5)
        await asyncio.sleep(0.1)
        worker.tables.held.set()
        await worker.until(lambda: little.acked and backlog[-1].acked)
        order = [trickle.partition in some for some in worker.tables.inserts]
        assert order.index(True) <= 1, "after the one that was under way"
        assert len(order) > 3

    play(part)


@pytest.mark.parametrize(
    ("others", "along", "room"),
    [
        ([5, 40], [5, 40], 955),
        ([300, 5, 400, 190], [5, 190, 300], 505),  # half of it, those with little first
        ([900], [], 1_000),
        ([], [], 1_000),
    ],
)
def test_whoever_could_fill_an_insert_leaves_half_of_it_to_the_others(
    others: list[int], along: list[int], room: int
) -> None:
    class Ready:
        def __init__(self, rows: int) -> None:
            self.ready = Size(rows, rows)

    company = Company(cast(Any, None), cast(Any, None), Size(1_000, 1_000))
    members = [cast(Member, Ready(rows)) for rows in (1_000, *others)]
    for number, member in enumerate(members):
        company.join(number, member)
    found, left = company._along(members[0])
    assert [member.ready and member.ready.records for member in found] == along
    assert left == Size(room, room)


def test_with_a_backlog_several_inserts_are_under_way() -> None:
    async def part(worker: Worker) -> None:
        worker.tables.held.clear()
        bring(worker.lines[:1])
        await worker.until(lambda: worker.lines[0].in_flight == 1)
        later = bring(worker.lines[1:2])
        await worker.until(lambda: worker.lines[1].judged_records == 5)
        await asyncio.sleep(0.1)
        assert worker.shop.slots.taken == 1, "five rows wait"
        more = [delivery(worker.lines[2], 1 + 300 * n, 300) for n in range(2)]
        for what in more:
            worker.lines[2].offer(what)
        await worker.until(lambda: worker.shop.slots.taken == 2)
        worker.tables.held.set()
        await worker.until(lambda: all(what.acked for what in (*later, *more)))

    play(part, inserts=3)


def test_what_is_settled_or_told_holds_nobody_else_up() -> None:
    """An insert's slot is free when it is answered; what follows is each line's own."""

    async def part(worker: Worker) -> None:
        told, hold = worker.shop.follow_up, asyncio.Event()

        async def follow_up(pending: Any) -> None:
            if pending.rows.partition == HOME:
                await hold.wait()  # the broker is away, and there is a letter
            await told(pending)

        object.__setattr__(worker.shop, "follow_up", follow_up)
        [first] = bring(worker.lines[:1])
        await worker.until(lambda: worker.lines[0].in_flight == 1)
        others = bring(worker.lines[1:])
        await worker.until(lambda: all(what.acked for what in others))
        assert not first.acked
        assert (worker.shop.slots.taken, worker.shop.slots.unanswered) == (1, 0)
        hold.set()
        await worker.until(lambda: first.acked)

    play(part, inserts=2)
