"""The follower of other systems' cases: read from the beginning, gone on with, ours behind theirs."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from console import foreign as follower
from console.foreign import ForeignCases
from console.store import case_ends, cases, foreign
from console.store.engine import Store
from console.store.locks import ExclusiveLock
from console.store.outbox import mark_published, pending
from schemas.cases import Case, CaseStatus
from schemas.kafka import connection
from schemas.settings import Settings
from tests.console_kit import migrated
from tests.unit.test_store_foreign import AT, ID, record

OPTIONS: dict[str, Any] = {"data_dir": Path()}
SETTINGS = Settings(**OPTIONS)
PARTITION = TopicPartition("cases.v1", 0)


@dataclass
class Record:
    """One of the topic, as aiokafka gives it."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)
    partition: int = 0
    offset: int = 0


@dataclass
class Log:
    """A topic of one partition; `fails` are raised by the next consumers that start."""

    records: list[Record] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    begin: int = 0
    connections: int = 0

    def add(self, value: bytes | None, key: str = ID, ours: bool = False) -> None:
        headers: list[tuple[str, bytes | None]] = []
        headers += [("ce_source", b"truyvet/console")] if ours else [("ce_source", None)]
        offset = self.begin + len(self.records)
        self.records.append(Record(key.encode(), value, headers, 0, offset))

    def put(self, case: Case, ours: bool = False) -> None:
        self.add(case.model_dump_json().encode(), case.id, ours)

    def relay(self, store: Store) -> list[Case]:
        """What waits in the outbox goes out, as by the relay."""
        rows = pending(store, 100)
        mark_published(store, [row.id for row in rows], AT)
        for row in rows:
            self.add(row.value, row.key, ours=True)
        return [Case.model_validate_json(row.value) for row in rows]

    def consumer(self, *topics: str, **options: Any) -> "Consumer":
        assert topics == ("cases.v1",)
        assert options["group_id"] is None
        assert options.keys() >= connection(SETTINGS).keys()
        self.connections += 1
        return Consumer(self)


class Consumer:
    """Of a `Log`, two records at a time."""

    def __init__(self, log: Log) -> None:
        self._log, self._at = log, 0

    async def start(self) -> None:
        if self._log.fails:
            raise self._log.fails.pop(0)

    async def stop(self) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION}

    async def beginning_offsets(self, _: object) -> dict[TopicPartition, int]:
        return {PARTITION: self._log.begin}

    async def end_offsets(self, _: object) -> dict[TopicPartition, int]:
        return {PARTITION: self._log.begin + len(self._log.records)}

    def seek(self, _: object, offset: int) -> None:
        self._at = offset

    async def position(self, _: object) -> int:
        return self._at

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Record]]:
        first = self._at - self._log.begin
        some = self._log.records[first : first + 2]
        self._at += len(some)
        await asyncio.sleep(0)
        return {PARTITION: some} if some else {}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    made = Log()
    monkeypatch.setattr(follower, "AIOKafkaConsumer", made.consumer)
    monkeypatch.setattr(follower, "_PAUSE_S", 0.01)
    monkeypatch.setattr(follower, "_STAND_BY_S", 0.01)
    monkeypatch.setattr(follower, "_GRACE_S", 0.0)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    _, made = migrated(tmp_path)
    yield made
    made.close()


def follow(store: Store, made: ForeignCases | None = None, until: Callable[[], bool] = bool) -> int:
    """Run it till `until`, or till it has read all and settled; how often it woke the relay."""
    woken: list[int] = []

    async def run() -> None:
        following = made or ForeignCases(SETTINGS, store, lambda: woken.append(1))
        idle = 0
        async with asyncio.timeout(10):
            if until is bool:
                while idle < 3:
                    before = dict(following._next)
                    assert await following.step()
                    idle = idle + 1 if following._next == before else 0
                following._lock.release()
                return
            task = asyncio.create_task(following.run())
            for _ in range(900):
                if until():
                    break
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return len(woken)


