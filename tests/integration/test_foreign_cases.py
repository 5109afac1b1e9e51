"""Another system's case on the real Kafka: traced, seen by officers, confirmed, voided here."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from console.api.app import create_app
from console.store.migrations.run import upgrade
from schemas.cases import Case
from schemas.topics import ALERTS, CASES, SCANS
from tests.console_kit import WARD, bearer
from tests.fault.opencase import scan
from tests.system import System, running_system, wait_for

ID, PATH = "hcdc/N-1", "/v1/cases/hcdc%2FN-1"
PATIENT, ALICE = "7ZK3M9QX2B4CD", "2C9V0A7NJ5X1T"
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=10)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(Path(tmp_path_factory.mktemp("foreign"))) as made:
        upgrade(made.settings)
        made.start_worker()
        token = made.places[0].codes[-1].token
        for person in (PATIENT, ALICE):
            moments = [(START, "in"), (START + timedelta(minutes=40), "out")]
            made.publish(
                SCANS.name, [(person, scan(person, token, at, way)) for at, way in moments]
            )
        made.drain()
        yield made


def publish(system: System, version: int, **changes: Any) -> None:
    fields: dict[str, Any] = {
        "id": ID, "version": version, "status": "confirmed", "person": PATIENT,
        "onset": START.date(), "ward": WARD, "registered_at": START, "registered_by": "hcdc",
    }  # fmt: skip
    case = Case.model_validate(fields | changes)
    system.publish(CASES.name, [(ID, case.model_dump_json().encode())])


def records(system: System) -> list[Case]:
    found = [r for r in system.read_topic(CASES.name) if r.key == ID.encode()]
    return [Case.model_validate_json(record.value) for record in found]


def test_officers_see_confirm_and_void_it(system: System) -> None:
    head = bearer(system.settings.admin_key.get_secret_value())

    def get(path: str = "") -> Any:
        answer = client.get(PATH + path, headers=head)
        return answer.json() if answer.status_code in (200, 202) else {"version": 0, "state": ""}

    def traced() -> bool:
        found = get("/contacts")
        return bool(found["state"] == "traced" and found["run"]["case_version"] == version)

    with TestClient(create_app(system.settings, keep_coverage=True)) as client:
        publish(system, version := 1)
        wait_for(lambda: get()["version"] == 1, 30, "the case to be taken in")
        assert get()["status"] == "suspected"
        wait_for(traced, 30, "its run")
        assert [c["person"] for c in get("/contacts")["contacts"]] == [ALICE]
        assert len(records(system)) == 1, "no echo"

        body = {"status": "confirmed"}
        assert client.patch(PATH, json=body, headers=head).status_code == 200
        version = 2
        wait_for(traced, 30, "the run of the confirmed case")
        publish(system, 3, onset=START.date() - timedelta(days=9))
        wait_for(lambda: get()["version"] == 4, 30, "ours above theirs")
        assert (get()["status"], get()["onset"]) == ("confirmed", str(START.date()))
        wait_for(lambda: len(records(system)) == 4, 30, "ours on the topic")
        version = 4
        wait_for(traced, 30, "the run of ours")
        runs = client.get(f"{PATH}/runs", headers=head).json()["runs"]
        assert runs[0]["case_version"] == 4

    before = records(system)
    with TestClient(create_app(system.settings, keep_coverage=True)) as client:
        assert client.post(f"{PATH}/void", headers=head).status_code == 200
        wait_for(lambda: withdrawn(system) == {ALICE}, 30, "the withdrawal")
        publish(system, 6)
        wait_for(lambda: get()["version"] == 7, 30, "voided above theirs")
        assert get()["status"] == "voided"
        wait_for(lambda: len(records(system)) == len(before) + 3, 30, "ours on the topic")
        assert [c.status for c in records(system)[len(before) :]] == [
            "voided",
            "confirmed",
            "voided",
        ]


def withdrawn(system: System) -> set[str]:
    found = [orjson.loads(record.value) for record in system.read_topic(ALERTS.name)]
    voided = [a for a in found if a["case"] == ID and "case_voided" in a.get("reasons", ())]
    return {a["person"] for a in voided}
