"""Two officers change one contact at the same time: what one has said, the other does not undo."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.api.worklist_check import changes_of
from tests.console_kit import Running, running
from tests.worklist_kit import HEAD, TODAY, A, new_case


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def decide(console: Running, case: str, **body: Any) -> Any:
    return console.client.patch(f"/v1/cases/{case}/list/{A}", json=body, headers=HEAD)


def meanwhile(monkeypatch: pytest.MonkeyPatch, other: Callable[[], Any]) -> None:
    """The next decision is checked, then the other one is made, then the first is written."""

    def crossed(*asked: Any) -> dict[str, Any]:
        changes = changes_of(*asked)
        monkeypatch.undo()
        answer = other()
        assert answer.status_code == 200, answer.text
        return changes

    monkeypatch.setattr("console.api.worklist.changes_of", crossed)


def test_answers_to_different_questions_both_stay(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = new_case(console)
    meanwhile(monkeypatch, lambda: decide(console, case, answers={"masks": "no"}))
    found = decide(console, case, answers={"touch": "yes"}).json()
    assert found["answers"] == {"masks": "no", "touch": "yes"}
    [said] = console.client.get(f"/v1/cases/{case}", headers=HEAD).json()["said"]
    assert said["answers"] == {"masks": "no", "touch": "yes"}
    # what one takes back is taken back, and nothing else
    other = {"within_2_m": "yes"}
    meanwhile(monkeypatch, lambda: decide(console, case, answers=other))
    found = decide(console, case, answers={"masks": None}).json()
    assert found["answers"] == {"touch": "yes", "within_2_m": "yes"}


def test_who_became_a_case_meanwhile_is_not_dropped(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = new_case(console)
    path = f"/v1/cases/{case}/list/{A}/convert"
    body = {"sampled_on": str(TODAY)}
    meanwhile(monkeypatch, lambda: console.client.post(path, json=body, headers=HEAD))
    late = decide(console, case, status="DROPPED")
    assert late.status_code == 409
    contact = console.client.get(f"/v1/cases/{case}/list/{A}", headers=HEAD).json()
    assert contact["status"] == "CONVERTED"
    assert contact["converted_to"] in late.json()["sentence"]["en"]