def test_foreign_cases_are_taken_in_and_ours_are_not_looked_at(store: Store, log: Log) -> None:
    log.put(record(status="confirmed"))
    log.put(record(2, id="C-2026-000001", registered_by="key/1"))
    log.put(record(id="other/x", registered_by="other"))
    with capture_logs() as logs:
        assert follow(store) == 0
    found = cases.list_cases(store, "*")
    assert {case.id: case.status for case in found} == {
        ID: CaseStatus.SUSPECTED, "other/x": CaseStatus.SUSPECTED,
    }  # fmt: skip
    assert pending(store, 9) == [], "no echo"
    assert [(e["case"], e["what"]) for e in logs if e["event"] == "foreign_case_taken"] == [
        (ID, "new"), ("other/x", "new"),
    ]  # fmt: skip


def test_a_restart_reads_all_again_and_changes_nothing(store: Store, log: Log) -> None:
    log.put(record())
    follow(store)
    cases.amend(store, ID, {"status": CaseStatus.CONFIRMED}, by="key/1")
    log.relay(store)
    log.put(record(3))
    assert follow(store) == 1
    [ours] = log.relay(store)
    assert (ours.version, ours.status) == (4, "confirmed")
    for _ in range(2):
        assert follow(store) == 0
        assert pending(store, 9) == []
        assert cases.case(store, ID) == ours


def test_it_goes_on_where_it_was_and_from_the_beginning_of_a_new_topic(
    store: Store, log: Log
) -> None:
    made = ForeignCases(SETTINGS, store, lambda: None)
    log.put(record())
    follow(store, made)
    log.put(record(2))
    follow(store, made)
    assert made._next == {PARTITION: 2}
    asyncio.run(made._let_go())
    log.records.clear()
    log.put(record(7))
    follow(store, made)
    found = cases.case(store, ID)
    assert found is not None
    assert found.version == 7


def test_what_is_no_case_is_refused_and_the_next_one_read(store: Store, log: Log) -> None:
    log.add(b"{broken")
    log.add(record(registered_by="hcdc").model_dump_json().encode(), key="thief/N-7")
    named = record().model_dump_json().replace("suspected", "Nguyễn Văn A")
    log.add(named.encode())
    log.put(record(ward="x" * 65))
    log.put(record(id="hcdc/N-8"))
    with capture_logs() as logs:
        follow(store)
    assert [case.id for case in cases.list_cases(store, "*")] == ["hcdc/N-8"]
    refused = [entry for entry in logs if entry["event"] == "foreign_case_refused"]
    assert [entry["offset"] for entry in refused] == [0, 1, 2, 3]
    assert "Nguyễn" not in str(logs)


@pytest.mark.parametrize("last", ["older", "tombstone", "broken", "same_version"])
def test_a_record_behind_ours_that_does_not_count_gets_ours_behind_it(
    store: Store, log: Log, last: str
) -> None:
    """Else the broker would keep that one, and workers know no other after a restart."""
    log.put(record())
    follow(store)
    cases.amend(store, ID, {"symptoms": "no"}, by="key/1")
    [ours] = log.relay(store)
    if last == "older":
        log.put(record())
    elif last == "same_version":
        log.put(record(2, onset="2026-11-01"))
    else:
        log.add(None if last == "tombstone" else b"{}")
    assert follow(store) == 1
    [again] = log.relay(store)
    expected = 3 if last == "same_version" else 2
    assert again == ours.model_copy(update={"version": expected})
    assert follow(store) == 0
    assert log.relay(store) == []


def test_of_two_with_one_version_workers_know_the_first_and_ours_gets_the_next(
    store: Store, log: Log
) -> None:
    """Theirs was written while ours waited to go out."""
    log.put(record())
    follow(store)
    case_ends.void(store, ID, by="key/1")
    log.put(record(2, onset="2026-11-01"))
    log.relay(store)
    assert follow(store) == 1
    [ours] = log.relay(store)
    assert (ours.version, ours.status) == (3, "voided")
    for _ in range(2):
        assert follow(store) == 0
        assert pending(store, 9) == []


@pytest.mark.parametrize("last", ["older", "tombstone"])
def test_ours_comes_above_the_highest_that_came_behind_it(
    store: Store, log: Log, last: str
) -> None:
    log.put(record())
    follow(store)
    log.put(record(9, ward="x" * 65))
    log.add(record(1).model_dump_json().encode() if last == "older" else None)
    follow(store)
    assert [case.version for case in log.relay(store)] == [10]


