"""What a worker does with a case whose record is new: traced at once, or with others to come."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import structlog

from schemas.cases import Case, TraceAgain
from schemas.errors import Fatal, Retryable
from schemas.ids import person_text
from streams.again import Due
from streams.cases import read_case
from streams.casework import CaseWork
from streams.publish import Message
from streams.runs import Run
from streams.spans import OFF
from tests.unit.test_contacts import A_CASE

DECIDED = {"person": person_text(9), "classification": "NO_CONTACT"}
SAID = {"person": person_text(8), "answers": {"touch": "no"}}


@dataclass
class Record:
    key: bytes
    value: bytes
    timestamp: int = 1_700_000_000_000
    partition: int = 0
    offset: int = 0
    context: None = None


@dataclass
class Traces:
    """Stands for `Tracing`: remembers what it was asked; fails as often as it is told to."""

    failures: int = 0
    fault: Exception | None = None
    late: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)

    def run(self, case: Case, now: datetime) -> Run | None:
        if self.failures:
            self.failures -= 1
            raise Retryable("away")
        if self.fault is not None:
            raise self.fault
        self.asked.append(("run", case.version))
        if self.late:
            return None
        return Run(case, 1, "case/1", {"contacts_by_tier": {}}, [], [])

    def again(self, case: Case, now: datetime, first: int, last: int) -> list[Run]:
        self.asked.append(("again", case.version))
        return []


@dataclass
class Sent:
    messages: list[Message] = field(default_factory=list)

    async def send(self, messages: list[Message]) -> None:
        self.messages += messages


def a_case(version: int, **fields: Any) -> Case:
    return Case.model_validate(A_CASE.model_dump() | {"version": version} | fields)


def of(case: Case) -> Record:
    return Record(case.id.encode(), case.model_dump_json().encode())


def working(traces: Traces, known: dict[str, Case]) -> tuple[CaseWork, Sent]:
    sent = Sent()
    nothing: Any = lambda _ms: None  # noqa: E731
    return CaseWork(traces, sent, known.get, nothing, nothing, OFF), sent  # type: ignore[arg-type]


def requests(sent: Sent) -> list[TraceAgain]:
    return [TraceAgain.model_validate_json(m.value) for m in sent.messages if "traces" in m.topic]


def test_answers_and_decisions_wait_for_each_other_and_all_else_is_traced_at_once() -> None:
    traces = Traces()
    work, sent = working(traces, {})
    asyncio.run(work.record(of(a_case(1))))
    asyncio.run(work.record(of(a_case(2, decided=[DECIDED]))))
    assert traces.asked == [("run", 1)]
    [request] = requests(sent)
    assert (request.adds, request.version) == (False, 2)
    asyncio.run(work.record(of(a_case(3, decided=[DECIDED], said=[SAID]))))
    assert [r.version for r in requests(sent)] == [2, 3]
    asyncio.run(work.record(of(a_case(4, decided=[DECIDED], said=[SAID], ward="11414"))))
    assert traces.asked == [("run", 1), ("run", 4)]
    assert len(requests(sent)) == 2


def test_a_worker_that_has_not_traced_a_case_does_so_whatever_is_new() -> None:
    traces = Traces()
    work, sent = working(traces, {})
    asyncio.run(work.record(of(a_case(2, decided=[DECIDED]))))
    assert traces.asked == [("run", 2)]
    assert requests(sent) == []


def test_an_older_version_that_comes_later_is_refused() -> None:
    traces = Traces()
    work, sent = working(traces, {})
    asyncio.run(work.record(of(a_case(3))))
    told = list(sent.messages)
    with structlog.testing.capture_logs() as logs:
        asyncio.run(work.record(of(a_case(2, status="voided"))))
    assert (traces.asked, sent.messages) == ([("run", 3)], told), "nobody is withdrawn"
    assert [log["event"] for log in logs] == ["case_refused"]


def test_what_failed_is_done_again_and_not_put_off(monkeypatch: Any) -> None:
    monkeypatch.setattr("streams.casework._PAUSE_S", 0.0)
    traces = Traces(failures=2)
    work, sent = working(traces, {})
    asyncio.run(work.record(of(a_case(1))))
    assert traces.asked == [("run", 1)]
    assert requests(sent) == []


@pytest.mark.parametrize("fault", [OverflowError("date"), KeyError(7), ValueError("no onset")])
def test_a_case_that_cannot_be_traced_stops_no_worker(fault: Exception) -> None:
    work, sent = working(Traces(fault=fault), {})
    with structlog.testing.capture_logs() as logs:
        asyncio.run(work.record(of(a_case(1))))
    assert [(log["event"], log["case"]) for log in logs] == [("case_refused", A_CASE.id)]
    assert sent.messages == []


def test_nothing_is_told_of_a_version_that_a_later_one_has_overtaken() -> None:
    work, sent = working(Traces(late=True), {})
    with structlog.testing.capture_logs() as logs:
        asyncio.run(work.record(of(a_case(1))))
    assert [log["event"] for log in logs] == ["case_late"]
    assert sent.messages == []


def test_a_case_with_such_a_day_can_still_be_ended() -> None:
    for status in ("voided", "closed"):
        record = of(a_case(2, status=status, onset="1900-01-01"))
        found = read_case(record.key, record.value)
        assert found is not None
        assert found.status == status


def test_what_a_neighbour_raises_stops_it() -> None:
    work, _ = working(Traces(fault=Fatal("another schema")), {})
    with pytest.raises(Fatal):
        asyncio.run(work.record(of(a_case(1))))


def test_a_day_that_decides_nothing_and_stands_for_none_is_left_out() -> None:
    record = of(a_case(1, result_on="0001-01-01", sampled_on="2022-01-06"))
    case = read_case(record.key, record.value)
    assert case is not None
    assert (case.result_on, str(case.sampled_on)) == (None, "2022-01-06")


@pytest.mark.parametrize("field", ["onset", "sampled_on"])
@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_a_day_that_stands_for_none_is_refused(field: str, day: str) -> None:
    record = of(a_case(1))
    record.value = json.dumps(json.loads(record.value) | {field: day}).encode()
    traces = Traces()
    work, _ = working(traces, {})
    with structlog.testing.capture_logs() as logs:
        asyncio.run(work.record(record))
    assert [log["event"] for log in logs] == ["case_refused"]
    assert field in logs[0]["detail"]
    assert traces.asked == []


def test_a_request_waits_for_the_version_that_it_is_about(monkeypatch: Any) -> None:
    monkeypatch.setattr("streams.casework._SOON_S", 0.0)
    traces, known = Traces(), {A_CASE.id: a_case(1)}
    work, _ = working(traces, known)
    due = Due(A_CASE.id, 5, 5, 1_700_000_000_000, 0, 0.0, version=2)

    async def both() -> None:
        waiting = asyncio.create_task(work.again(due))
        await asyncio.sleep(0.01)
        assert traces.asked == []
        known[A_CASE.id] = a_case(2, decided=[DECIDED])
        await waiting

    asyncio.run(both())
    assert traces.asked == [("again", 2)]


def test_a_version_that_does_not_come_is_waited_for_a_while_and_asked_for_again(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr("streams.casework._SOON_S", 0.0)
    monkeypatch.setattr("streams.casework._ON_ITS_WAY_S", 0.02)
    traces = Traces()
    work, sent = working(traces, {A_CASE.id: a_case(1)})
    with structlog.testing.capture_logs() as logs:
        asyncio.run(work.again(Due(A_CASE.id, 5, 5, 1_700_000_000_000, 0, 0.0, version=2)))
    assert traces.asked == [("again", 1)], "what scans change does not wait for it"
    [request] = requests(sent)
    assert (request.case, request.adds, request.version) == (A_CASE.id, False, 2)
    assert [(log["event"], log["known"], log["asked"]) for log in logs] == [("case_behind", 1, 2)]


def test_a_case_that_ends_while_it_is_waited_for_is_done_with(monkeypatch: Any) -> None:
    monkeypatch.setattr("streams.casework._SOON_S", 0.0)
    traces, known = Traces(), {A_CASE.id: a_case(1)}
    work, sent = working(traces, known)

    async def both() -> None:
        due = Due(A_CASE.id, 5, 5, 1_700_000_000_000, 0, 0.0, version=3)
        waiting = asyncio.create_task(work.again(due))
        await asyncio.sleep(0.01)
        known.clear()
        await asyncio.wait_for(waiting, 5)

    asyncio.run(both())
    assert (traces.asked, sent.messages) == ([], [])
