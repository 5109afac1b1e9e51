"""`truyvet sites import`: what is shown before, what is asked for, what is registered after."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import main
from console.store.engine import Store, open_store
from console.store.history import steps
from console.store.migrations.run import upgrade
from console.store.sites import places, site
from schemas.settings import load_settings

LIST = """UBND QUẬN HẢI AN,,,,,,,
STT,Tên cơ sở,Địa chỉ,Phường/Xã,Ngành nghề,Giờ mở cửa,Chủ cơ sở,SĐT
1,Quán Phở Thìn,5 Cát Bi,Đằng Lâm,Dịch vụ ăn uống,6h - 22h,Trần Thị B,0912345678
2,QUAN PHO THIN,so 5 duong Cat Bi,dang lam,an uong,6h-22h,Tran Thi B,0912345678
3,Nhà thuốc Minh Tâm,12 Ngô Gia Tự,P. Đằng Lâm,dược phẩm,7h30-21h,,
4,Chợ Lũng,Lũng Đông,Đằng Hải,Chợ,5h-18h,,
5,Cà phê Mộc,1 Lê Hồng Phong,Bến Nghé,cà phê,7h-23h,,
"""
HAI_AN = "district/306"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUYVET_CODE_KEYS", "1:" + "5a" * 32)
    upgrade(load_settings(tmp_path / "data"))
    (tmp_path / "ds.csv").write_text(LIST, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str, lang: str = "en", file: str = "ds.csv") -> int:
    given = ["--data-dir", str(folder / "data"), "--lang", lang, "sites", "import"]
    return main([*given, str(folder / file), "--area", HAI_AN, *arguments])


def registered(folder: Path) -> list[Any]:
    store: Store = open_store(load_settings(folder / "data"))
    try:
        return list(places(store))
    finally:
        store.close()


def test_a_dry_run_says_what_it_understands_and_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder) == 0
    out = capsys.readouterr()
    for said in (
        "Phường/Xã  →  ward", "Chủ cơ sở  →  left out", "4 rows: 4 sites (4 new), 4 places",
        "2  Restaurant", "1  Market", "row 7, Phường/Xã: no ward 'Bến Nghé' in the area",
        "100 %  row 4 QUAN PHO THIN, so 5 duong Cat Bi", "row 3 Quán Phở Thìn, 5 Cát Bi",
    ):  # fmt: skip
        assert said in out.out
    assert "--apply" in out.err
    assert "0912345678" not in out.out
    assert registered(folder) == []
    assert run(folder, lang="vi") == 0
    assert "Từ chối: 1 dòng" in capsys.readouterr().out


def test_refused_rows_are_written_to_be_mended_and_read_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = folder / "sai.csv"
    assert run(folder, "--refused-to", str(refused)) == 0
    text = refused.read_text("utf-8-sig")
    assert "Bến Nghé" in text
    assert "0912345678" not in text, "people's numbers are left out here, too"
    refused.write_text(text.replace("Bến Nghé", "Cát Bi"), "utf-8-sig")
    capsys.readouterr()
    assert run(folder, file="sai.csv") == 0
    out = capsys.readouterr().out
    assert "1 rows: 1 sites (1 new)" in out
    assert "Refused" not in out


def test_a_person_decides_on_what_is_refused_and_on_what_is_likely_twice(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--apply") == 1
    assert "1 rows are refused" in capsys.readouterr().err
    assert run(folder, "--apply", "--without-refused") == 1
    assert "--likely take or leave. Nothing was imported" in capsys.readouterr().err
    assert registered(folder) == []
    assert run(folder, "--apply", "--without-refused", "--likely", "leave") == 0
    assert "Imported: 3 new sites; 3 places of the list" in capsys.readouterr().out
    found = {place.name: place for place in registered(folder)}
    assert set(found) == {"Quán Phở Thìn", "Nhà thuốc Minh Tâm", "Cổng chính"}
    assert found["Cổng chính"].gate
    store = open_store(load_settings(folder / "data"))
    try:
        [step] = steps(store, "site", found["Quán Phở Thìn"].site)
    finally:
        store.close()
    assert (step.version, step.by, step.what, step.note) == (1, "cli", "register", "ds")
    hours = found["Quán Phở Thìn"].hours
    assert (hours.opens, hours.closes) == ("06:00", "22:00")
    assert all(len(place.codes) == 1 for place in found.values())


def test_again_adds_only_what_is_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apply = ("--apply", "--without-refused", "--likely", "take", "--json")
    assert run(folder, *apply) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["new_sites"], first["registered_places"]) == (4, 4)
    before = registered(folder)
    mended = LIST.replace("Bến Nghé", "Cát Bi").replace("6h - 22h", "6h - 21h")
    (folder / "ds.csv").write_text(mended, encoding="utf-8")
    assert run(folder, *apply) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["new_sites"], again["sites"]) == (1, 5)
    assert registered(folder)[:4] == before, "what is registered stays as people have it"
    assert [place.name for place in registered(folder)[4:]] == ["Cà phê Mộc"]


def test_nothing_is_added_to_a_site_that_has_been_closed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = "Tên cơ sở,Phòng,Phường,Loại hình\nUBND,Phòng họp 1,Đằng Lâm,cơ quan\n"
    (folder / "ds.csv").write_text(rooms, encoding="utf-8")
    assert run(folder, "--apply") == 0
    [before] = registered(folder)
    given = ["--data-dir", str(folder / "data"), "--lang", "en", "sites", "close", str(before.site)]
    assert main([*given, "--reason", "moved"]) == 0
    (folder / "ds.csv").write_text(f"{rooms}UBND,Phòng họp 2,Đằng Lâm,cơ quan\n", encoding="utf-8")
    capsys.readouterr()
    assert run(folder, "--apply") == 0
    assert "1  closed or merged since: left" in capsys.readouterr().out
    assert [place.name for place in registered(folder)] == ["Phòng họp 1"]


def test_another_list_is_compared_with_the_register(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--apply", "--without-refused", "--likely", "leave") == 0
    other = "Tên cơ sở,Địa chỉ,Phường,Loại hình\nPho Thin,5 Cat Bi,Dang Lam,quan an\n"
    (folder / "khac.csv").write_text(other, encoding="utf-8")
    capsys.readouterr()
    assert run(folder, "--json", file="khac.csv") == 0
    [pair] = json.loads(capsys.readouterr().out)["likely"]
    assert pair["one"]["row"] == 2
    store = open_store(load_settings(folder / "data"))
    try:
        known = site(store, pair["other"]["site"])
    finally:
        store.close()
    assert known is not None
    assert known.name == "Quán Phở Thìn"


def test_refused_rows_as_a_file_that_no_spreadsheet_computes(folder: Path) -> None:
    text = 'Tên cơ sở,Phường,"=HYPERLINK(1) loại hình"\nA,Đằng Lâm,zzz\n'
    (folder / "bad.csv").write_text(text, encoding="utf-8")
    out = folder / "refused.csv"
    assert run(folder, "--refused-to", str(out), file="bad.csv") == 0
    lines = out.read_text("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("2,'=HYPERLINK(1) loại hình,")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--area", "city/99"), "--area"),
        (("--ward", "00001"), "--ward: there is no code '00001'"),
        (("--kind", "gate"), "--kind: there is no kind of sites 'gate'"),
        (("--column", "x=y"), "--column 'x=y'"),
        (("--likely", "maybe"), "--likely is take or leave"),
        (("--sheet", "1"), "has no sheets"),
    ],
)
def test_what_is_given_is_checked(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(folder, *arguments) == 1
    assert said in capsys.readouterr().err


def test_without_a_key_nothing_is_imported(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUYVET_CODE_KEYS", "")
    assert run(folder, "--apply", "--without-refused", "--likely", "take") == 1
    assert "No key to sign codes" in capsys.readouterr().err
    assert registered(folder) == []


@pytest.mark.parametrize(
    ("where", "kept"),
    [("console.sitelist.sheet.rows_of", False), ("console.sitelist.run.apply", True)],
)
def test_an_import_that_is_stopped_says_so_and_how_it_goes_on(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    kept: bool,
) -> None:
    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, stop)
    assert run(folder, "--apply", "--without-refused", "--likely", "leave") == 130
    said = capsys.readouterr().err
    assert "Stopped." in said
    assert ("the same command goes on" in said) is kept
