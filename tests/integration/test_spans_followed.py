"""One scan followed from the gateway to its row, one case from a request to the officers' alert.

Through the real console, broker, worker and engine, each its own process, watched by a real
Prometheus whose exemplars lead to the traces; and what happens when the receiver of the spans no
longer answers.
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from console.store import register
from console.store.engine import open_store
from console.store.keys import Role, create_key
from console.store.producers import put_producer
from console.store.register import NewPlace, NewSite
from issuer.codes import KeyRing
from schemas.clock import LOCAL
from schemas.places import Producer
from schemas.scan import format_timestamp
from schemas.topics import ALERTS, CASES, SCANS
from tests.console_kit import WARD, bearer
from tests.integration.test_gateway_stopped_broker import Served, served
from tests.otlp import Receiver, receiver
from tests.prometheus import Prometheus, prometheus
from tests.system import System, WorkerProcess, running_system, wait_for

ONE, TWO = "7ZK3M9QX2B4CD", "2C9V0A7NJ5X1T"


class City:
    """The system with a console and a worker, both of which send spans."""

    def __init__(
        self,
        system: System,
        console: Served,
        worker: WorkerProcess,
        spans: Receiver,
        watching: Prometheus,
    ) -> None:
        self.system, self.worker, self.spans, self.prometheus = system, worker, spans, watching
        self.console = httpx.Client(base_url=console.url, timeout=30, trust_env=False)
        store = open_store(system.settings)
        put_producer(store, Producer(id="gate-1", name="Cổng 1"))
        self.gate = bearer(create_key(store, Role.PRODUCER, "*", producer="gate-1", name="gate"))
        self.officer = bearer(system.settings.admin_key.get_secret_value())
        ring = KeyRing.parse(system.settings.code_keys.get_secret_value())
        rooms = tuple(
            NewPlace(f"Phòng {i}", "meeting_room", f"r/{i}", enclosed=True, small=True)
            for i in range(51)  # the first fifty have the numbers that `running_system` took
        )
        site = NewSite("Cơ quan", "office", WARD, "home_affairs", "r", places=rooms)
        self.token = register.register_sites(store, ring, [site], source="test")[-1].codes[0].token
        store.close()

    def post(self, person: str, ago: timedelta, direction: str = "in") -> str:
        """One scan; its event id."""
        scan = {
            "event_id": str(uuid.uuid4()), "person": person, "direction": direction,
            "code": self.token, "scanned_at": format_timestamp(datetime.now(UTC) - ago),
            "method": "self", "producer": "gate-1", "device": "d-1",
        }  # fmt: skip
        body = orjson.dumps(scan)
        head = self.gate | {"Content-Type": "application/json"}
        answer = self.console.post("/v1/scans", content=body, headers=head)
        assert answer.status_code == 202, answer.text
        return str(scan["event_id"])

    def row(self, event_id: str) -> tuple[int, int] | None:
        """Partition and offset of a scan's row."""
        rows = self.system.clickhouse.rows(
            "SELECT kafka_partition, kafka_offset FROM scans WHERE event_id = {id:UUID}",
            {"id": event_id},
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else None

    def until_row(self, event_id: str) -> None:
        """Wait for it."""
        wait_for(lambda: self.row(event_id) is not None, 60, "the row")

    def dropped(self) -> float:
        """Spans of the worker that its receiver did not take."""
        text = httpx.get(f"http://127.0.0.1:{self.worker.port}/metrics", trust_env=False).text
        [line] = [x for x in text.splitlines() if x.startswith('truyvet_spans_total{outcome="d')]
        return float(line.split()[1])

    def leads_from(self, series: str, trace: str) -> None:
        """Wait until Prometheus has an exemplar of the series that leads to the trace."""
        wait_for(lambda: trace in self.prometheus.leads_to(series), 30, f"{series} to lead there")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    directory = Path(tmp_path_factory.mktemp("spans"))
    with ExitStack() as stack:
        spans = stack.enter_context(receiver())
        settings = {"otlp_endpoint": spans.url, "otlp_ratio": 1.0}
        system = stack.enter_context(running_system(directory / "data", **settings))
        console = stack.enter_context(served(system, directory / "console.log"))
        worker = system.start_worker()
        jobs = {"worker": f"127.0.0.1:{worker.port}", "console": console.url.split("//")[1]}
        targets = {name: [address] for name, address in jobs.items()}
        watching = stack.enter_context(prometheus(directory / "prometheus", targets, {}))
        yield City(system, console, worker, spans, watching)


def test_one_scan_from_the_gateway_to_its_row(city: City) -> None:
    event = city.post(ONE, timedelta(hours=3))
    city.until_row(event)
    wait_for(lambda: bool(city.spans.about("truyvet.event", event)), 20, "the span of the request")
    [publish] = city.spans.about("truyvet.event", event)
    trace = publish.trace
    names = {"POST /v1/scans", "publish scans", "scan to row", "batch", "judge", "write"}
    wait_for(lambda: names | {"follow up"} <= set(city.spans.of(trace)), 30, "the trace")
    print(city.spans.drawn(trace))
    spans = city.spans.of(trace)
    chain = ["POST /v1/scans", "publish scans", "scan to row", "batch", "write"]
    assert spans[chain[0]].parent == ""
    for above, below in pairwise(chain):
        assert spans[below].parent == spans[above].span, (above, below)
    assert [spans[name].service for name in chain[1:3]] == ["truyvet-console", "truyvet-worker"]
    row = spans["scan to row"].about
    place = (int(row["messaging.destination.partition.id"]), int(row["messaging.kafka.offset"]))
    assert place == city.row(event)
    assert row["truyvet.outcome"] == "scans"
    assert all(span.seconds >= 0 for span in spans.values())
    [record] = [r for r in city.system.read_topic(SCANS.name) if event.encode() in r.value]
    assert [name for name, _ in record.headers] == ["traceparent"]
    city.leads_from("truyvet_scan_to_queryable_seconds_bucket", trace)
    city.leads_from('truyvet_http_request_seconds_bucket{route="/v1/scans"}', trace)


def test_one_case_from_the_request_to_the_officers_alert(city: City) -> None:
    for person, ago in ((ONE, 26), (TWO, 25.9)):
        city.post(person, timedelta(hours=ago))
        event = city.post(person, timedelta(hours=ago - 1), "out")
        city.until_row(event)
    body = {"person": ONE, "onset": str(datetime.now(LOCAL).date()), "ward": WARD}
    case = city.console.post("/v1/cases", json=body, headers=city.officer).json()["id"]

    def alerts() -> list[Any]:
        return [r for r in city.system.read_topic(ALERTS.name) if r.key == case.encode()]

    wait_for(lambda: bool(alerts()), 60, "the alert")
    kinds = {orjson.loads(alert.value)["kind"] for alert in alerts()}
    assert kinds == {"possible_contact", "run_completed"}
    carried = {dict(alert.headers)["traceparent"].decode() for alert in alerts()}
    [context] = carried
    trace = context[3:35]
    names = {"POST /v1/cases", "relay", "case", "trace", "store", "alert"}
    wait_for(lambda: names <= set(city.spans.of(trace)), 30, "the trace")
    print(city.spans.drawn(trace))
    spans = city.spans.of(trace)
    request = spans["POST /v1/cases"]
    assert (request.parent, request.about["http.response.status_code"]) == ("", "201")
    assert spans["relay"].parent == spans["case"].parent == request.span
    for step in ("trace", "store", "alert"):
        assert spans[step].parent == spans["case"].span
    assert context[36:52] == spans["alert"].span
    assert spans["case"].about == {"truyvet.case": case, "truyvet.case_version": "1"}
    assert spans["store"].about == {"truyvet.run": "1", "truyvet.contacts": "1"}
    [record] = [r for r in city.system.read_topic(CASES.name) if r.key == case.encode()]
    assert dict(record.headers)["traceparent"].decode()[3:35] == trace
    city.leads_from("truyvet_case_to_alert_seconds_bucket", trace)
    said = b"".join(city.spans.raw)
    assert case.encode() in said
    for person in (ONE, TWO):
        assert person.encode() not in said


def test_a_receiver_that_hangs_stops_nothing(city: City) -> None:
    city.spans.hangs.set()
    event = ""
    for _ in range(30):
        event = city.post(TWO, timedelta(minutes=5))
    city.until_row(event)
    wait_for(lambda: city.dropped() > 0, 30, "spans to be dropped, and counted")
    assert city.worker.stop() == 0
    log = city.worker.log.read_text("utf-8")
    assert log.count('"spans_dropped"') == 1
    assert "Failed to export" not in log
