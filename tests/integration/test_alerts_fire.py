"""The real system driven into what alerts are for, seen by a real Prometheus with the real rules.

Minutes of the rules are seconds here (`tests/prometheus.py`); the past of the silent producer is
put into the engine by the test. A full disk and a wrong clock cannot be made here without harm to
the machine: promtool tries those.
"""

import os
import signal
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from console.store import register
from console.store.codes import change_codes
from console.store.engine import open_store
from console.store.history import What, Why
from console.store.keys import Role, create_key
from console.store.producers import put_producer
from console.store.register import NewPlace, NewSite
from console.support.bundle import write_bundle
from deploy.grafana.build import BOARDS
from deploy.grafana.picture import draw
from issuer.codes import KeyRing
from issuer.rotation import Left, rotated
from schemas.clock import LOCAL
from schemas.metrics import METRICS
from schemas.places import Place, Producer
from schemas.scan import format_timestamp
from schemas.topics import SCANS
from tests.console_kit import ADMIN, WARD, bearer
from tests.integration.test_gateway_stopped_broker import Served, served
from tests.known_certificates import UNTIL_2126
from tests.prometheus import Prometheus, prometheus
from tests.system import System, WorkerProcess, running_system, wait_for

QUICK: Final = {
    "(truyvet_backlog_seconds or truyvet_lag_seconds) > 60": "(truyvet_backlog_seconds or truyvet_lag_seconds) > 5",
    "max(truyvet_outbox_oldest_seconds) > 60": "max(truyvet_outbox_oldest_seconds) > 5",
    "max(truyvet_cases_untraced_seconds) > 60": "max(truyvet_cases_untraced_seconds) > 5",
    "max(truyvet_cases_not_picked_up_seconds) > 4 * 3600": "max(truyvet_cases_not_picked_up_seconds) > 5",
    "(truyvet_ward_quiet_since_timestamp_seconds) > 86400": "(truyvet_ward_quiet_since_timestamp_seconds) > 60",
    "])) > 3": "])) > 0",  # batches that had to be tried again
    # asked every 15 s, and coverage is counted every 30
    "(truyvet_exported_timestamp_seconds) > 600": '(truyvet_exported_timestamp_seconds{probe="cases"}) > 25',
    "max(truyvet_coverage_round_timestamp_seconds) > 900": "max(truyvet_coverage_round_timestamp_seconds) > 45",
}
TIMING: Final = {
    "session_timeout_s": 6, "insert_timeout_s": 2, "coverage_scanned_days": 7, "console_readings": 1,
}  # fmt: skip
EVER: Final = 'count by (alertname) (last_over_time(ALERTS{alertstate="firing"}[15m]))'
ELSEWHERE: Final = "11407"  # another ward of Hải Phòng
ONE, TWO = "7ZK3M9QX2B4CD", "2C9V0A7NJ5X1T"
LATE = [f"3{number}9V0A7NJ5X1T" for number in range(5)]  # whose cases wait for the engine
ALWAYS_PATIENCE_S: Final = 150  # the machine may be busy with others


