"""Where a case was at places that the register does not have: entered in words, shown, placed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from console.cli.api import Api
from console.store import case_ends, cases, forgetting, tables, venues
from schemas.cases import PointSource
from schemas.scan import format_timestamp
from tests.console_kit import ADMIN, PERSON, Running
from tests.unit.test_cli_case_changes import case as case_command
from tests.unit.test_console_amend import HEAD, register
from tests.unit.test_console_entries import NOW, console, place

__all__ = ["console", "place"]
NOODLES = "quán phở đầu ngõ 12 Lạch Tray"


def entry(begin_h: float = -3, hours: float = 1, **more: Any) -> dict[str, Any]:
    begin = NOW + timedelta(hours=begin_h)
    end = format_timestamp(begin + timedelta(hours=hours))
    return {"venue": NOODLES, "begin": format_timestamp(begin), "end": end} | more


def ask(console: Running, method: str, path: str, body: Any = None) -> Any:
    return console.client.request(method, f"/v1/cases/{path}", json=body, headers=HEAD)


def test_a_place_in_words_is_kept_shown_and_in_no_event(console: Running) -> None:
    case = register(console)
    path = f"{case['id']}/venues"
    made = ask(console, "POST", path, entry(source="camera"))
    assert made.status_code == 201, made.text
    assert (made.json()["number"], made.json()["venue"]) == (1, NOODLES)
    assert made.json()["entered_by"].startswith("key/")
    again = ask(console, "POST", path, entry(source="camera", venue=f"  {NOODLES} "))
    assert again.json() == made.json(), "the same is there once"
    ask(console, "POST", path, entry(-6, venue="Chợ cóc <b>"))
    listed = ask(console, "GET", path).json()["venues"]
    assert [(one["number"], one["venue"]) for one in listed] == [(2, "Chợ cóc <b>"), (1, NOODLES)]
    assert ask(console, "GET", f"{case['id']}/contacts").json()["venues"] == 2
    left = ask(console, "DELETE", f"{path}/2").json()["venues"]
    assert [one["number"] for one in left] == [1]
    assert ask(console, "DELETE", f"{path}/2").status_code == 404
    ask(console, "POST", path, entry(-6))
    assert {one["number"] for one in ask(console, "GET", path).json()["venues"]} == {1, 3}
    assert ask(console, "GET", case["id"]).json()["version"] == 1, "nothing that a trace could use"
    steps = ask(console, "GET", f"{case['id']}/history").json()["venues"]
    assert [(one["number"], one["removed_by"] is None) for one in steps] == [
        (1, True), (2, False), (3, True),
    ]  # fmt: skip
    assert all("venue" not in one for one in steps), "who did what, and no words"
    assert all(b"Tray" not in record.value for record in console.relayed.records)


def test_once_the_place_is_registered_it_is_a_point(console: Running, place: int) -> None:
    case = register(console)
    path = f"{case['id']}/venues"
    ask(console, "POST", path, entry())
    nowhere = ask(console, "POST", f"{path}/1/place", {"place": place + 7})
    assert [(e["field"], e["code"]) for e in nowhere.json()["errors"]] == [("place", "unknown")]
    assert ask(console, "POST", f"{path}/5/place", {"place": place}).status_code == 404
    huge = f"{path}/{2**63}/place"
    assert ask(console, "POST", huge, {"place": place}).status_code == 422
    after = ask(console, "POST", f"{path}/1/place", {"place": place}).json()
    times = {name: entry()[name] for name in ("begin", "end")}
    assert after["points"] == [{"place": place, "source": "interview"} | times]
    assert after["version"] == 2
    assert ask(console, "GET", path).json()["venues"] == []
    [change] = ask(console, "GET", f"{case['id']}/history").json()["history"]
    assert "venue 1" in change["note"]
    assert ask(console, "POST", f"{path}/1/place", {"place": place}).json() == after, "a retry"
    with console.store.read() as connection:
        [row] = connection.execute(select(tables.case_venues)).all()
    assert (row.became_place, row.removed_by, row.venue) == (place, change["by"], "")


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        (entry(hours=-1), "end", "before_begin"),
        (entry(begin_h=1), "end", "in_future"),
        (entry(begin_h=-30, hours=25), "end", "too_long"),
        (entry(venue="12/4"), "venue", "no_words"),
        (entry(venue="nhà chú Ba 0912 345 678"), "venue", "like_a_phone"),
        (entry(venue="a\u0007b"), "venue", "unprintable"),
    ],
)
def test_what_is_refused(console: Running, wrong: dict[str, Any], field: str, code: str) -> None:
    case = register(console)
    answer = ask(console, "POST", f"{case['id']}/venues", wrong)
    assert answer.status_code == 422
    [problem] = answer.json()["errors"]
    assert (problem["field"], problem["code"]) == (field, code)
    assert ask(console, "GET", f"{case['id']}/venues").json()["venues"] == []


def test_of_a_closed_case_they_stay_as_they_are(console: Running, place: int) -> None:
    case = register(console)
    path = f"{case['id']}/venues"
    ask(console, "POST", path, entry())
    ask(console, "POST", f"{case['id']}/close")
    assert ask(console, "POST", path, entry(-6)).status_code == 409
    assert ask(console, "DELETE", f"{path}/1").status_code == 409
    assert ask(console, "POST", f"{path}/1/place", {"place": place}).status_code == 409
    assert len(ask(console, "GET", path).json()["venues"]) == 1


def test_they_go_with_the_person_of_the_case(console: Running) -> None:
    case = cases.case(console.store, register(console)["id"])
    assert case is not None
    new = venues.NewVenue(NOODLES, NOW - timedelta(hours=2), NOW, PointSource.INTERVIEW)
    venues.enter(console.store, case.id, new, by="t")
    case_ends.close(console.store, case.id, by="t")
    with console.store.write() as connection:
        assert forgetting.forget(connection, PERSON, frozenset(), "t")["case_venues"] == 1
    assert venues.venues(console.store, case.id) == []


def test_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    one = {
        "number": 1, "venue": "Chợ [cóc]", "begin": "2026-03-01T01:00:00.000Z",
        "end": "2026-03-01T02:00:00.000Z", "source": "interview",
    }  # fmt: skip
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    monkeypatch.setattr(Api, "send", lambda _, *what: asked.append(what))
    monkeypatch.setattr(Api, "get", lambda *_: {"venues": [one]})
    times = ("--from", "2026-03-01T08:00", "--to", "2026-03-01T09:00")
    assert case_command(tmp_path, "venue", "C-1", "--enter", "Chợ [cóc]", *times) == 0
    body = {name: one[name] for name in ("venue", "begin", "end", "source")}
    assert asked == [("POST", "/v1/cases/C-1/venues", body)]
    shown = capsys.readouterr()
    assert "Chợ [cóc]" in shown.out
    assert "01/03/2026 08:00" in shown.out
    assert "ask" in shown.err
    assert case_command(tmp_path, "venue", "C-1", "--remove", "1") == 0
    assert asked[-1] == ("DELETE", "/v1/cases/C-1/venues/1", {})
    asked.clear()
    for wrong in (
        ("--enter", "x"),
        ("--number", "1"),
        ("--place", "4"),
        ("--remove", "1", "--number", "1", "--place", "4"),
        times,
    ):
        assert case_command(tmp_path, "venue", "C-1", *wrong) != 0
        assert "One of three" in capsys.readouterr().err
    assert asked == []