def test_it_waits_for_ours_that_is_on_its_way(store: Store, log: Log) -> None:
    """The relay has sent it and has not said so yet, and something came behind it."""
    log.put(record())
    made = ForeignCases(SETTINGS, store, lambda: None)
    follow(store, made)
    cases.amend(store, ID, {"symptoms": "no"}, by="key/1")
    [row] = pending(store, 9)
    log.add(row.value, row.key, ours=True)
    log.add(None)
    follow(store, made)
    assert [r.id for r in pending(store, 9)] == [row.id]
    mark_published(store, [row.id], AT)
    follow(store, made)
    assert [case.version for case in log.relay(store)] == [2]


def test_other_cases_that_come_all_the_time_put_nothing_off(store: Store, log: Log) -> None:
    made = ForeignCases(SETTINGS, store, lambda: None)
    log.put(record())
    follow(store, made)
    log.add(None)

    async def busy() -> None:
        for number in range(1, 5):
            log.put(record(number, id="C-2026-000001", registered_by="key/1"))
            assert await made.step()

    asyncio.run(busy())
    assert [case.version for case in log.relay(store)] == [1]
    made._lock.release()


def test_a_ward_that_nobody_has_is_said(store: Store, log: Log) -> None:
    log.put(record(ward="Hải An"))
    with capture_logs() as logs:
        follow(store)
    assert "foreign_case_without_ward" in [entry["event"] for entry in logs]
    assert [case.id for case in cases.list_cases(store, "*")] == [ID]


def test_what_our_relay_sent_again_is_not_answered(store: Store, log: Log) -> None:
    log.put(record())
    follow(store)
    for symptoms in ("no", "yes"):
        cases.amend(store, ID, {"symptoms": symptoms}, by="key/1")
    rows = pending(store, 9)
    for row in (*rows, rows[0]):  # it was stopped before it could say that both are there
        log.add(row.value, row.key, ours=True)
    assert follow(store) == 0
    log.add(rows[1].value, rows[1].key, ours=True)
    mark_published(store, [row.id for row in rows], AT)
    assert follow(store) == 0
    assert pending(store, 9) == []


def test_ours_that_was_overtaken_by_an_older_one_goes_out_again(store: Store, log: Log) -> None:
    """By a relay that went on after another had taken its place."""
    log.put(record())
    follow(store)
    for symptoms in ("no", "yes"):
        cases.amend(store, ID, {"symptoms": symptoms}, by="key/1")
    first, second = log.relay(store)
    log.put(first, ours=True)
    assert follow(store) == 1
    assert log.relay(store) == [second]
    assert follow(store) == 0


def test_a_broker_and_a_database_that_are_away_are_waited_for(
    store: Store, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.fails += [KafkaConnectionError("away"), OSError("away")]
    log.put(record())
    away: list[Exception] = [
        RuntimeError("a bug with 7ZK3M9QX2B4CD"), OperationalError("select person", {}, Exception("7ZK3M9QX2B4CD"))
    ]  # fmt: skip
    take_in = foreign.take_in

    def flaky(*arguments: Any, **more: Any) -> Any:
        if away:
            raise away.pop()
        return take_in(*arguments, **more)

    monkeypatch.setattr(foreign, "take_in", flaky)
    made = ForeignCases(SETTINGS, store, lambda: None)
    with capture_logs() as logs:
        follow(store, made, until=lambda: cases.case(store, ID) is not None)
    waited = [entry["error"] for entry in logs if entry["event"] == "foreign_cases_wait"]
    assert waited == ["KafkaConnectionError", "OSError", "OperationalError", "RuntimeError"]
    assert "7ZK3M9QX2B4CD" not in str(logs)
    assert log.connections == 5


def test_one_console_at_a_time_follows(store: Store, log: Log) -> None:
    log.put(record())
    other = ExclusiveLock(store.engine, "foreign_cases")
    assert other.try_acquire()
    made = ForeignCases(SETTINGS, store, lambda: None)
    assert asyncio.run(made.step()) is False
    assert log.connections == 0
    other.release()
    follow(store, made, until=lambda: cases.case(store, ID) is not None)
    assert other.try_acquire(), "it lets go when it ends"
    other.release()
