"""The daily report: one page whatever is in it, the same numbers in every form, no ranking."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from console.cli.main import main
from console.coverage.funnel import Asked, Line, Reached
from console.coverage.stages import STAGES, Stage
from console.reminders.texts import Lang
from console.reports.daily import Daily, Part, Reminded, _parts, added
from console.reports.inspections import Inspections
from console.reports.page import MOST_PARTS, page_pdf
from console.reports.sheet import number, percent, sheet_of, signed
from console.reports.text import MOST, text_of
from console.reports.workbook import workbook
from console.store.keys import Role
from console.store.migrations.run import upgrade
from console.store.required_reading import ListStanding
from issuer.units import wards_in
from schemas.coverage import RequiredList
from schemas.settings import load_settings
from tests.console_kit import WARD, FakeTables, Running, running

AT = datetime(2026, 11, 26, 9, 3, tzinfo=UTC)
DAY = date(2026, 11, 26)
LANGS: tuple[Lang, ...] = ("vi", "en")


def line(required: int, sites: int, key: str = "") -> Line:
    stages = {
        s: Reached(sites - n, min(required, sites - n), 3 * sites - n) for n, s in enumerate(STAGES)
    }
    return Line((key,), required, stages, 1_234_567)


def listed(n: int, long: bool = False) -> ListStanding:
    name = "Cơ sở kinh doanh " + "rất dài " * 25 if long else "Cơ sở kinh doanh"
    about = RequiredList(id=f"l{n}", name=name, keeper=name, as_of=date(2026, 10, 1), entries=9)
    return ListStanding(about, AT, 9, 8)


def report(**changes: Any) -> Daily:
    made = Daily(
        asked=Asked("district/306"),
        day=DAY,
        at=AT,
        scanned_days=7,
        inspected_days=90,
        free_days=2,
        whole=line(100, 90),
        before=line(100, 88),
        by="ward",
        parts=[Part("Phường Cát Bi", "Phường Cát Bi", line(40, 30))],
        lists=[listed(1)],
        inspections=Inspections(12, 31, 4),
        reminded=Reminded(34, 210, 128, 180),
    )
    return replace(made, **changes)


@pytest.mark.parametrize("lang", LANGS)
def test_the_fullest_report_is_one_page(lang: Lang) -> None:
    parts = [
        Part(f"Thị trấn Nông trường Việt Trung {n}", f"T {n}", line(999_999, 999_999))
        for n in range(50)
    ]
    full = report(
        parts=parts, lists=[listed(n, long=True) for n in range(9)], whole=line(999_999, 999_999)
    )
    page = pypdfium2.PdfDocument(page_pdf(sheet_of(full, lang)))
    assert len(page) == 1
    text = page[0].get_textpage()
    said = text.get_text_bounded()
    assert ("18 dòng nữa" if lang == "vi" else "18 more") in said
    assert 50 - MOST_PARTS == 18
    # the last part stands above the first note
    last, note = (
        text.search(words).get_next()
        for words in (
            parts[MOST_PARTS - 1].vi if lang == "vi" else "T 31",
            "Cơ sở chỉ" if lang == "vi" else "A site counts",
        )
    )
    assert last is not None
    assert note is not None
    assert text.get_charbox(last[0])[1] > text.get_charbox(note[0])[3]
    page.close()


@pytest.mark.parametrize("lang", LANGS)
def test_a_page_has_what_it_must(lang: Lang) -> None:
    page = pypdfium2.PdfDocument(page_pdf(sheet_of(report(), lang)))
    said = page[0].get_textpage().get_text_bounded()
    page.close()
    vi = (
        "Báo cáo ngày",
        "Quận Hải An",
        "26/11/2026",
        "1.234.567",
        "+2",
        "không phải là xếp hạng",
        "thứ bảy",
        "56 ngày trước",
        "31 hồ sơ đang mở",
        "71 %",
        "Phường Cát Bi",
    )
    en = (
        "Daily report",
        "Quận Hải An",
        "26/11/2026",
        "1,234,567",
        "+2",
        "no ranking",
        "Saturdays",
        "56 days ago",
        "31 open",
        "71 %",
        "Phường Cát Bi",
    )
    for words in vi if lang == "vi" else en:
        assert words in " ".join(said.split()), words


@pytest.mark.parametrize("lang", LANGS)
def test_a_text_fits_a_message(lang: Lang) -> None:
    long = report(lists=[listed(n, long=True) for n in range(3)])
    for one in (report(), long):
        text = text_of(sheet_of(one, lang))
        counted = "Số liệu lúc" if lang == "vi" else "Counted on"
        assert text.splitlines()[2].startswith(counted)
        assert len(text) <= MOST
        assert ("Đã dán: 86 (86 %)" if lang == "vi" else "Posted: 86 (86 %)") in text


def test_a_workbook_has_numbers_and_runs_nothing() -> None:
    parts = [Part("=HYPERLINK(1)", "x", line(40, 30)), Part("Phường Cát Bi", "x", line(40, 30))]
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook(sheet_of(report(parts=parts), "vi"))))
    assert book.sheet_names == ["Báo cáo", "Chi tiết", "Ghi chú"]
    rows = book.get_sheet_by_name("Báo cáo").to_python()
    posted = next(row for row in rows if row[0] == "Đã dán")
    assert posted[1:6] == [86.0, 0.86, 2.0, 86.0, 266.0]
    assert book.get_sheet_by_name("Chi tiết").to_python()[1][0] == "=HYPERLINK(1)"


def test_without_a_list_shares_are_of_what_is_registered_and_it_says_so() -> None:
    sheet = sheet_of(report(whole=line(0, 90), before=None, lists=[]), "en")
    assert sheet.rows[0].name == "Registered"
    assert (sheet.rows[0].sites, sheet.rows[0].of, sheet.rows[0].change) == (90, 90, None)
    assert any("no list of required sites" in note for note in sheet.notes)


def test_what_is_not_known_is_not_said() -> None:
    sheet = sheet_of(report(reminded=None), "en")
    assert [label for label, _ in sheet.facts] == [
        "Scans in 7 days",
        "Places with a code and no scan in 7 days",
        "Inspections",
    ]


def test_parts_of_a_city_are_its_districts_by_name() -> None:
    lines = {ward.code: line(10, 9, ward.code) for ward in wards_in("city/31")}
    by, parts = _parts("city/31", lines)
    assert by == "district"
    assert [p.vi for p in parts][:3] == ["Huyện An Dương", "Huyện An Lão", "Huyện Bạch Long Vĩ"]
    assert added([p.line for p in parts]).required == 10 * len(lines)
    by, parts = _parts("city/25-31", {w.code: line(1, 1) for w in wards_in("city/25-31")})
    assert (by, len(parts)) == ("ward", len(wards_in("city/25-31"))), "two levels: no districts"
    assert [
        p.vi for p in _parts(f"ward/{WARD}", {"shop": line(1, 1), "market": line(9, 9)})[1]
    ] == ["Chợ", "Cửa hàng"]


@pytest.mark.parametrize(
    ("part", "whole", "says"),
    [(0, 0, "–"), (0, 9, "0 %"), (9, 9, "100 %"), (999, 1000, "99 %"), (1, 1000, "1 %")],
)
def test_all_and_none_are_said_of_all_and_none_only(part: int, whole: int, says: str) -> None:
    assert percent(part, whole) == says


def test_numbers_are_written_as_each_language_does() -> None:
    assert (number(1234567, "vi"), number(1234567, "en")) == ("1.234.567", "1,234,567")
    assert [signed(n, "en") for n in (3, -3, 0, None)] == ["+3", "−3", "0", "–"]


def rows(sql: str, _: dict[str, Any]) -> list[tuple[Any, ...]]:
    """ClickHouse, of which `coverage_days` has this day and the one before."""
    if "coverage_days" in sql:
        stages = [5, 5, 4, 4, 3, 2, 1]
        names = (
            ["shop", "market"] if "toString(kind)" in sql else ["11413"] if "ward)" in sql else [""]
        )
        ms = int(AT.timestamp() * 1000)
        return [
            (day, name, ms, 6, 40, stages, stages, [2 * n for n in stages])
            for day in DAYS
            for name in names
        ]
    if "SELECT count(), toUnixTimestamp64Milli(max(round))" in sql:
        return [(1, int(AT.timestamp() * 1000))]
    return []


DAYS = ("2026-11-25", "2026-11-24")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as console:
        console.tables.answer = rows
        yield console


@pytest.mark.parametrize(
    ("form", "begins"),
    [("pdf", b"%PDF"), ("xlsx", b"PK"), ("txt", "BÁO CÁO".encode()), ("json", b"{")],
)
def test_it_is_served_in_each_form(served: Running, form: str, begins: bytes) -> None:
    head = served.key(Role.OFFICER, f"ward/{WARD}")
    answer = served.client.get(f"/v1/reports/daily?date={DAYS[0]}&format={form}", headers=head)
    assert answer.status_code == 200
    assert answer.content.startswith(begins)


def test_it_is_of_the_keys_area_and_sector_only(served: Running) -> None:
    head = served.key(Role.OFFICER, f"ward/{WARD}")
    path = f"/v1/reports/daily?date={DAYS[0]}&format=json"
    assert served.client.get(f"{path}&area=city/31", headers=head).status_code == 404
    department = served.key(Role.DEPARTMENT, "city/31", sector="health")
    said = served.client.get(path, headers=department).json()
    assert said["area"] == "Sở Y tế · Thành phố Hải Phòng"
    assert all("Nhắc" not in label for label, _ in said["facts"])
    assert served.client.get(f"{path}&sector=education", headers=department).status_code == 404


def test_a_day_that_was_not_counted_is_refused(served: Running) -> None:
    head = served.key(Role.OFFICER, f"ward/{WARD}")
    for day in ("2026-01-01", "2099-01-01"):
        answer = served.client.get(f"/v1/reports/daily?date={day}", headers=head)
        assert answer.status_code == 422


def test_the_command_prints_a_text_or_writes_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("streams.clickhouse.ClickHouse", lambda *_, **__: FakeTables(rows))
    upgrade(load_settings(tmp_path))
    command = ["--data-dir", str(tmp_path), "report", "daily", "--ward", WARD, "--date", DAYS[0]]
    assert main(command) == 0
    assert "Phường Đằng Lâm" in capsys.readouterr().out
    for name in ("r.pdf", "r.xlsx"):
        assert main([*command, "--out", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size > 1000
    assert main([*command, "--out", str(tmp_path / "r.pdf")]) == 1, "it is there already"
    assert main([*command, "--out", str(tmp_path / "r.docx")]) == 1
    assert "--replace" in capsys.readouterr().err


@pytest.mark.parametrize("lang", LANGS)
def test_a_part_that_no_list_names_shows_what_is_registered_and_no_share(lang: Lang) -> None:
    unlisted = line(0, 0)
    unlisted.stages[Stage.REGISTERED] = Reached(sites=7, required=0, places=9)
    parts = [Part("Chợ", "Market", line(40, 30)), Part("Chùa", "Temple", unlisted)]
    sheet = sheet_of(report(parts=parts), lang)
    assert sheet.part_heads[-1] == ("Mọi cơ sở" if lang == "vi" else "All sites")
    page = pypdfium2.PdfDocument(page_pdf(sheet))
    said = " ".join(page[0].get_textpage().get_text_bounded().split())
    page.close()
    assert f"{sheet.parts[1].name} – – – – – 7" in said
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook(sheet)))
    rows = book.get_sheet_by_name(book.sheet_names[1]).to_python()
    assert rows[2][1:] == ["", "", "", "", "", 7.0]


def test_the_text_says_how_many_there_are_beside_those_of_the_lists() -> None:
    whole = line(100, 90)
    whole.stages[Stage.POSTED] = Reached(sites=120, required=80, places=200)
    said = text_of(sheet_of(report(whole=whole), "vi"))
    assert "- Mọi cơ sở: đã đăng ký " in said
    assert "đã dán 120;" in said
