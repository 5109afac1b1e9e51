"""`case amend | close | void`: what is asked of the API, and what is refused before."""

from pathlib import Path
from typing import Any

import pytest

from console.cli.api import Api
from console.cli.main import main
from tests.console_kit import ADMIN

CASE: dict[str, Any] = {
    "id": "C-2026-000001", "version": 2, "status": "confirmed", "person": "7ZK3M9QX2B4CD",
    "symptoms": "unknown", "onset": "2026-03-01", "sampled_on": None, "result_on": "2026-03-03",
    "isolated_at": None, "negative_at": None, "ward": "11413", "rule_set": None,
    "registered_at": "2026-03-05T00:00:00.000Z", "registered_by": "key/1",
    "points": [], "answers": [], "named": [], "excluded": [],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    sent: list[tuple[str, str, dict[str, Any]]] = []

    def send(_: Api, method: str, path: str, body: dict[str, Any]) -> Any:
        sent.append((method, path, body))
        return CASE

    monkeypatch.setattr(Api, "send", send)
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    return sent


def case(tmp_path: Path, *arguments: str) -> int:
    return main(["--data-dir", str(tmp_path), "--lang", "en", "case", *arguments])


def test_only_what_is_named_is_sent(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--onset", "2026-03-01", "--isolated-at", "2026-03-04T08:30", "--confirm")
    result = ("--result-on", "2026-03-03")
    more = ("--remove", "sampled_on", "--remove", "rule_set", "--on-version", "1")
    assert case(tmp_path, "amend", CASE["id"], *given, *result, *more) == 0
    body = {
        "onset": "2026-03-01", "isolated_at": "2026-03-04T01:30:00.000Z", "status": "confirmed",
        "result_on": "2026-03-03", "sampled_on": None, "rule_set": None, "version": 1,
    }  # fmt: skip
    assert asked == [("PATCH", f"/v1/cases/{CASE['id']}", body)]
    shown = " ".join(capsys.readouterr().out.split())
    assert "Version 2" in shown
    assert "Symptoms unknown" in shown
    assert "Result on 03/03/2026" in shown


@pytest.mark.parametrize("what", ["close", "void"])
def test_a_case_is_ended_with_its_reason(asked: list[Any], tmp_path: Path, what: str) -> None:
    assert case(tmp_path, what, CASE["id"], "--reason", "registered twice") == 0
    path = f"/v1/cases/{CASE['id']}/{what}"
    assert asked == [("POST", path, {"reason": "registered twice"})]


def test_a_case_is_opened_again_as_what_somebody_says(asked: list[Any], tmp_path: Path) -> None:
    path = f"/v1/cases/{CASE['id']}/reopen"
    assert case(tmp_path, "reopen", CASE["id"]) != 0, "nobody said as what"
    assert asked == []
    assert case(tmp_path, "reopen", CASE["id"], "--status", "suspected", "--reason", "a list") == 0
    assert asked == [("POST", path, {"status": "suspected", "ongoing": False, "reason": "a list"})]
    ended = ("--isolated-at", "2026-03-04T08:30", "--rule-set", "vn-2021-12-29", "--ongoing")
    assert case(tmp_path, "reopen", CASE["id"], "--status", "confirmed", *ended) == 0
    assert asked[-1][2] == {
        "status": "confirmed", "ongoing": True, "rule_set": "vn-2021-12-29",
        "isolated_at": "2026-03-04T01:30:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Nothing is named"),
        (("--remove", "ward"), "one of symptoms, onset"),
        (("--remove", "onset", "--onset", "2026-03-01"), "not also set"),
        (("--isolated-at", "soon"), "is not a time"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_sent(
    asked: list[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert case(tmp_path, "amend", CASE["id"], *arguments) != 0
    assert words in capsys.readouterr().err
    assert asked == []
