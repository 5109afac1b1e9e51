"""`truyvet list …` against a console on a real socket: what is typed, shown, refused, written."""

import csv
import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn
from python_calamine import CalamineWorkbook

from console.cli.main import main
from console.cli.rowcount import RowCount
from console.store.keys import Role
from schemas.errors import Retryable
from tests.console_kit import ADMIN, Running, running
from tests.worklist_kit import HEAD, TODAY, A, B, C, document, exposure, new_case

List = Callable[..., int]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    # the console's own log lines are not what the command says
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with running(tmp_path_factory.mktemp("console")) as console:
        config = uvicorn.Config(
            console.client.app,
            port=0,
            lifespan="off",
            log_config=None,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield console, f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)
    structlog.reset_defaults()


@pytest.fixture
def console(served: tuple[Running, str], monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    monkeypatch.setenv("TRUYVET_CONSOLE_URL", served[1])
    return served[0]


@pytest.fixture
def do(tmp_path: Path) -> List:
    def run(*arguments: str, lang: str = "en") -> int:
        return main(["--data-dir", str(tmp_path), "--lang", lang, "list", *arguments])

    return run


def test_from_the_list_to_a_decision_and_a_visit(
    console: Running, do: List, capsys: pytest.CaptureFixture[str]
) -> None:
    case = new_case(console, document(A), document(B, exposure(minutes=7.0, clauses=["a", "c"])))
    assert do("show", case) == 0
    shown = capsys.readouterr().out
    assert A in shown
    assert "touch masks within_2_m" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 100
    given = ("--answer", "masks=no", "--answer", "within_2_m=yes", "--note", "[gọi] 9h")
    assert do("decide", case, A, *given) == 0
    shown = capsys.readouterr().out
    assert "(c) fulfilled by the answers" in shown
    assert "Proposed" in shown
    more = ("--classification", "CONFIRMED", "--follow-up", "FOLLOW_UP", "--reachable", "CALL")
    assert do("decide", case, A, *more, "--category", "HIGH_RISK") == 0
    assert "contact (F1)" in capsys.readouterr().out
    assert do("today") == 0
    assert A in capsys.readouterr().out
    seen = ("--result", "COOPERATIVE", "--no-symptoms", "--temperature", "36.6")
    assert do("visit", case, A, *seen) == 0
    assert "done" in capsys.readouterr().out
    assert do("decide", case, A, "--answer", "masks=none", "--remove", "category", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["answers"], found["category"]) == ({"within_2_m": "yes"}, None)
    assert do("person", case, A) == 0
    shown = capsys.readouterr().out
    for said in ("[gọi] 9h", "UNCONFIRMED → CONFIRMED", "36.6 °C", "key/1", "until"):
        assert said in shown
    assert do("summary", case, lang="both") == 0
    shown = capsys.readouterr().out
    assert "gọi điện / by call" in shown
    assert "(50 %)" in shown
    assert do("assign", case, A, "key/1") == 0
    assert "key/1" in capsys.readouterr().out
    assert do("today", "--all", "--assigned-to", "key/1") == 0
    assert f"{A}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decide", "CASE", A), "Nothing is named"),
        (("decide", "CASE", A, "--answer", "masks"), "write it as masks=no"),
        (("decide", "CASE", A, "--answer", "masks=perhaps"), "answers.masks"),
        (("decide", "CASE", A, "--answer", "weather=no"), "does not ask this"),
        (("decide", "CASE", A, "--remove", "status"), "one of follow_up"),
        (("decide", "CASE", B, "--category", "LOW_RISK"), "There is no such case or contact"),
        (("decide", "C-0", A, "--category", "LOW_RISK"), "There is no such case or contact"),
        (("decide", "CASE", "x", "--category", "LOW_RISK"), "13 Crockford"),
        (("visit", "CASE", A, "--result", "UNAVAILABLE"), "is not followed"),
        (("visit", "CASE", A, "--result", "UNAVAILABLE", "--day", "soon"), "YYYY-MM-DD"),
        (("hand-over", "CASE", A, "Hà Nội"), "There is no such area"),
        (("assign", "CASE", A, "Nguyễn"), "canonical form"),
        (("accept", "99"), "There is no hand-over 99"),
        (("same", "CASE", A, A), "must be two"),
        (("convert", "CASE", A), "onset"),
        (("triage", "--capacity", "1", "--case", "C-0"), "There is no such case"),
    ],
)
def test_a_mistake_is_one_sentence(
    console: Running,
    do: List,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    case = new_case(console)
    assert do(*(case if word == "CASE" else word for word in arguments)) == 1
    told = capsys.readouterr()
    assert words in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_a_team_s_day(console: Running, do: List, capsys: pytest.CaptureFixture[str]) -> None:
    small = exposure(tier="same_small_enclosed", minutes=20.0)
    case = new_case(console, document(A), document(B, small), document(C))
    assert do("triage", "--capacity", "1", "--case", case) == 0
    shown = capsys.readouterr().out
    assert B in shown
    assert A not in shown
    assert "over the day's capacity" in shown
    assert do("hand-over", case, A, "city/01", "--note", "về quê", "--json") == 0
    number = json.loads(capsys.readouterr().out)["id"]
    assert do("hand-overs", "--waiting") == 0
    assert "city/01" in capsys.readouterr().out
    assert do("accept", str(number)) == 0
    assert "accepted" in capsys.readouterr().out
    assert do("different", case, B, C) == 0
    assert "two persons" in capsys.readouterr().out
    assert do("duplicates", case) == 0
    shown = capsys.readouterr().out
    assert "no identity vault" in shown
    assert do("same", case, B, C) == 0
    assert do("convert", case, B, "--sampled-on", str(TODAY), "--suspected") == 0
    assert "suspected" in capsys.readouterr().out


@pytest.mark.parametrize("lang", ["both", "vi", "en"])
def test_every_table_fits_a_hundred_columns(
    console: Running, do: List, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    case = new_case(console, document(A), document(B))
    do("decide", case, A, "--follow-up", "FOLLOW_UP", lang=lang)
    do("hand-over", case, B, "city/01", lang=lang)
    for command in (("show", case), ("today",), ("hand-overs",), ("triage", "--capacity", "5")):
        assert do(*command, lang=lang) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    assert A in shown


@pytest.mark.parametrize("lang", ["both", "vi", "en"])
@pytest.mark.parametrize(
    ("how", "vi", "en"),
    [("void", "ca đã huỷ", "voided, registered"), ("close", "ca đã đóng", "closed: new scans")],
)
def test_a_list_whose_case_is_not_open_says_so(
    console: Running,
    do: List,
    capsys: pytest.CaptureFixture[str],
    lang: str,
    how: str,
    vi: str,
    en: str,
) -> None:
    case = new_case(console)
    views = [("show", case), ("person", case, A), ("summary", case), ("duplicates", case)]
    if how == "close":
        assert do("decide", case, A, "--follow-up", "FOLLOW_UP") == 0
        views += [("today",), ("triage", "--capacity", "5", "--case", case)]
        views += [("decide", case, A, "--category", "LOW_RISK")]
    else:
        assert do("decide", case, A, "--category", "LOW_RISK") == 0
    assert "registered in error" not in capsys.readouterr().out
    ended = console.client.post(f"/v1/cases/{case}/{how}", headers=HEAD)
    assert ended.status_code == 200
    for view in views:
        assert do(*view, lang=lang) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= 100
        assert (f"{case}: " in shown, vi in shown, en in shown) == (
            True,
            lang != "en",
            lang != "vi",
        )
    assert do("show", case, "--json") == 0
    assert json.loads(capsys.readouterr().out)["case_status"] == ended.json()["status"]


def test_a_voided_case_is_neither_cut_nor_written(
    console: Running, do: List, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = new_case(console)
    console.client.post(f"/v1/cases/{case}/void", headers=HEAD)
    out = tmp_path / "list.csv"
    for command in (("triage", "--capacity", "5"), ("export", "--out", str(out))):
        assert do(*command, "--case", case) == 1
        assert f"Voided, registered in error: {case}" in capsys.readouterr().err
    assert not out.exists()


def test_a_file_is_written_whole(
    console: Running, do: List, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = new_case(console)
    for name, more in (
        ("list.csv", ()),
        ("list.xlsx", ()),
        ("import.csv", ("--format", "sormas", "--dates", "dotted")),
    ):
        out = tmp_path / name
        assert do("export", "--out", str(out), "--case", case, *more) == 0
        told = capsys.readouterr()
        assert str(out) in told.out
        assert "no identity vault" in told.err
        assert do("export", "--out", str(out), "--case", case, *more) == 1
        assert "--replace" in capsys.readouterr().err
        assert do("export", "--out", str(out), "--case", case, "--replace", *more) == 0
        capsys.readouterr()
    rows = list(csv.reader((tmp_path / "list.csv").open(encoding="utf-8-sig", newline="")))
    assert [row[1] for row in rows[:2]] == ["person", A]
    assert CalamineWorkbook.from_path(str(tmp_path / "list.xlsx")).sheet_names[1] == "Notes"
    assert "contactIdentificationSource" in (tmp_path / "import.csv").read_text("utf-8-sig")
    assert sorted(p.name for p in tmp_path.iterdir() if "list" in p.name) == [
        "list.csv",
        "list.xlsx",
    ]
    assert (tmp_path / "list.csv").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("form", ["csv", "xlsx", "sormas"])
def test_how_many_are_written_is_said(
    console: Running,
    do: List,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    monkeypatch.setattr("console.api.worklist_pages.PAGE", 1)
    case = new_case(console, document(A), document(B), document(C))
    to = ("export", "--out", str(tmp_path / "list"), "--case", case, "--format", form, "--replace")
    assert do(*to, lang="both") == 0
    told = capsys.readouterr()
    assert "Đã ghi 3 người" in told.out
    assert "3 contacts: " in told.out
    assert "writing" not in told.err  # shorter than what is worth a line
    assert do(*to, "--json") == 0
    assert json.loads(capsys.readouterr().out)["contacts"] == 3
    monkeypatch.setattr("console.cli.out._TOLD_EVERY_S", 0.0)
    assert do(*to) == 0
    told = capsys.readouterr()
    if form != "xlsx":
        assert "  writing (3 contacts)" in told.err.splitlines()
    assert "writing" not in told.out
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    assert do(*to) == 0
    told = capsys.readouterr()
    assert ("making the workbook" if form == "xlsx" else "writing: 3 contacts") in told.err


def test_rows_are_counted_however_they_come() -> None:
    content = b'"a","b"\r\n"x\r\n# ""\n""","z"\r\n"",7\r\n# whole: 2,"so"\r\n'
    for size in range(1, len(content) + 1):
        count = RowCount()
        for begin in range(0, len(content), size):
            count.take(content[begin : begin + size])
        assert count.rows == 2


@pytest.mark.parametrize("form", ["csv", "sormas"])
def test_a_file_that_is_cut_off_is_not_there(
    console: Running,
    do: List,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    monkeypatch.setattr("console.api.worklist_pages.PAGE", 1)
    case = new_case(console, document(A), document(B), document(C))
    plain = console.tables.answer
    assert plain is not None

    def answer(sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        if what.get("offset", 0) >= 2:
            raise Retryable("ClickHouse is away")
        return plain(sql, what)

    console.tables.answer = answer
    out = tmp_path / "list.csv"
    out.write_text("of yesterday")
    assert do("export", "--out", str(out), "--case", case, "--format", form, "--replace") == 1
    assert "cut off" in capsys.readouterr().err
    assert out.read_text() == "of yesterday"
    assert [p.name for p in tmp_path.iterdir() if "list" in p.name] == ["list.csv"]


@pytest.mark.parametrize(
    ("out", "words"), [("list.pdf", "--format csv"), ("none/list.csv", "no directory")]
)
def test_where_a_file_cannot_go(
    console: Running,
    do: List,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    out: str,
    words: str,
) -> None:
    assert do("export", "--out", str(tmp_path / out)) == 1
    assert words in capsys.readouterr().err


def test_without_the_right_nothing_is_written(
    console: Running,
    do: List,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = console.key(Role.OFFICER)
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", head["Authorization"].removeprefix("Bearer "))
    assert do("export", "--out", str(tmp_path / "list.csv")) == 1
    assert "list.export" in capsys.readouterr().err
    assert not (tmp_path / "list.csv").exists()
