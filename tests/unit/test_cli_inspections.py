"""`truyvet inspections …` on a database of its own, ClickHouse away."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
from sqlalchemy import select, update

from console.cli.main import main
from console.store import sites, tables
from console.store.engine import Store, utc_now
from console.store.inspection_photos import photos_of
from console.store.register import register_sites
from issuer.codes import code_url
from schemas.clock import LOCAL
from tests.console_kit import RING, WARD, migrated, new_sites
from tests.inspections_kit import picture

KEYS = "1:" + "5a" * 32  # as `RING`
Do = Callable[..., int]
MISSING = ("inspections", "check", "1", "--result", "defects", "--not-posted")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("TRUYVET_CODE_KEYS", KEYS)
    monkeypatch.setenv("TRUYVET_CLICKHOUSE_URL", "http://127.0.0.1:1")
    _, made = migrated(tmp_path)
    register_sites(made, RING, new_sites(1, 2), source="list", valid_from=None)
    yield made
    made.close()


@pytest.fixture
def do(tmp_path: Path, store: Store) -> Do:
    def run(*arguments: str, lang: str = "en") -> int:
        return main(["--data-dir", str(tmp_path), "--lang", lang, *arguments])

    return run


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_from_the_round_to_the_end(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert do("inspections", "round", "--ward", WARD) == 0
    assert "never inspected" in capsys.readouterr().out
    place = sites.place(store, 1)
    assert place is not None
    photo = tmp_path / "p.png"
    photo.write_bytes(picture())
    url = code_url("HTTPS://TRUYVET.VN/C/", place.codes[0].token)
    check = ("inspections", "check", "1", "--result", "defects", "--posted", "--hidden")
    more = ("--scanned", url, "--team", "police:witness", "--photo", str(photo))
    assert do(*check, *more, "--note", "sau tủ", "--json") == 0
    said = told(capsys)
    assert said["steps"][0]["seen"]["standing"] == "valid"
    assert said["steps"][0]["seen"]["scans"] is None
    assert said["photos_missing"] == []
    assert len(photos_of(store, said["id"])) == 1
    assert do("inspections", "order", "1", "--mend", "show", "--by", "2099-01-01") == 0
    assert "Next: the owner" in capsys.readouterr().out
    for words in (
        ("reply", "1", "--says", "mended"),
        ("check", "1", "--result", "passed", "--posted", "--visible", "--guided"),
        ("close", said["id"], "--why", "mended"),
    ):
        assert do("inspections", *words, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["number"] for line in lines] == [1, 1, 1]
    assert lines[-1]["stage"] == "closed"
    assert do("inspections", "list", "--stage", "closed", "--json") == 0
    assert [one["id"] for one in told(capsys)["inspections"]] == [said["id"]]
    # closed, so the next check is another inspection
    assert do(*MISSING, "--json") == 0
    assert told(capsys)["number"] == 2


def test_a_step_sent_again_is_there_once(do: Do, capsys: pytest.CaptureFixture[str]) -> None:
    at = f"{utc_now().astimezone(LOCAL) - timedelta(hours=3):%Y-%m-%dT%H:%M}"
    again = (*MISSING, "--new", "--event-id", str(uuid4()), "--at", at, "--json")
    said = []
    for _ in range(2):
        assert do(*again) == 0
        said.append(told(capsys))
    assert said[0] == said[1]
    assert do(*again[:-1], "--note", "khác") == 1
    assert "event_id" in capsys.readouterr().err


def test_referral_and_decision_are_peoples(do: Do, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(*MISSING) == 0
    assert do("inspections", "refer", "1", "--to", "ward_chair") == 0
    decide = ("inspections", "decide", "1", "--by", "ward_chair", "--outcome")
    assert do(*decide, "more_time") == 1
    assert "until" in capsys.readouterr().err
    assert do(*decide, "more_time", "--until", "2099-01-01", "--document", "3/TB") == 0
    out = capsys.readouterr().out
    assert "more time; 01/01/2099; 3/TB" in out
    assert do("inspections", "show", "1", lang="both") == 0
    assert "gia hạn / more time" in capsys.readouterr().out


def test_what_does_not_count_is_shown_with_why(do: Do, capsys: pytest.CaptureFixture[str]) -> None:
    assert do("inspections", "open", "2", "--on", "2099-01-01", "--ground", "report") == 0
    assert do("inspections", "order", "1", "--mend", "urge", "--by", "2099-01-01") == 0
    out = capsys.readouterr().out
    assert "✗" in out
    assert "Nobody had checked before" in out
    assert "Next: the officer: check at the place" in out


def test_the_record_has_the_names_it_is_given_and_keeps_none(
    do: Do, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do(*MISSING, "--team", "committee:leader") == 0
    out = tmp_path / "bb.pdf"
    names = ("--name", "Nguyễn Thị Ẩn", "--representative", "Trần Văn Bờ", "--paper", "12/BB-KT")
    assert do("inspections", "record", "1", "--out", str(out), *names, lang="vi") == 0
    assert capsys.readouterr().out.endswith("bb.pdf\n")
    document = pypdfium2.PdfDocument(out.read_bytes())
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert "Nguyễn Thị Ẩn" in text
    assert "12/BB-KT" in text
    assert "BIÊN BẢN KIỂM TRA" in text
    with store.engine.connect() as connection:
        dump = "\n".join(connection.connection.iterdump())
    assert "Nguyễn" not in dump
    assert "Trần" not in dump


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("round", "--ward", "99999"), "no ward has this code"),
        (("show", "9"), "there is no inspection 9"),
        (("show", str(uuid4())), "there is no inspection"),
        (("check", "9", "--result", "defects", "--not-posted"), "no place 9"),
        (("check", "1", "--result", "passed"), "Say whether it is posted"),
        (("check", "1", "--result", "defects", "--not-posted", "--team", "king"), "--team 'king'"),
        (("check", "1", "--result", "defects", "--not-posted", "--photo", "no.png"), "--photo"),
        (("check", "1", "--result", "defects", "--not-posted", "--at", "soon"), "--at"),
        (("check", "1", "--result", "defects", "--not-posted", "--event-id", "7"), "--event-id"),
        (("open", "1", "--on", "tomorrow"), "planned_on"),
        (("record", "1", "--out", "x.pdf"), "there is no inspection 1"),
    ],
)
def test_a_mistake_is_one_sentence(
    do: Do, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("inspections", *arguments) == 1
    assert words in capsys.readouterr().err


def test_a_photo_that_cannot_be_kept_leaves_no_step(
    do: Do, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "p.txt"
    wrong.write_text("not a picture")
    assert do(*MISSING, "--photo", str(wrong)) == 1
    assert "JPEG" in capsys.readouterr().err
    assert do("inspections", "list", "--json") == 0
    assert told(capsys)["inspections"] == []


def test_old_photos_lose_what_cameras_wrote(
    do: Do, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cua.jpg"
    file.write_bytes(picture("JPEG"))
    assert do(*MISSING, "--photo", str(file), "--json") == 0
    capsys.readouterr()
    photos = tables.inspection_photos
    old = picture("JPEG", comment=b"at home")
    with store.write() as connection:
        connection.execute(update(photos).values(data=old))
    assert do("inspections", "bare-photos", "--json") == 0
    assert told(capsys) == {"looked": 1, "changed": 1, "damaged": []}
    with store.read() as connection:
        assert b"at home" not in connection.execute(select(photos.c.data)).scalar_one()
    assert do("inspections", "bare-photos", "--json") == 0
    assert told(capsys)["changed"] == 0
