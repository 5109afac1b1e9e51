"""`truyvet posters` against a registered store: what is chosen, written, refused, and in what words."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import update

from console.cli.main import main
from console.store import sites, tables
from console.store.engine import Store
from console.store.register import register_sites
from issuer.codes import code_url
from issuer.printing import run
from schemas.settings import Settings
from tests.console_kit import RING, WARD, migrated, new_sites

Print = Callable[..., int]
OTHER = "11416"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[tuple[Settings, Store]]:
    """Three sites of two places in one ward, one site in another ward of the district."""
    settings, store = migrated(tmp_path / "data")
    addresses = ("12 Lạch Tray", "2 Lạch Tray", None)
    made = [
        replace(site, address=address)
        for site, address in zip(new_sites(3, 2), addresses, strict=True)
    ]
    elsewhere = [replace(site, ward=OTHER) for site in new_sites(1, 1, "o")]
    register_sites(store, RING, [*made, *elsewhere], source="test")
    yield settings, store
    store.close()


@pytest.fixture
def do(tmp_path: Path, stored: tuple[Settings, Store]) -> Print:
    def run_it(*arguments: str, lang: str = "en") -> int:
        root = ["--data-dir", str(tmp_path / "data"), "--lang", lang]
        return main([*root, "posters", *arguments])

    return run_it


def pages_read(pdf: Path) -> list[str]:
    """The URLs on the pages, index pages left out."""
    found = []
    for page in pypdfium2.PdfDocument(pdf):
        grey = page.render(scale=1.0, grayscale=True).to_numpy()
        found += [b.text for b in zxingcpp.read_barcodes(grey.reshape(grey.shape[:2]))]
    return found


def url(stored: tuple[Settings, Store], place: int, version: int = 1) -> str:
    settings, store = stored
    found = sites.place(store, place)
    assert found is not None
    return code_url(settings.code_origin, found.codes[version - 1].token)


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    [line] = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_ward_is_one_pdf_in_the_order_of_a_walk(
    do: Print, stored: tuple[Settings, Store], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("--ward", WARD, "--out", str(tmp_path / "out"), "--json") == 0
    found = answer(capsys)
    file = tmp_path / "out" / f"posters-ward-{WARD}-a4.pdf"
    assert found["files"] == [str(file)]
    assert (found["posters"], found["format"]) == (6, "a4")
    assert found["bytes"] == file.stat().st_size
    # number 2 before number 12, and what has no address last
    assert pages_read(file) == [url(stored, place) for place in (3, 4, 1, 2, 5, 6)]
    index = pypdfium2.PdfDocument(file)[0].get_textpage().get_text_range()
    assert found["title"] in " ".join(index.split())
    assert [path.name for path in (tmp_path / "out").iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("which", "places"),
    [
        (["--site", "2"], [3, 4]),
        (["--place", "6", "--place", "1"], [1, 6]),
        (["--district", "306"], [3, 4, 1, 2, 5, 6, 7]),
    ],
)
@pytest.mark.parametrize("form", ["a3", "a5"])
def test_other_choices_and_formats(
    which: list[str], places: list[int], form: str,
    do: Print, stored: tuple[Settings, Store], tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "some.pdf"
    assert do(*which, "--format", form, "--out", str(out)) == 0
    assert pages_read(out) == [url(stored, place) for place in places]
    assert f"{len(places)} posters" in capsys.readouterr().out


def test_a_zip_by_name_or_by_option(do: Print, tmp_path: Path) -> None:
    assert do("--site", "1", "--out", str(tmp_path / "x.zip")) == 0
    assert do("--site", "1", "--out", str(tmp_path), "--zip") == 0
    named = (tmp_path / "x.zip").read_bytes()
    assert named == (tmp_path / "posters-site-1-a4.zip").read_bytes()


def test_the_code_in_force_is_printed_and_what_has_none_is_said(
    do: Print, stored: tuple[Settings, Store], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, store = stored
    hour = timedelta(hours=1)
    sites.add_code(store, RING, 1, valid_from=NOW - hour, overlap=2 * hour)  # both live
    sites.add_code(store, RING, 2, valid_from=NOW + hour)  # still to come
    sites.revoke_code(store, 3, 1, NOW - hour, "lost")
    sites.revoke_code(store, 4, 1, NOW + hour, "to be replaced")  # ends soon: not worth printing
    with store.write() as connection:
        of = tables.places.c
        connection.execute(update(tables.places).where(of.id == 5).values(status="closed"))
    out = tmp_path / "out.pdf"
    assert do("--ward", WARD, "--out", str(out), "--json") == 0
    assert answer(capsys)["left_out"] == {"no_code_in_force": [3, 4], "closed": [5]}
    assert pages_read(out) == [url(stored, 1, 2), url(stored, 2), url(stored, 6)]
    assert do("--ward", WARD, "--out", str(out), "--replace", lang="both") == 0
    said = capsys.readouterr()
    assert "Bỏ qua 2 điểm quét không có mã còn hiệu lực: 3, 4 / Left out, 2 without" in said.err
    assert "đã đóng: 5 / Left out, 1 closed: 5" in said.err
    assert str(out) in said.out


REFUSED = [
    ([], "--ward, --district, --site, --place", "Give exactly one of --ward"),
    (["--ward", WARD, "--site", "1"], "Nêu đúng một", "Give exactly one"),
    (["--ward", "99999"], "--ward 99999: không có xã, phường", "--ward 99999: no ward"),
    (["--ward", "11419"], "chưa đăng ký điểm quét nào", "no place is registered"),
    (["--district", "999"], "--district 999: không có quận", "--district 999: no district"),
    (["--site", "44"], "--site: không có cơ quan, đơn vị 44", "--site: there is no site 44"),
    (["--place", "1", "--place", "88"], "không có điểm quét 88", "--place: there is no place 88"),
]


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize(("which", "vi", "en"), REFUSED)
def test_what_cannot_be_is_refused_in_both_languages(
    which: list[str], vi: str, en: str, lang: str,
    do: Print, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert do(*which, "--out", str(tmp_path / "out.pdf"), lang=lang) == 1
    [sentence] = capsys.readouterr().err.splitlines()
    assert (vi if lang == "vi" else en) in sentence
    assert not (tmp_path / "out.pdf").exists()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_wrong_targets_are_refused(
    lang: str, do: Print, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    there = tmp_path / "there.pdf"
    there.write_bytes(b"mine")
    for out, more, vi, en in (
        (there, [], "đã có: thêm --replace", "is there already: add --replace"),
        (tmp_path / "x.pdf", ["--zip"], "với --zip, tệp phải là .zip", "with --zip it is a .zip"),
        (tmp_path / "no" / "x.pdf", [], "Không có thư mục", "There is no directory"),
        (there / "deeper", [], "", ""),
    ):
        assert do("--ward", WARD, "--out", str(out), *more, lang=lang) == 1
        assert (vi if lang == "vi" else en) in capsys.readouterr().err
    assert there.read_bytes() == b"mine"
    monkeypatch.setenv("TRUYVET_CODE_ORIGIN", "https://truyvet.vn/c/")
    assert do("--ward", WARD, "--out", str(tmp_path / "x.pdf"), lang=lang) == 1
    assert "TRUYVET_CODE_ORIGIN" in capsys.readouterr().err


def test_an_unknown_format_is_a_matter_of_typing(
    do: Print, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("--ward", WARD, "--format", "cr80", "--out", str(tmp_path)) == 2
    assert "--format" in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_name_too_long_is_named(
    lang: str, do: Print, stored: tuple[Settings, Store], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    _, store = stored
    with store.write() as connection:
        at = tables.sites.c.id == 2
        connection.execute(update(tables.sites).where(at).values(address="x" * 241))
    assert do("--ward", WARD, "--out", str(tmp_path / "x.pdf"), lang=lang) == 1
    said = capsys.readouterr().err
    vi, en = "Điểm quét 3: địa chỉ dài 241", "Place 3: the address has 241 characters"
    assert (vi if lang == "vi" else en) in said


def test_all_closed_and_no_codes_are_said(
    do: Print, stored: tuple[Settings, Store], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, store = stored
    for place in (1, 2):
        sites.revoke_code(store, place, 1, NOW, "lost")
    assert do("--site", "1", "--out", str(tmp_path / "x.pdf")) == 1
    assert "of 2 places none has a code in force" in capsys.readouterr().err
    with store.write() as connection:
        connection.execute(update(tables.sites).values(status="closed"))
    assert do("--site", "1", "--out", str(tmp_path / "x.pdf")) == 1
    assert "all of 2 places are closed" in capsys.readouterr().err


def test_more_than_one_pdf_wants_a_folder(
    do: Print, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from issuer.printing.order import Order

    monkeypatch.setattr(Order, "files", lambda _self, _total: 3)
    assert do("--ward", WARD, "--out", str(tmp_path / "x.pdf")) == 1
    assert "6 posters are 3 PDFs" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(
    do: Print, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_jobs: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "do", interrupted)
    assert do("--ward", WARD, "--out", str(tmp_path / "x.pdf")) == 130
    assert "the same command goes on" in capsys.readouterr().err
    monkeypatch.undo()
    assert do("--ward", WARD, "--out", str(tmp_path / "x.pdf")) == 0