class City:
    """The system, its console, and who sends to it."""

    def __init__(
        self, system: System, console: Served, worker: WorkerProcess, certificate: Path
    ) -> None:
        self.system, self.console, self.worker = system, console, worker
        self.certificate = certificate
        self.client = httpx.Client(base_url=console.url, timeout=30)
        self.address = console.url.removeprefix("http://")
        store = open_store(system.settings)
        put_producer(store, Producer(id="gate-1", name="Cổng 1"))
        for other in ("gate-2", "gate-old"):
            put_producer(store, Producer(id=other, name="Cổng khác"))
        secret = create_key(store, Role.PRODUCER, "*", producer="gate-1", name="gate")
        self.gate = bearer(secret) | {"Content-Type": "application/x-ndjson"}
        admin = system.settings.admin_key.get_secret_value() or ADMIN
        self.officer = bearer(admin)
        ring = KeyRing.parse(system.settings.code_keys.get_secret_value())
        spots = tuple(
            NewPlace(f"Phòng {i}", "meeting_room", f"r/{i}", enclosed=True, small=True)
            for i in range(62)  # the first fifty have the numbers that `running_system` took
        )
        rooms = tuple(NewPlace(f"Phòng {i}", "meeting_room", f"e/{i}") for i in range(12))
        sites = [
            NewSite("Cơ quan", "office", WARD, "home_affairs", "r", places=spots),
            NewSite("Nơi khác", "office", ELSEWHERE, "home_affairs", "e", places=rooms),
        ]
        self.places: list[Place] = register.register_sites(store, ring, sites, source="test")
        self.store = store

    def post(self, count: int, person: str = ONE, ago_s: float = 5, **changes: Any) -> int:
        """So many scans of one person, each at another place; the answer's status."""
        lines = [self.scan(number, person, ago_s, **changes) for number in range(count)]
        answer = self.client.post("/v1/scans", content=b"\n".join(lines), headers=self.gate)
        return answer.status_code

    def scan(self, number: int, person: str, ago_s: float, **changes: Any) -> bytes:
        """One, as JSON."""
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        scan = {
            "event_id": str(uuid.uuid4()), "person": person, "direction": "in", "device": "d",
            "code": self.places[50 + number % 12].codes[0].token, "method": "self",
            "scanned_at": format_timestamp(at), "producer": "gate-1",
        }  # fmt: skip
        return orjson.dumps(scan | changes)

    def case(self, person: str) -> str:
        """A case of this person, with onset today."""
        body = {"person": person, "onset": str(datetime.now(LOCAL).date()), "ward": WARD}
        answer = self.client.post("/v1/cases", json=body, headers=self.officer)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def end_a_code(self) -> None:
        """One place's only code ends in three days."""
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)

        def ending(place: Place) -> Place:
            codes = tuple(code.model_copy(update={"valid_to": end}) for code in place.codes)
            return place.model_copy(update={"version": place.version + 1, "codes": codes})

        change_codes(self.store, [self.places[-1].id], ending, Why("test", What.CODES))

    def renew_the_code(self) -> None:
        """As the runbook says: a new version for the place whose code ends."""
        ring = KeyRing.parse(self.system.settings.code_keys.get_secret_value())
        now = datetime.now(UTC)

        def renewed(place: Place) -> Place | Left:
            return rotated(place, ring, now, timedelta(days=14), now=now)

        assert change_codes(
            self.store, [self.places[-1].id], renewed, Why("test", What.ROTATE)
        ).places

    @contextmanager
    def many_readers(self) -> Iterator[None]:
        """Twelve who look at the coverage again and again, where one may and four wait."""
        ended = threading.Event()

        def read(_: int) -> None:
            while not ended.wait(0.3):
                with suppress(httpx.HTTPError):
                    self.client.get("/v1/coverage", headers=self.officer)

        with ThreadPoolExecutor(12) as readers:
            done = readers.map(read, range(12))
            try:
                yield
            finally:
                ended.set()
        list(done)

    def change_something(self) -> None:
        """A change for the outbox."""
        put_producer(self.store, Producer(id=f"gate-{uuid.uuid4().hex[:6]}", name="Cổng"))


class Steady(threading.Thread):
    """Twenty scans a second, until told to end."""

    def __init__(self, city: City) -> None:
        super().__init__(daemon=True)
        self._city, self.ended = city, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.5):
            try:
                self._city.post(10)
            except httpx.HTTPError:
                time.sleep(0.5)


