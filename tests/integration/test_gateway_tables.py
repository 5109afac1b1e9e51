"""Rejects and activity, asked of the real engine's tables."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from console.api.app import create_app
from console.cli.main import app as command
from console.store.engine import open_store
from console.store.keys import Role, create_key
from console.store.migrations.run import upgrade
from console.store.producers import put_producer
from schemas.places import Producer
from tests.console_kit import FakeBroker, bearer
from tests.system import System, running_system

EVENT = "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77"


def rows(now: datetime, producer: str, count: int, ago: timedelta, spread: timedelta) -> str:
    """A SELECT of `count` moments ending `ago`, evenly over `spread`."""
    end = int((now - ago).timestamp() * 1000)
    step = max(1, int(spread.total_seconds() * 1000) // count)
    return (
        f"SELECT fromUnixTimestamp64Milli(toInt64({end} - number * {step}), 'UTC') AS at, "
        f"'{producer}' AS producer, number FROM numbers({count})"
    )


def write_scans(system: System, source: str, partition: int) -> None:
    system.clickhouse.command(
        "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, producer, "
        "appended_at, written_at, kafka_partition, kafka_offset) SELECT generateUUIDv4(), number, "
        f"1, at, 'in', 'self', producer, at, at, {partition}, number FROM ({source})"
    )


def write_rejects(system: System, source: str, reason: str, partition: int, event: str) -> None:
    system.clickhouse.command(
        "INSERT INTO rejects (appended_at, reason, detail, event_id, person, producer, original, "
        f"kafka_partition, kafka_offset) SELECT at, '{reason}', 'why', {event}, 7, producer, "
        f"'secret', {partition}, number FROM ({source})"
    )


class Console:
    def __init__(self, system: System, client: TestClient, keys: dict[str, dict[str, str]]) -> None:
        self.system, self.client, self.keys = system, client, keys

    def get(self, path: str, key: str) -> Any:
        answer = self.client.get(path, headers=self.keys[key])
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    def minutes(count: float) -> timedelta:
        return timedelta(minutes=count)

    with running_system(tmp_path_factory.mktemp("tables")) as system:
        upgrade(system.settings)
        store = open_store(system.settings)
        for name in ("gate-1", "gate-2", "quiet", "new"):
            put_producer(store, Producer(id=name, name=f"Cổng {name}"))
        keys = {
            name: bearer(create_key(store, Role.PRODUCER, "*", producer=name, name=name))
            for name in ("gate-1", "gate-2")
        }
        keys["ops"] = bearer(create_key(store, Role.ADMIN, "*", name="ops"))
        store.close()
        now = datetime.now(UTC)  # what is asked for is of the last hour
        write_scans(system, rows(now, "gate-1", 7000, minutes(2), minutes(6 * 1440)), 0)
        write_scans(system, rows(now, "quiet", 7000, minutes(130), minutes(6 * 1440)), 1)
        write_rejects(
            system,
            rows(now, "gate-2", 700, minutes(1), minutes(50)),
            "expired_code",
            2,
            f"'{EVENT}'",
        )
        write_rejects(
            system, rows(now, "gate-2", 30, minutes(1800), minutes(60)), "in_future", 3, "NULL"
        )
        write_rejects(system, rows(now, "gate-1", 5, minutes(1), minutes(1)), "too_old", 4, "NULL")
        write_rejects(system, rows(now, "", 3, minutes(1), minutes(1)), "not_json", 5, "NULL")
        broker = FakeBroker()
        app = create_app(system.settings, publisher=broker, relay_publisher=broker)
        with TestClient(app) as client:
            yield Console(system, client, keys)


def test_pages_of_a_producers_own_rejects(console: Console) -> None:
    seen: list[tuple[int, int]] = []
    times: list[str] = []
    path: str | None = "/v1/rejects?limit=150"
    while path:
        said = console.get(path, "gate-2")
        seen += [(r["partition"], r["offset"]) for r in said["rejects"]]
        times += [r["appended_at"] for r in said["rejects"]]
        assert {r["producer"] for r in said["rejects"]} == {"gate-2"}
        assert {r["event_id"] for r in said["rejects"]} == {EVENT}
        path = f"/v1/rejects?limit=150&after={said['next']}" if said["next"] else None
    assert sorted(seen) == [(2, n) for n in range(700)]
    assert times == sorted(times)
    assert "secret" not in orjson.dumps(said).decode()
    mine = console.get("/v1/rejects", "gate-1")["rejects"]
    assert [r["reason"] for r in mine] == ["too_old"] * 5


def test_since_reason_and_counts(console: Console) -> None:
    since = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%dT%H:%M:%S}.000Z"
    old = console.get(f"/v1/rejects?since={since}&reason=in_future", "gate-2")["rejects"]
    assert (len(old), {r["event_id"] for r in old}) == (30, {None})
    counts = console.get(f"/v1/rejects/summary?since={since}", "gate-2")
    by_reason = {
        reason: sum(c["rejects"] for c in counts["counts"] if c["reason"] == reason)
        for reason in ("expired_code", "in_future")
    }
    assert (counts["total"], by_reason) == (730, {"expired_code": 700, "in_future": 30})
    assert all(c["hour"].endswith(":00:00.000Z") for c in counts["counts"])
    everybody = console.get("/v1/rejects/summary", "ops")
    assert everybody["total"] == 708, "also what could not be read as anybody's"
    assert console.get("/v1/rejects/summary?producer=gate-1", "ops")["total"] == 5


def test_who_is_silent_and_who_is_noisy(console: Console) -> None:
    said = console.get("/v1/producers/activity", "ops")
    found = {one["producer"]: one for one in said["producers"]}
    assert set(found) == {"gate-1", "gate-2", "quiet", "new"}
    assert {p: (o["silent"], o["noisy"]) for p, o in found.items()} == {
        "quiet": (True, False),
        "gate-2": (False, True),
        "gate-1": (False, False),
        "new": (False, False),
    }
    assert [one["producer"] for one in said["producers"]][:2] == ["quiet", "gate-2"]
    assert found["quiet"]["name"] == "Cổng quiet"
    assert found["quiet"]["usual_per_hour"] == pytest.approx(7000 / 144, rel=0.05)
    assert found["quiet"]["last_hour"]["written"] == 0
    assert found["gate-1"]["last_hour"]["written"] == pytest.approx(47, abs=3)
    assert found["gate-2"]["last_hour"] == {
        "written": 0, "duplicates": 0, "rejected": 700, "reject_share": 1.0,
    }  # fmt: skip
    assert found["new"]["last_seen_at"] is None
    later = console.get("/v1/producers/activity?silent_after_minutes=200", "ops")
    assert [o["producer"] for o in later["producers"] if o["silent"]] == []


def test_the_command_line_says_the_same(console: Console) -> None:
    directory = str(console.system.settings.data_dir)
    runner = CliRunner()
    before = ["--data-dir", directory]
    shown = runner.invoke(command, [*before, "producers", "activity", "--flagged", "--json"])
    assert shown.exit_code == 0, shown.output
    flagged = orjson.loads(shown.stdout)["producers"]
    assert [one["producer"] for one in flagged] == ["quiet", "gate-2"]
    table = runner.invoke(command, [*before, "--lang", "vi", "producers", "activity"])
    assert table.exit_code == 0, table.output
    assert "Im lặng" in table.output
    assert "bị từ chối" in table.output
