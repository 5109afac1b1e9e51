"""`POST /v1/sites/import`: what a list would become, its import, and who may, where."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from console.api import list_files, site_lists
from console.store.history import steps
from console.store.keys import Role
from console.store.sites import places
from tests.console_kit import Running, running

HAI_AN = "district/306"
LIST = (
    "Tên cơ sở,Địa chỉ,Phường,Loại hình\n"
    "Quán Phở Thìn,5 Cát Bi,Đằng Lâm,quán ăn\n"
    "Pho Thin,5 cat bi,dang lam,an uong\n"
    "Cà phê Mộc,1 Lợi,Bến Nghé,cà phê\n"
)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "console", code_keys="1:" + "5a" * 32) as made:
        yield made


def send(console: Running, area: str = HAI_AN, body: str | bytes = LIST, **query: Any) -> Any:
    return console.client.post(
        "/v1/sites/import",
        params={"file": "ds.csv", **query},
        content=body.encode() if isinstance(body, str) else body,
        headers=console.key(Role.OFFICER, area),
    )


def test_first_what_it_would_do_then_the_import_on_its_way_to_the_topic(console: Running) -> None:
    answer = send(console)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["sites"], found["refused_count"], found["likely_count"]) == (2, 1, 1)
    assert found["refused"][0]["column"] == "Phường"
    assert not found["applied"]
    assert list(places(console.store)) == []
    answer = send(console, apply=True)
    assert answer.status_code == 422
    assert "1 rows are refused" in answer.json()["sentence"]["en"]
    answer = send(console, apply=True, without_refused=True, likely="leave")
    assert answer.json()["registered_places"] == 1
    [place] = places(console.store)
    [step] = steps(console.store, "site", place.site)
    assert step.by.startswith("key/")
    assert (step.what, step.note) == ("register", "ds")
    assert (place.name, len(place.codes)) == ("Quán Phở Thìn", 1)
    assert send(console, apply=True, without_refused=True, likely="leave").json()["new_sites"] == 1


def test_rows_outside_the_keys_area_are_refused(console: Running) -> None:
    found = send(console, area="district/303").json()
    assert found["sites"] == 0
    assert found["refused_count"] == 3
    assert send(console, area="district/303", ward="11413").status_code == 422


def test_a_workbook(console: Running, tmp_path: Path) -> None:
    file = tmp_path / "ds.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        for row, line in enumerate(LIST.splitlines()):
            sheet.write_row(row, 0, line.split(","))
    found = send(console, body=file.read_bytes(), file="Danh sách.xlsx").json()
    assert found["source"] == "Danh sách"
    assert found["sites"] == 2


@pytest.mark.parametrize(
    ("query", "body", "status", "said"),
    [
        ({"file": "../ds.csv"}, LIST, 422, "without a folder"),
        ({"file": "ds.exe"}, LIST, 422, "CSV, XLSX"),
        ({}, "a,b\n1,2\n", 422, "No heading"),
        ({}, b"T\xean\n", 422, "not UTF-8"),
        ({"kind": "gate"}, LIST, 422, "--kind"),
        ({"column": "x=y"}, LIST, 422, "--column"),
        ({"likely": "maybe"}, LIST, 422, "likely"),
        ({"file": "ds.xlsx"}, "no workbook", 422, "cannot be read as a workbook"),
    ],
)
def test_what_is_sent_is_checked(
    console: Running, query: dict[str, str], body: str | bytes, status: int, said: str
) -> None:
    answer = send(console, body=body, **query)
    assert answer.status_code == status
    assert said in answer.text
    assert str(Path("/tmp")) not in answer.text


def test_too_large_a_file_is_not_taken(console: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_files, "MOST_BYTES", 100)
    answer = send(console)
    assert answer.status_code == 413
    assert "truyvet sites import" in answer.json()["sentence"]["en"]


def test_no_more_is_listed_than_can_be_read(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_lists, "MOST_LISTED", 2)
    lines = "".join(f"A {n},1 Lợi,Nowhere,quán ăn\n" for n in range(5))
    found = send(console, body=LIST.splitlines()[0] + "\n" + lines).json()
    assert (len(found["refused"]), found["refused_count"]) == (2, 5)


def test_without_keys_nothing_is_registered(tmp_path: Path) -> None:
    with running(tmp_path / "bare") as console:
        answer = send(console, apply=True, without_refused=True, likely="take")
        assert answer.status_code == 503
        assert list(places(console.store)) == []