@contextmanager
def running(directory: Path) -> Iterator[tuple[City, Prometheus]]:
    certificate = directory / "console.pem"
    with ExitStack() as stack:
        system = stack.enter_context(
            running_system(directory / "data", **TIMING, watched_certificates=certificate)
        )
        console = stack.enter_context(served(system, directory / "console.log"))
        worker = system.start_worker()
        city = City(system, console, worker, certificate)
        jobs = {"worker": f"127.0.0.1:{worker.port}", "console": city.address}
        targets = {f"truyvet-{name}": [address] for name, address in jobs.items()}
        watching = stack.enter_context(prometheus(directory / "prometheus", targets, QUICK))
        steady = Steady(city)
        steady.start()
        try:
            yield city, watching
        finally:
            steady.ended.set()
            steady.join(60)
            city.client.close()
            city.store.close()


def restart(worker: WorkerProcess, **settings: Any) -> None:
    """The same worker with other settings."""
    worker.stop()
    worker.change(**settings)
    worker.start()


def note_past(system: System, producer: str, hours: float) -> None:
    """A record of a producer in the engine, so many hours old: only time itself could bring it."""
    at = f"now64(3, 'UTC') - INTERVAL {int(hours * 60)} MINUTE"
    columns = [row[0] for row in system.clickhouse.rows("DESCRIBE TABLE duplicates")]
    assert {"producer", "appended_at", "kafka_offset"} <= set(columns)
    system.clickhouse.command(
        "INSERT INTO duplicates (producer, appended_at, kafka_partition, kafka_offset) "
        f"SELECT '{producer}', {at}, 9999, 0"
    )


@pytest.mark.timeout(900)
def test_each_condition_that_can_be_made_is_seen(tmp_path: Path) -> None:
    took: dict[str, float] = {}
    with running(tmp_path) as (city, watching):
        system, begun = city.system, time.monotonic()

        def seen(*names: str) -> None:
            took.update(watching.wait_firing(set(names), ALWAYS_PATIENCE_S))

        def over(*names: str) -> None:
            watching.wait_cleared(set(names), ALWAYS_PATIENCE_S)

        wait_for(lambda: (watching.value("truyvet:scans_in:rate5m") or 0) > 5, 60, "scans to flow")
        exported_and_documented(city)

        # a certificate that is not there, a ward of which half the places are never scanned, a
        # producer that was last seen 30 hours ago, and a case that nobody works on
        note_past(system, "gate-old", 30)
        for person in (ONE, TWO):
            assert city.post(1, person, ago_s=3_600) == 202
        wait_for(lambda: city.post(1, TWO) == 202, 30, "a second person")
        city.case(ONE)
        city.end_a_code()
        seen("CertificateEnding", "ProducerSilent", "CasesNotPickedUp", "CodesEnding")
        city.renew_the_code()
        city.certificate.write_text(UNTIL_2126, "ascii")

        # a flood of codes that nobody issued from one gate, the same record again and again from
        # another, and records under a key that is not their person
        for _ in range(10):
            city.post(200, code="0" * 18)
        again = city.scan(0, ONE, 5, producer="gate-2")
        strange = [(TWO, city.scan(n, ONE, 5)) for n in range(300)]
        system.publish(SCANS.name, [(ONE, again)] * 1_500 + strange)
        seen("RejectShareHigh", "RejectReasonHigh", "ProducerNoisy", "ProducerRepeats",
             "ScansMisplaced")  # fmt: skip
        over("CertificateEnding", "RejectShareHigh", "RejectReasonHigh", "ScansMisplaced")

        # no worker: the console tells of the backlog, and of a case that is not traced
        assert city.worker.stop() == 0
        city.case(TWO)
        seen("WorkersAway", "IngestLagging", "CasesUntraced")
        city.worker.start()
        over("WorkersAway", "IngestLagging", "CasesUntraced")

        # an engine that does not answer: what needs it is not known, readers wait and are sent
        # away, and cases are traced when it is back, late
        system.stack.kill("engine", signal.SIGSTOP)
        try:
            for person in LATE:
                city.case(person)
            with city.many_readers():
                seen("EngineAway", "RequestsShed", "ProbeFailing", "CoverageStale",
                     "InsertsFailing")  # fmt: skip
            assert not city.worker.ready(), "whoever asks it is told"
        finally:
            system.stack.kill("engine", signal.SIGCONT)
        seen("CasesLate", "TraceSlow")
        over("EngineAway", "IngestLagging", "RequestsShed", "ProbeFailing", "CoverageStale",
             "CasesLate", "InsertsFailing")  # fmt: skip
        wait_for(city.worker.ready, 60, "the worker to be ready again by itself")

        # a broker that does not answer: nothing can be published
        system.stack.kill("kafka", signal.SIGSTOP)
        try:
            city.change_something()
            seen("OutboxStuck", "GatewayUnavailable")
        finally:
            system.stack.kill("kafka", signal.SIGCONT)
        if not city.worker.alive:  # it may stop by itself when its broker is gone; it says so
            city.worker.start()
        over("OutboxStuck", "GatewayUnavailable", "IngestLagging")

        # a partition that refuses more than its worker's limit allows
        restart(city.worker, reject_limit=50)
        wait_for(lambda: city.post(200, code="0" * 18) == 202, 60, "the gateway to go on")
        seen("PartitionStopped")
        restart(city.worker, reject_limit=0)
        over("PartitionStopped")

        # a console that does not answer
        os.kill(city.console.pid, signal.SIGSTOP)
        try:
            seen("ConsoleAway")
        finally:
            os.kill(city.console.pid, signal.SIGCONT)
        over("ConsoleAway", "CodesEnding")

        # and what all this made, seen on the way
        seen("WardQuiet")
        quiet = f'ALERTS{{alertname="WardQuiet",alertstate="firing",ward="{ELSEWHERE}"}}'
        wait_for(lambda: watching.value(quiet) == 1, ALWAYS_PATIENCE_S, "the ward elsewhere")
        ever = watching.get("query", query=EVER)
        on_the_way = {series["metric"]["alertname"] for series in ever["result"]} - set(took)
        print("also seen:", sorted(on_the_way))
        assert on_the_way >= {"ScansLateFast", "ScansLateSlow", "ScansQueryableSlow"}
        picture = os.environ.get("TRUYVET_PICTURES")
        if picture:
            minutes = (time.monotonic() - begun) / 60
            for board in BOARDS:
                draw(board, watching.get, Path(picture) / f"{board.uid}.svg", minutes=minutes)
        support_bundle_names_nobody(city, tmp_path / "bundle.zip")
    print("seconds until seen:", took)


