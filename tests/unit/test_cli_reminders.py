"""`truyvet reminders` and `truyvet staff`: what they print, refuse and keep."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from console.cli.main import main
from console.store import required
from console.store.engine import open_store, utc_now
from console.store.migrations.run import upgrade
from console.store.register import register_sites
from console.store.required_reading import Needed
from schemas.clock import LOCAL
from schemas.coverage import RequiredList
from schemas.settings import load_settings
from tests.console_kit import RING, WARD, FakeTables, new_sites
from tests.unit.test_reminders import Coverage

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    settings = load_settings(tmp_path)
    upgrade(settings)
    store = open_store(settings)
    made = register_sites(store, RING, new_sites(2, 2), source="test")
    store.close()
    coverage = Coverage({p.id: p.site for p in made}, behind={p.id for p in made})
    tables = FakeTables(coverage.answer)
    monkeypatch.setattr("streams.clickhouse.ClickHouse", lambda *_, **__: tables)
    return lambda *words, lang="en": main(["--data-dir", str(tmp_path), "--lang", lang, *words])


def test_an_officers_way_from_proposal_to_file(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("reminders", "propose", "posted", "--ward", WARD, "--channel", "zalo") == 0
    shown = capsys.readouterr()
    assert "To" not in shown.out.splitlines()[0]
    assert "behind on" in shown.out
    assert "your establishment has not yet put up its QR poster: Room 0, Room 1." in shown.out
    assert "truyvet reminders release 1 --count 2" in shown.err
    assert run("reminders", "release", "1", "--count", "3") == 1
    assert run("reminders", "release", "1", "--count", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["messages"] == {"handed_out": 2}
    assert run("reminders", "propose", "posted", "--ward", WARD, "--channel", "email") == 1
    assert "inspection" in capsys.readouterr().err
    assert run("reminders", "show", "1", "--out", str(tmp_path / "x.csv")) == 0
    assert "Room 0" in (tmp_path / "x.csv").read_text("utf-8-sig")
    assert run("reminders", "undelivered", "1", "--reason", "no such group") == 0
    assert run("reminders", "list") == 0
    said = capsys.readouterr().out
    assert "Phường Đằng Lâm, Quận Hải An  «posted»  Zalo  2  released" in said
    assert run("reminders", "effect") == 0
    shown = capsys.readouterr()
    assert "2 still have time" in shown.out
    assert "need not be why" in shown.err


def test_what_is_mistyped_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for words, says in (
        (["posted", "--channel", "zalo"], "--ward"),
        (["inspected", "--ward", WARD, "--channel", "zalo"], "STAGE"),
        (["posted", "--ward", WARD, "--channel", "fax"], "--channel"),
        (["posted", "--ward", "99999", "--channel", "zalo"], "--ward"),
        (["posted", "--ward", WARD, "--channel", "zalo", "--by", "soon"], "--by"),
        (["posted", "--ward", WARD, "--channel", "zalo", "--by", "2020-01-01"], "reply_by"),
        (["posted", "--ward", WARD, "--channel", "webhook"], "webhook"),
        (["posted", "--ward", WARD, "--channel", "zalo", "--kind", "chợ"], "--kind: There are"),
    ):
        assert run("reminders", "propose", *words) == 1
        assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", ["coverage", "behind registered", "behind scanned", "report daily", "staff coverage"]
)
def test_a_sector_or_kind_that_there_is_not_is_refused_with_those_that_there_are(
    run: Run, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words.split(), "--sector", "magic", lang="both") == 1
    said = capsys.readouterr().err
    assert "--sector: Chỉ có: " in said
    assert " / --sector: There are: " in said
    assert "health, " in said
    if words.startswith(("coverage", "behind")):
        # a room is a kind of places: coverage counts what its site is
        for kind in ("castle", "meeting_room"):
            assert run(*words.split(), "--kind", kind) == 1
            said = capsys.readouterr().err
            assert "--kind: There are: " in said
            assert "market, " in said


def test_entries_are_listed_by_kind_and_by_where_they_stand(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(load_settings(tmp_path))
    about = RequiredList(id="so", name="ds", keeper="Sở", as_of=date(2026, 10, 1), entries=2)
    entries = [
        Needed(name, name, None, WARD, kind, "industry_trade")
        for name, kind in (("Phở Thìn", "restaurant"), ("Chợ Lũng", "market"))
    ]
    required.import_list(store, about, entries, "test")
    store.close()
    for kind, named in (("market", ["Chợ Lũng"]), ("restaurant", ["Phở Thìn"]), ("school", [])):
        assert run("behind", "registered", "--kind", kind, "--json") == 0
        found = json.loads(capsys.readouterr().out)["entries"]
        assert [one["name"] for one in found] == named
    assert run("required", "link", "so", "Phở", "1") == 0
    assert run("required", "exempt", "so", "Chợ", "--reason", "đã đóng cửa") == 0
    capsys.readouterr()
    assert run("required", "entries", "so") == 0
    said = capsys.readouterr().out
    assert "Phở Thìn, ?: site #1" in said
    assert "exempt (đã đóng cửa)" in said
    assert run("required", "entries", "so", "--limit", "1", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert (len(first["entries"]), first["after"]) == (1, "Chợ Lũng")
    assert run("required", "entries", "so", "--after", first["after"], "--json") == 0
    assert json.loads(capsys.readouterr().out)["after"] is None
    assert run("required", "entries", "so", "--state", "lost") == 1
    assert "--state: 'lost' is not one of unlinked" in capsys.readouterr().err


def test_a_ward_gets_words_to_read_aloud(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reminders", "texts", "--ward", WARD, lang="vi") == 0
    assert "Kính thưa bà con" in capsys.readouterr().out
    assert run("reminders", "texts", "--ward", WARD, "--channel", "fax") == 1


def test_a_headcount_is_declared_and_a_day_is_shown(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("staff", "declare", "1", "46") == 0
    tomorrow = utc_now().astimezone(LOCAL).date() + timedelta(days=1)
    assert f"46 people from {tomorrow:%d/%m/%Y} on" in capsys.readouterr().out
    assert run("staff", "declare", "1", "46", "--from", "2026-01-01") == 1
    assert run("staff", "declare", "77", "46") == 1
    assert run("staff", "history", "1") == 0
    assert "46" in capsys.readouterr().out
    assert run("staff", "coverage", "--ward", WARD) == 0
    assert "Not for attendance" in capsys.readouterr().err
    assert run("staff", "coverage", "--date", f"{tomorrow:%Y-%m-%d}") == 1
