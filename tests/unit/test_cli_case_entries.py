"""`case point | answer | name | exclude | history`: what is asked of the API, and what is shown."""

from pathlib import Path
from typing import Any

import pytest

from console.cli.api import Api
from console.cli.case_entries import FIELDS
from console.store.cases import AMENDABLE
from schemas.cases import LISTS
from tests.console_kit import ADMIN
from tests.unit.test_cli_case_changes import CASE, asked, case

__all__ = ["asked"]
PATH = f"/v1/cases/{CASE['id']}/entries"
SOMEBODY = "8KS5H5E7SNRGN"
TIMES = ("--place", "4", "--from", "2026-03-01T08:00", "--to", "2026-03-01T09:00")
UTC = {"place": 4, "begin": "2026-03-01T01:00:00.000Z", "end": "2026-03-01T02:00:00.000Z"}


@pytest.mark.parametrize(
    ("command", "kind", "entry"),
    [
        (("point", CASE["id"], *TIMES), "points", UTC | {"source": "interview"}),
        (
            ("point", CASE["id"], *TIMES, "--source", "camera"),
            "points",
            UTC | {"source": "camera"},
        ),
        (("answer", CASE["id"], SOMEBODY, *TIMES), "answers", UTC | {"person": SOMEBODY}),
        (
            (
                "name", CASE["id"], SOMEBODY, "--relation", "care",
                "--last-contact", "2026-03-02",
            ),
            "named",
            {"person": SOMEBODY, "relation": "care", "last_contact": "2026-03-02"},
        ),
        (
            ("exclude", CASE["id"], SOMEBODY, "--reason", "not_there"),
            "excluded",
            {"person": SOMEBODY, "reason": "not_there"},
        ),
    ],
)  # fmt: skip
def test_an_entry_is_added_or_taken_back(
    asked: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    kind: str,
    entry: dict[str, Any],
) -> None:
    assert case(tmp_path, *command) == 0
    monkeypatch.setattr(Api, "get", lambda *_: CASE | {kind: [entry]})
    assert case(tmp_path, *command, "--remove", "--note", "a mistake") == 0
    assert asked == [
        ("POST", PATH, {"add": {kind: [entry]}, "note": None}),
        ("POST", PATH, {"remove": {kind: [entry]}, "note": "a mistake"}),
    ]


def test_to_take_one_back_as_much_is_needed_as_tells_which(
    asked: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = {"person": SOMEBODY, "relation": "care", "last_contact": "2026-03-02"}
    seen, told = (UTC | {"source": source} for source in ("camera", "interview"))
    there = CASE | {"named": [named], "points": [seen, told]}
    monkeypatch.setattr(Api, "get", lambda *_: there)
    assert case(tmp_path, "name", CASE["id"], SOMEBODY, "--remove") == 0
    assert asked == [("POST", PATH, {"remove": {"named": [named]}, "note": None})]
    assert case(tmp_path, "point", CASE["id"], *TIMES, "--remove") == 1
    assert "There are several: #4" in capsys.readouterr().err
    assert case(tmp_path, "point", CASE["id"], *TIMES, "--source", "camera", "--remove") == 0
    assert asked[1:] == [("POST", PATH, {"remove": {"points": [seen]}, "note": None})]
    assert case(tmp_path, "exclude", CASE["id"], SOMEBODY, "--remove") == 1
    assert "no such entry: there is none" in capsys.readouterr().err
    assert case(tmp_path, "name", CASE["id"], SOMEBODY) == 1
    assert "--last-contact, --relation" in capsys.readouterr().err
    assert len(asked) == 2


def test_a_point_takes_anothers_place_in_one_change(asked: list[Any], tmp_path: Path) -> None:
    command = ("point", CASE["id"], *TIMES)
    old = " 4, 2026-03-01T08:00, 2026-03-01T10:00, interview"
    assert case(tmp_path, *command, "--replace", old) == 0
    replaced = UTC | {"end": "2026-03-01T03:00:00.000Z", "source": "interview"}
    new = UTC | {"source": "interview"}
    body = {"add": {"points": [new]}, "remove": {"points": [replaced]}, "note": None}
    assert asked == [("POST", PATH, body)]
    assert case(tmp_path, *command, "--replace", old, "--remove") == 1
    assert case(tmp_path, *command, "--replace", "4,today") == 1


@pytest.mark.parametrize("text", ["2026-03-01", "20260301", "2026-W09-7", "0001-01-01T00:00", "x"])
def test_a_time_is_a_day_and_an_hour(
    text: str, asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("point", CASE["id"], "--place", "4", "--from", text, "--to", "2026-03-01T09:00")
    assert case(tmp_path, *command) == 1
    assert "is not a time such as 2026-11-20T08:30" in capsys.readouterr().err
    assert not asked


def test_points_alone_can_be_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = []

    def post(_: Api, path: str, body: dict[str, Any], __: str) -> Any:
        sent.append((path, body))
        return CASE | {"person": None, "points": [UTC | {"source": "roster"}]}

    monkeypatch.setattr(Api, "post", post)
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    text = "4,2026-03-01T08:00,2026-03-01T09:00,roster"
    assert case(tmp_path, "register", "--point", text) == 0
    [(path, body)] = sent
    assert path == "/v1/cases"
    assert body["points"] == [UTC | {"source": "roster"}]
    assert "person" not in body
    assert "#4 01/03/2026 08:00" in capsys.readouterr().out
    assert case(tmp_path, "register", "--point", "market,today") == 1
    assert "42,2026-11-20T08:00" in capsys.readouterr().err


def test_the_history_is_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {
        "onset": "2026-03-01",
        "points": [UTC | {"source": "roster"}],
        "isolated_at": UTC["end"],
        "symptoms": None,
    }
    entry = {"version": 2, "at": UTC["begin"], "by": "key/7", "changes": changes, "note": "[x]"}
    more = UTC | {"place": 43}
    steps = {"number": 1, "entered_at": UTC["begin"], "entered_by": "key/7",
             "removed_at": UTC["end"], "removed_by": "key/8", "became_place": 42}  # fmt: skip
    later = entry | {"version": 3, "changes": {"points": [more | {"source": "camera"}]}}
    found = {"case": CASE["id"], "history": [entry, later], "venues": [steps]}
    monkeypatch.setattr(Api, "get", lambda *_, **__: found)
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    assert case(tmp_path, "history", CASE["id"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for text in ("key/7", "onset: 01/03/2026", "place-time points: 1", "symptoms: –", "[x]"):
        assert text in shown
    assert f"− #{UTC['place']} " in shown, "what was taken out"
    assert "+ #43 " in shown, "and what was put in"
    assert "became #42" in shown
    assert "key/8" in shown


def test_every_field_of_a_case_has_words() -> None:
    assert set(FIELDS) == {*AMENDABLE, *LISTS}