def support_bundle_names_nobody(city: City, path: Path) -> None:
    """Of the real system, with real logs and metrics."""
    settings = city.system.settings
    ports = {"console": int(city.address.rpartition(":")[2]), "worker-0": city.worker.port}
    assert write_bundle(settings, ports, [], path, datetime.now(UTC)) == []
    with zipfile.ZipFile(path) as bundle:
        text = "\n".join(bundle.read(name).decode() for name in bundle.namelist())
    for place in city.places:
        assert place.codes[0].token not in text
    secrets = (settings.admin_key, settings.code_keys, settings.person_key)
    hidden = [secret.get_secret_value() for secret in secrets]
    gate = city.gate["Authorization"].removeprefix("Bearer ")
    for one in (ONE, TWO, gate, *filter(None, hidden), "Phòng", "Cổng", "C-20"):
        assert one not in text
    assert "truyvet_backlog_seconds" in text
    assert '"case_traced"' in text


def exported_and_documented(city: City) -> None:
    """Both processes together export the whole list and nothing else of that name."""
    found: set[str] = set()
    for text in (city.client.get("/metrics").text, city.worker.get("/metrics").text):
        for family in text_string_to_metric_families(text):
            counter = family.type == "counter"
            found.add(f"{family.name}_total" if counter else family.name)
    assert {name for name in found if name.startswith("truyvet_")} == {d.name for d in METRICS}
