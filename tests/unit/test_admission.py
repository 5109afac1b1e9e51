"""Too much to do: case work is let in, reading is told to come back, and no scan is lost."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from console.access import Right, work_of
from console.admission import Admission, Shed, Work
from console.api.app import create_app
from console.gateway.flow import Flow
from console.store.keys import Role
from deploy.embedded.engine.protocol import Call
from deploy.embedded.engine.slots import Slots
from schemas.meters import Metrics
from schemas.metrics import REQUESTS_SHED
from streams.clickhouse import ClickHouse, Priority
from tests.console_kit import ADMIN, PERSON, Running, bearer, migrated, running, settings_in

CASE = {"person": PERSON, "onset": "2021-12-01", "ward": "11413"}
REJECTS = "/v1/rejects/summary"
IN_LINE = 4  # for one that reads


def shed(console: Running, work: Work) -> float:
    text = console.client.get("/metrics").text
    [line] = [
        row for row in text.splitlines() if row.startswith(f'{REQUESTS_SHED.name}{{work="{work}"')
    ]
    return float(line.rpartition(" ")[2])


@contextmanager
def saturated(console: Running) -> Iterator[list[Any]]:
    """As many read as may and as many wait as may; their answers once they are let go."""
    go = threading.Event()
    answers: list[Any] = []
    asked = threading.Semaphore(0)

    def slow(sql: str, _: dict[str, Any]) -> list[tuple[Any, ...]]:
        if "rejects" in sql:
            asked.release()
            go.wait(60)
        return []

    console.tables.answer = slow
    head = bearer(ADMIN)
    line = console.client.app.state.console.admission._lines[Work.READING]  # type: ignore[attr-defined]
    line._longest_wait_s = 60.0  # however busy the machine is
    with ThreadPoolExecutor(1 + IN_LINE) as threads:
        asking = [
            threads.submit(console.client.get, REJECTS, headers=head) for _ in range(1 + IN_LINE)
        ]
        try:
            assert asked.acquire(timeout=60)
            while line._waiting < IN_LINE:
                threading.Event().wait(0.005)
            yield answers
        finally:
            go.set()
            answers += [one.result(60) for one in asking]


def test_case_work_goes_on_while_reading_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, console_readings=1) as console, capture_logs() as logs:
        head = bearer(ADMIN)
        with saturated(console) as answers:
            refused = [console.client.get("/v1/sites", headers=head) for _ in range(3)]
            made = console.client.post("/v1/cases", json=CASE, headers=head)
            case = made.json()["id"]
            read = console.client.get(f"/v1/cases/{case}", headers=head)
            contacts = console.client.get(f"/v1/cases/{case}/contacts", headers=head)
            assert console.client.get("/live").status_code == 200
        assert (made.status_code, read.status_code, contacts.status_code) == (201, 200, 202)
        for answer in refused:
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert "ca bệnh" in answer.json()["sentence"]["vi"]
            assert "case work goes first" in answer.json()["sentence"]["en"]
        assert [one.status_code for one in answers] == [200] * (1 + IN_LINE), (
            "who waits is answered"
        )
        assert console.client.get("/v1/sites", headers=head).status_code == 200, "room again"
        assert shed(console, Work.READING) == 3
        assert shed(console, Work.CASES) == 0
    said = [entry for entry in logs if entry["event"] == "requests_shed"]
    assert [(entry["work"], entry["refused"]) for entry in said] == [(Work.READING, 1)]


def test_scans_are_taken_while_reading_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, console_readings=1) as console:
        head = console.key(Role.PRODUCER, producer="gate-1")
        with saturated(console):
            answer = console.client.post(
                "/v1/scans", content=b"{}", headers=head | {"Content-Type": "application/json"}
            )
        assert answer.status_code == 422, "judged, not turned away"


def test_scans_that_are_too_many_are_refused_before_any_is_acknowledged(tmp_path: Path) -> None:
    with running(tmp_path) as console:
        console.client.app.state.console.flow._max_bytes = 1  # type: ignore[attr-defined]
        head = console.key(Role.PRODUCER, producer="gate-1")
        answer = console.client.post(
            "/v1/scans", content=b"{}", headers=head | {"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert shed(console, Work.SCANS) == 1
        assert console.broker.records == []


def test_every_right_is_of_some_work_and_what_concerns_a_case_is_case_work() -> None:
    works = {right: work_of(right) for right in Right}
    for right, work in works.items():
        of_a_case = right.split(".")[0] in ("cases", "contacts", "list")
        assert (work is Work.CASES) == (of_a_case and right is not Right.LIST_EXPORT), right
    assert works[Right.SCANS_PUBLISH] is Work.SCANS
    assert works[Right.COVERAGE_READ] is works[Right.LIST_EXPORT] is Work.READING
    assert works[Right.PLACES_EDIT] is works[Right.CODES_MANAGE] is Work.EDITS


def admission(readings: int = 1, longest_wait_s: float = 3.0) -> Admission:
    return Admission(readings, Metrics(CollectorRegistry()), longest_wait_s)


def test_those_in_line_come_in_their_order_and_each_leaves_once() -> None:
    async def scene() -> list[int]:
        came: list[int] = []
        doors = admission()
        first: dict[str, Any] = {}
        await doors.enter(first, Work.READING)
        await doors.enter(first, Work.READING)  # declared twice: the same request

        async def one(number: int) -> None:
            scope: dict[str, Any] = {}
            await doors.enter(scope, Work.READING)
            came.append(number)
            doors.leave(scope)

        waiting = [asyncio.create_task(one(number)) for number in range(IN_LINE)]
        await asyncio.sleep(0)
        with pytest.raises(Shed):
            await doors.enter({}, Work.READING)
        waiting[1].cancel()
        doors.leave(first)
        doors.leave(first)
        await asyncio.gather(*waiting, return_exceptions=True)
        await doors.enter({}, Work.READING)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await doors.enter({}, Work.READING)
        return came

    assert asyncio.run(scene()) == [0, 2, 3]


def test_who_was_in_line_too_long_is_told_when_to_come_back() -> None:
    async def scene() -> Shed:
        doors = admission(longest_wait_s=0.01)
        await doors.enter({}, Work.READING)
        with pytest.raises(Shed) as refused:
            await doors.enter({}, Work.READING)
        await doors.enter({}, Work.CASES)
        return refused.value

    refused = asyncio.run(scene())
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")


def test_a_flow_that_is_full_says_which_work_it_is() -> None:
    with pytest.raises(Shed) as refused:
        Flow(max_bytes=1).take_bytes(2)
    assert refused.value.work is Work.SCANS


def test_refusals_are_said_at_once_and_then_seldom() -> None:
    doors = admission()
    with capture_logs() as logs:
        for now in (0.0, 1.0, 9.0, 10.0, 11.0):
            doors.note(Work.READING, now)
    assert [entry["refused"] for entry in logs] == [1, 3]


class Query:
    """A request to the embedded engine, as far as its queue looks."""

    def __init__(self, priority: str = "") -> None:
        settings = {"priority": priority} if priority else {}
        self.call = Call("POST", "/", settings=settings)
        self.state: Any = None

    def check_client(self) -> None:
        """It is there."""


class Line:
    """Queries that ask for a slot, each in a thread; `ran` is the order in which they got one."""

    def __init__(self, slots: int) -> None:
        registry: Any = SimpleNamespace(start=lambda _: None)
        self.slots = Slots(registry, slots, max_queue=8)
        self.ran: list[str] = []
        self.threads: list[threading.Thread] = []

    def ask(self, name: str, priority: str = "") -> None:
        def work() -> None:
            query: Any = Query(priority)
            with self.slots.slot(query):
                self.ran.append(name)

        before = len(self.slots._waiting)
        thread = threading.Thread(target=work)
        thread.start()
        self.threads.append(thread)
        while len(self.slots._waiting) == before and thread.is_alive():
            threading.Event().wait(0.001)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(60)


def test_the_engines_line_lets_cases_go_first_and_reading_last() -> None:
    line = Line(1)
    held: Any = Query()
    with line.slots.slot(held):
        line.ask("reading", "2")
        line.ask("insert")
        line.ask("case", "1")
    line.join()
    assert line.ran == ["case", "insert", "reading"]


def test_reading_never_holds_the_engines_last_slot() -> None:
    line = Line(2)
    held: Any = Query("2")
    with line.slots.slot(held):
        line.ask("reading", "2")
        line.ask("case", "1")
        line.threads[1].join(60)
        assert line.ran == ["case"]
    line.join()
    assert line.ran == ["case", "reading"]


@pytest.mark.parametrize("priority", list(Priority))
def test_questions_carry_their_priority_and_writing_carries_none(
    tmp_path: Path, priority: Priority
) -> None:
    sent: list[Any] = []

    class Client:
        """ClickHouse's, as far as it is asked here."""

        def query(self, _: str, **options: Any) -> Any:
            sent.append(options["settings"])
            return SimpleNamespace(result_rows=[])

        def query_arrow(self, _: str, **options: Any) -> Any:
            sent.append(options["settings"])

        def raw_insert(self, *given: Any, **_: Any) -> None:
            sent.append(given[3])

    tables = ClickHouse(settings_in(tmp_path), priority=priority)
    tables._made = Client()
    tables.rows("SELECT 1")
    tables.query_arrow("SELECT 1", None, {"max_threads": 1})
    tables.insert("scans", pa.table({"place": [1]}), {})
    wanted = int(priority) or None
    assert [(some or {}).get("priority") for some in sent] == [wanted, wanted, None]
    assert sent[1]["max_threads"] == 1


def test_a_console_has_a_way_for_cases_and_another_for_reading(tmp_path: Path) -> None:
    app = create_app(migrated(tmp_path)[0])
    console = app.state.console
    assert console.clickhouse._asking == {"priority": 1}
    assert console.reading._asking == {"priority": 2}
