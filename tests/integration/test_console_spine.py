"""The console on the real Kafka and engine: codes out, scans in, a case, its contacts."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from console.api.app import create_app
from console.coverage.keeper import Keeper
from console.coverage.stages import STAGES
from console.store import outbox, required, sites
from console.store.engine import Store, open_store, utc_now
from console.store.keys import Role, create_key
from console.store.migrations.run import upgrade
from console.store.producers import put_producer
from console.store.register import NewPlace, NewSite, register_sites
from console.store.required_reading import Needed
from issuer.codes import KeyRing
from schemas.clock import LOCAL
from schemas.coverage import RequiredList
from schemas.meters import Metrics
from schemas.places import Place, Producer
from schemas.scan import format_timestamp
from schemas.topics import CASES, SCANS, SITES
from tests.console_kit import WARD, bearer
from tests.system import System, running_system, wait_for

ELSEWHERE = "11407"  # another ward of Hải Phòng, with nothing in it
NDJSON = {"Content-Type": "application/x-ndjson"}
ONE, TWO = "7ZK3M9QX2B4CD", "2C9V0A7NJ5X1T"


class Console:
    """The application with its lifespan, and its store."""

    def __init__(self, system: System, client: TestClient, store: Store) -> None:
        self.system, self.client, self.store = system, client, store
        admin = system.settings.admin_key.get_secret_value()
        self.officer = bearer(admin)
        secret = create_key(store, Role.PRODUCER, "*", producer="gate-1", name="gate")
        self.gate = bearer(secret)
        self.clerk = bearer(create_key(store, Role.OFFICER, "*", name="officer"))
        put_producer(store, Producer(id="gate-1", name="Cổng 1"))

    def post(self, scans: list[dict[str, Any]]) -> Any:
        body = b"\n".join(orjson.dumps(scan) for scan in scans)
        return self.client.post("/v1/scans", content=body, headers=self.gate | NDJSON)

    def state(self, scan: dict[str, Any]) -> str:
        path = f"/v1/scans/{scan['event_id']}?person={scan['person']}"
        answer = self.client.get(path, headers=self.gate)
        return str(answer.json()["state"]) if answer.status_code == 200 else "unseen"

    def register_places(self, count: int, prefix: str) -> list[Place]:
        ring = KeyRing.parse(self.system.settings.code_keys.get_secret_value())
        spots = tuple(
            NewPlace(f"Phòng {i}", "meeting_room", f"{prefix}/{i}", enclosed=True, small=True)
            for i in range(count)
        )
        site = NewSite("Cơ quan", "office", WARD, "home_affairs", prefix, places=spots)
        return register_sites(self.store, ring, [site], source="test")

    def drained(self) -> bool:
        return outbox.count_pending(self.store) == 0


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    directory: Path = tmp_path_factory.mktemp("console")
    with running_system(directory, session_timeout_s=6, insert_timeout_s=3) as system:
        upgrade(system.settings)
        store = open_store(system.settings)
        with TestClient(create_app(system.settings)) as client:
            made = Console(system, client, store)
            made.register_places(50, "taken")  # the ids that `running_system` published already
            wait_for(made.drained, 20, "the outbox to be empty")
            yield made
        store.close()


def scan(person: str, token: str, at: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid.uuid4()),
        "person": person,
        "code": token,
        "direction": "in",
        "scanned_at": format_timestamp(at),
        "method": "self",
        "producer": "gate-1",
        "device": "d-1",
    } | changes


def test_everything_answers(console: Console) -> None:
    wait_for(lambda: console.client.get("/ready").status_code == 200, 20, "/ready")
    assert console.client.get("/ready").json() == {"ready": True, "missing": []}


def test_the_outbox_reaches_the_topic_in_order_and_fast(console: Console) -> None:
    places = console.register_places(500, "bulk")
    for place in places[:20]:
        sites.revoke_code(console.store, place.id, 1, utc_now(), "photographed")
    entries = [outbox.Entry(SITES.name, f"bench/{i}", b"x" * 400) for i in range(50_000)]
    with console.store.write() as connection:
        outbox.append(connection, entries, utc_now())
    begun = time.monotonic()
    wait_for(console.drained, 60, "the outbox to be empty")
    rate = len(entries) / (time.monotonic() - begun)
    print(f"relay: {rate:,.0f} rows a second")
    last: dict[bytes, Place] = {}
    for record in console.system.read_topic(SITES.name):
        if record.key.startswith(b"place/"):
            place = Place.model_validate_json(record.value)
            assert place.version >= (last[record.key].version if record.key in last else 1)
            last[record.key] = place
    for place in places[:20]:
        assert last[f"place/{place.id}".encode()].version == 2
    assert rate > 500  # a hundred times what a round trip for each row would give


def test_the_walk_from_scans_to_contacts(console: Console) -> None:
    [room] = console.register_places(1, "room")
    token = room.codes[0].token
    wait_for(console.drained, 20, "the outbox to be empty")
    console.system.start_worker()
    begins = datetime.now(UTC) - timedelta(days=1)
    stays = [
        scan(person, token, begins + timedelta(minutes=after), direction=direction)
        for person, start in ((ONE, 0), (TWO, 5))
        for after, direction in ((start, "in"), (start + 60, "out"))
    ]
    forged = scan(TWO, token[:-1] + ("0" if token[-1] != "0" else "1"), begins)
    future = scan(TWO, token, datetime.now(UTC) + timedelta(hours=2))
    answer = console.post([*stays, forged, future, {"person": ONE}])
    assert (answer.status_code, answer.json()["accepted"]) == (207, 6)
    assert [r["line"] for r in answer.json()["refused"]] == [7]
    assert console.post([stays[0]]).status_code == 202
    assert console.state(stays[1]) in ("pending", "written")
    console.system.drain()
    assert {console.state(stay) for stay in stays} == {"written"}
    for bad, reason in ((forged, "unknown_code"), (future, "in_future")):
        path = f"/v1/scans/{bad['event_id']}?person={TWO}"
        said = console.client.get(path, headers=console.gate).json()
        assert (said["state"], said["reason"]) == ("rejected", reason)
    path = f"/v1/scans/{stays[0]['event_id']}?person={ONE}"
    assert console.client.get(path, headers=console.gate).json()["duplicates"] == 1
    assert console.client.get(path, headers=console.officer).json()["state"] == "written"
    other = create_key(console.store, Role.PRODUCER, "*", producer="gate-2", name="other")
    assert console.client.get(path, headers=bearer(other)).status_code == 404
    keys = {r.key for r in console.system.read_topic(SCANS.name)}
    assert keys == {ONE.encode(), TWO.encode()}

    body = {"person": ONE, "onset": str(datetime.now(LOCAL).date()), "ward": WARD}
    begun = time.monotonic()
    case = console.client.post("/v1/cases", json=body, headers=console.officer).json()
    path = f"/v1/cases/{case['id']}/contacts"

    def traced() -> bool:
        answer = console.client.get(path, headers=console.officer)
        return bool(answer.status_code == 200)

    wait_for(traced, 30, "the run")
    print(f"case to contacts: {time.monotonic() - begun:.2f} s")
    found = console.client.get(path, headers=console.officer).json()
    assert (found["state"], found["total"]) == ("traced", 1)
    [contact] = found["contacts"]
    assert contact["person"] == TWO
    assert contact["minutes"] == pytest.approx(55)
    assert found["run"]["rule_set"] == "vn-2021-12-29"
    ended = console.client.post(f"/v1/cases/{case['id']}/void", headers=console.officer).json()
    wait_for(console.drained, 20, "the outbox to be empty")
    versions = [orjson.loads(r.value) for r in console.system.read_topic(CASES.name)]
    assert [(v["version"], v["status"]) for v in versions] == [(1, "confirmed"), (2, "voided")]
    assert versions[-1]["version"] == ended["version"]


def test_ten_thousand_scans_in_one_request(console: Console) -> None:
    token = sites.place(console.store, 1)
    assert token is not None
    at = datetime.now(UTC) - timedelta(hours=2)
    scans = [scan(ONE, token.codes[0].token, at) for _ in range(10_000)]
    begun = time.monotonic()
    answer = console.post(scans)
    took = time.monotonic() - begun
    print(f"gateway: {10_000 / took:,.0f} scans a second in one request")
    assert (answer.status_code, answer.json()["accepted"]) == (202, 10_000)


def test_the_broker_killed_and_back(console: Console) -> None:
    [place] = console.register_places(1, "before")
    wait_for(console.drained, 20, "the outbox to be empty")
    console.system.stack.kill("kafka")
    sites.revoke_code(console.store, place.id, 1, utc_now(), "photographed")
    one = scan(ONE, place.codes[0].token, datetime.now(UTC))
    answer = console.post([one])  # waits for the broker, or says when to come back
    assert answer.status_code == 202 or answer.headers["Retry-After"]
    console.system.stack.wait_ready("kafka")
    wait_for(lambda: console.post([one]).status_code == 202, 60, "the gateway to go on")
    wait_for(console.drained, 60, "the relay to go on")
    key = f"place/{place.id}".encode()
    assert orjson.dumps(one) in [r.value for r in console.system.read_topic(SCANS.name)]
    records = [r for r in console.system.read_topic(SITES.name) if r.key == key]
    assert Place.model_validate_json(records[-1].value).version == 2


def test_coverage_follows_what_people_do(console: Console) -> None:
    """From registering to scanning, each step shows in the next round, and after a restart."""
    keeper = Keeper(console.system.settings, console.store, Metrics(CollectorRegistry()))
    entries = [Needed("k1", "Chợ Một", None, ELSEWHERE, "market", "industry_trade")]
    about = RequiredList(id="l", name="L", keeper="Sở", as_of=date(2026, 10, 1), entries=1)
    required.import_list(console.store, about, entries, "cli")
    assert counted(console, keeper) == (1, [0, 0, 0, 0, 0, 0, 0])
    ring = KeyRing.parse(console.system.settings.code_keys.get_secret_value())
    gates = tuple(NewPlace(f"Cổng {i}", "gate", f"chợ/{i}", gate=True) for i in range(2))
    market = NewSite("Chợ Một", "market", ELSEWHERE, "industry_trade", "chợ", places=gates)
    first, second = register_sites(console.store, ring, [market], source="test")
    assert counted(console, keeper) == (1, [2, 2, 0, 0, 0, 0, 0])
    posted = {"facts": [{"fact": "posted", "code_version": 1}]}
    said = console.client.post(f"/v1/places/{first.id}/poster", json=posted, headers=console.clerk)
    assert said.status_code == 200
    assert counted(console, keeper) == (1, [2, 2, 0, 0, 1, 0, 0])
    one = scan(ONE, second.codes[0].token, datetime.now(UTC))
    console.post([one])

    def written() -> bool:
        for worker in console.system.workers:
            if not worker.alive:  # it may have stopped by itself when its broker was killed
                worker.launch()
        return bool(console.state(one) == "written")

    wait_for(written, 60, "the scan to be written")
    again = Keeper(console.system.settings, console.store, Metrics(CollectorRegistry()))
    asyncio.run(keeper.close())
    assert counted(console, again) == (1, [2, 2, 0, 0, 1, 0, 1])
    revoked = sites.revoke_code(console.store, first.id, 1, utc_now(), "ảnh chụp")
    assert revoked.version == 2
    assert counted(console, again) == (1, [2, 1, 0, 0, 0, 0, 1])
    behind = console.client.get(
        f"/v1/coverage/behind?stage=code&area=ward/{ELSEWHERE}", headers=console.clerk
    ).json()
    assert [place["place_name"] for place in behind["places"]] == ["Cổng 0"]
    asyncio.run(again.close())


def counted(console: Console, keeper: Keeper) -> tuple[int, list[int]]:
    """Required, and places at each stage, of the ward elsewhere, after one more round."""
    wait_for(console.drained, 20, "the outbox to be empty")
    asyncio.run(step(keeper))
    path = f"/v1/coverage?area=ward/{ELSEWHERE}"
    [line] = console.client.get(path, headers=console.clerk).json()["lines"]
    return line["required"], [line["stages"][stage]["places"] for stage in STAGES]


async def step(keeper: Keeper) -> None:
    """One round in a loop of its own; the keeper's way to the broker ends with it."""
    assert await keeper.step() is not None
    await keeper.feed.close()
