"""Officers' lists: headings, cells, rows, likely duplicates; what is refused, and why."""

import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import xlsxwriter
from rapidfuzz import fuzz

from console.sitelist import sheet
from console.sitelist.duplicates import DOOR, NO_DOOR, SAME_DOOR, Named, door_of, likely, telling
from console.sitelist.headings import Field, find_heading
from console.sitelist.plain import plain, tidy
from console.sitelist.register import GATE_NAME, grouped
from console.sitelist.sheet import Row, read_rows, rows_of
from console.sitelist.understand import Options, Understood, understand
from console.sitelist.values import Unclear, Wards, hours_of, kind_of, number_of
from issuer.kinds import Level
from issuer.units import wards_in
from schemas.errors import UserError

HAI_PHONG = wards_in("city/31")
WARDS = Wards(HAI_PHONG)
SITES = frozenset({Level.SITE, Level.BOTH})
DANG_LAM = next(w for w in HAI_PHONG if w.name == "Phường Đằng Lâm")
HEADING = ["TT", "Tên cơ sở", "Địa chỉ", "Phường/Xã", "Loại hình", "Chủ cơ sở", "SĐT"]


def rows(*lines: list[str], heading: list[str] | None = None) -> list[Row]:
    every = [heading or HEADING, *lines]
    return [Row(number, tuple(cells)) for number, cells in enumerate(every, start=1)]


def read(*lines: list[str], heading: list[str] | None = None, **options: Any) -> Understood:
    return understand(rows(*lines, heading=heading), Options(HAI_PHONG, **options))


def test_vietnamese_without_its_accents() -> None:
    assert plain("Phường  Đằng Lâm,") == "phuong dang lam"
    assert plain("Pho\u031b\u0309 bo\u0300") == "pho bo"  # decomposed
    assert tidy(" a\u00a0b\n c\u200b ") == "a b c"


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("7h30 - 22h", ("07:30", "22:00")), ("07:00-22:00", ("07:00", "22:00")),
        ("Từ 6 giờ đến 18 giờ 30", ("06:00", "18:30")), ("8g–17g", ("08:00", "17:00")),
        ("7h30 - 11h30; 13h30 - 17h", ("07:30", "17:00")), ("18h-2h", ("18:00", "02:00")),
        ("24/24", ("00:00", "00:00")), ("24h/24h", ("00:00", "00:00")), ("5h-24h", ("05:00", "00:00")),
        ("cả ngày (7h-21h)", ("07:00", "21:00")), ("", None), ("--", None),
    ],
)  # fmt: skip
def test_hours(text: str, hours: tuple[str, str] | None) -> None:
    found = hours_of(text)
    assert (found and (found.opens, found.closes)) == hours


@pytest.mark.parametrize(
    "text",
    [
        *(
            "cả ngày",
            "CA NGAY",
            "mở cửa cả ngày",
            "suốt ngày",
            "24h",
            "24 giờ/ngày",
            "24h mỗi ngày",
        ),
        *("24/24", "24h/24h", "24/7", "24h/7", "24 x 7", "24/24h, 7/7", "24 giờ / 24"),
        *("cả ngày đêm", "ca ngay dem", "cả ngày lẫn đêm", "suốt ngày và đêm", "ngày đêm"),
    ],
)
def test_hours_around_the_clock(text: str) -> None:
    found = hours_of(text)
    assert found is not None
    assert (found.opens, found.closes) == ("00:00", "00:00")


@pytest.mark.parametrize(
    "text", ["cả ngày mai", "124/7", "buổi sáng", "7h", "7h - 11h - 13h", "24h30 - 25h"]
)
def test_hours_that_are_not_clear_are_refused(text: str) -> None:
    with pytest.raises(Unclear) as caught:
        hours_of(text)
    assert text in caught.value.vi
    assert text in caught.value.en


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("200", 200), ("khoảng 200 người", 200), ("1.200", 1200), ("1 200", 1200), ("1,200", 1200),
        ("120,5 m2", 120.5), ("120.5m²", 120.5), ("", None),
    ],
)  # fmt: skip
def test_numbers(text: str, number: float | None) -> None:
    assert number_of(text, 10_000) == number


@pytest.mark.parametrize("text", ["20-30", "0", "99999", "nhiều"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Unclear):
        number_of(text, 10_000)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Quán ăn", "restaurant"), ("QUAN CA PHE", "cafe"), ("Tạp hoá", "shop"), ("tạp hóa", "shop"),
        ("Nhà thuốc tây", "pharmacy"), ("Chợ dân sinh", "market"), ("Trường mầm non", "school"),
        ("Nhà nghỉ, khách sạn", "hotel"), ("Phòng khám đa khoa", "clinic"), ("Nhà trọ", "dormitory"),
        ("restaurant", "restaurant"), ("zzz", None), ("", None),
    ],
)  # fmt: skip
def test_kinds_as_they_are_written(text: str, kind: str | None) -> None:
    assert kind_of(text, SITES) == kind


def test_wards_by_code_by_name_and_by_the_address() -> None:
    for text in (DANG_LAM.code, "Đằng Lâm", "P. Đằng Lâm", "phuong dang lam", "PHƯỜNG ĐẰNG LÂM"):
        assert WARDS.of(text, "", "") == DANG_LAM
    assert WARDS.of("", "", "12 Ngô Gia Tự, phường Đằng Lâm, Hải An") == DANG_LAM
    with pytest.raises(Unclear, match="no ward is written"):
        WARDS.of("", "", "12 Ngô Gia Tự")
    with pytest.raises(Unclear, match="no ward 'Bến Nghé'"):
        WARDS.of("Bến Nghé", "", "")


def test_of_wards_of_one_name_the_district_decides() -> None:
    names: dict[str, list[Any]] = {}
    for ward in HAI_PHONG:
        names.setdefault(plain(ward.name), []).append(ward)
    twice = next(found for found in names.values() if len(found) > 1)
    with pytest.raises(Unclear, match="several wards"):
        WARDS.of(twice[0].name, "", "")
    assert WARDS.of(twice[0].name, twice[0].district_name, "") == twice[0]
    assert WARDS.of(twice[1].name, plain(twice[1].district_name), "") == twice[1]


def test_a_list_with_a_title_blank_rows_groups_and_a_total() -> None:
    lines = [
        Row(1, ("ỦY BAN NHÂN DÂN", "", "", "", "", "", "")),
        Row(2, ("DANH SÁCH CƠ SỞ KINH DOANH", "", "", "", "", "", "")),
        Row(3, tuple(HEADING)),
        Row(4, ("(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)")),
        Row(5, ("I", "Tổ dân phố 1", "", "", "", "", "")),
        Row(6, ("1", "Quán Phở Thìn", "5 Cát Bi", "Đằng Lâm", "ăn uống", "Trần A", "0912")),
        Row(7, ("", "", "", "", "", "", "")),
        Row(8, ("Tổng cộng", "1", "", "", "", "", "")),
    ]
    found = understand(lines, Options(HAI_PHONG))
    assert [one.row for one in found.listed] == [6]
    assert found.refused == [] or [r.row for r in found.refused] == [5]
    assert found.left_out == ["TT", "Chủ cơ sở", "SĐT"]
    [one] = found.listed
    assert (one.name, one.kind, one.ward) == ("Quán Phở Thìn", "restaurant", DANG_LAM.code)


def test_a_sections_title_says_the_ward_of_the_rows_below() -> None:
    heading = ["STT", "Tên cơ sở", "Địa chỉ", "Loại hình"]
    found = read(
        ["I. PHƯỜNG ĐẰNG LÂM (2 cơ sở)", "", "", ""],
        ["1", "Quán A", "1 Cát Bi", "quán ăn"],
        ["II", "Phường Đằng Hải", "", ""],
        ["1", "Quán B", "2 Lũng Đông", "quán ăn"],
        ["III", "Tổ dân phố 3", "", ""],
        heading=heading,
    )
    named = {w.code: w.name for w in HAI_PHONG}
    assert [(one.name, named[one.ward]) for one in found.listed] == [
        ("Quán A", "Phường Đằng Lâm"), ("Quán B", "Phường Đằng Hải"),
    ]  # fmt: skip
    assert [r.row for r in found.refused] == [6], "what may be an entry is never dropped in silence"


def test_a_ward_by_its_number_is_not_taken_for_a_code() -> None:
    saigon = Wards(wards_in("district/760"))  # Quận 1: Phường 5 is elsewhere, codes are 26xxx
    with pytest.raises(Unclear):
        saigon.of("5", "", "")
    code = wards_in("district/001")[0].code
    assert Wards(wards_in("district/001")).of(str(int(code) + 0).zfill(3), "", "").code == code


def test_a_whole_code_is_not_taken_for_a_wards_number() -> None:
    everywhere = Wards([*wards_in("district/001"), *wards_in("district/764")])
    assert everywhere.of("00007", "", "").code == "00007", "and not Phường 7 of Gò Vấp"
    assert everywhere.of("7", "", "").name == "Phường 07"
    assert Wards(wards_in("city/25-31")).of("25-11413", "", "").name == "Phường Hải An"


def test_names_and_numbers_of_people_go_nowhere() -> None:
    found = read(["1", "Quán A", "5 Cát Bi", "Đằng Lâm", "quán ăn", "Trần Thị B", "0912345678"])
    said = repr(found.listed) + repr(grouped(found.listed))
    assert "Trần" not in said
    assert "0912" not in said


def test_each_refusal_names_its_row_its_column_and_why() -> None:
    found = read(
        ["1", "", "5 Cát Bi", "Đằng Lâm", "quán ăn", "x", "1"],
        ["2", "B", "5 Cát Bi", "Bến Nghé", "quán ăn", "x", "1"],
        ["3", "C", "5 Cát Bi", "Đằng Lâm", "zzz", "x", "1"],
        ["4", "D" * 300, "5 Cát Bi", "Đằng Lâm", "quán ăn", "x", "1"],
    )
    assert [(r.row, r.column) for r in found.refused] == [
        (2, "Tên cơ sở"), (3, "Phường/Xã"), (4, "Loại hình"), (5, "Tên cơ sở"),
    ]  # fmt: skip
    assert all(r.vi and r.en and r.vi != r.en for r in found.refused)
    assert found.listed == []


def test_the_kind_by_the_name_where_none_is_written_or_for_all() -> None:
    heading = ["Tên cơ sở", "Địa chỉ"]
    line = ["Nhà thuốc Minh Tâm", "1 Cát Bi, P. Đằng Lâm"]
    guessed = read(line, heading=heading)
    assert (guessed.listed[0].kind, guessed.guessed) == ("pharmacy", 1)
    given = read(line, ["Minh Tâm", "2 Cát Bi"], heading=heading, kind="shop", ward=DANG_LAM.code)
    assert [one.kind for one in given.listed] == ["shop", "shop"]
    assert given.guessed == 0


def test_a_heading_in_two_rows_and_one_named_by_hand() -> None:
    lines = [
        Row(1, ("Biển", "Địa chỉ", "Giờ mở cửa", "", "Phường")),
        Row(2, ("Biển", "Địa chỉ", "Mở", "Đóng", "Phường")),
        Row(3, ("Quán ăn A", "1 Cát Bi", "7h", "22h", "Đằng Lâm")),
    ]
    heading = find_heading(lines, {Field.NAME: "Biển"})
    assert heading.last_row == 1
    assert {c.field for c in heading.columns} >= {Field.NAME, Field.OPENS, Field.CLOSES, Field.WARD}
    found = understand(lines, Options(HAI_PHONG, columns={Field.NAME: "Biển"}))
    assert [(one.hours.opens, one.hours.closes) for one in found.listed if one.hours] == [
        ("07:00", "22:00")
    ]
    with pytest.raises(UserError, match="No heading"):
        understand(lines, Options(HAI_PHONG))
    with pytest.raises(UserError, match="there is no column 'Nope'"):
        find_heading(lines, {Field.NAME: "Biển", Field.CODE: "Nope"})


def test_a_group_above_two_columns_and_times_as_parts_of_a_day(tmp_path: Path) -> None:
    heading = ["STT", "Tên cơ sở", "Địa chỉ", "Phường", "Loại hình", "Giờ hoạt động"]
    path = workbook(
        tmp_path / "ds.xlsx",
        [
            [*heading, None],
            [None, None, None, None, None, "Từ", "Đến"],
            [1, "Quán A", "1 Cát Bi", "Đằng Lâm", "quán ăn", 0.3125, 0.9166667],
            [2, "Quán B", "2 Cát Bi", "Đằng Lâm", "quán ăn", "7h", "22h30"],
        ],
        [(0, 5, 0, 6)],
    )
    found = understand(read_rows(path), Options(HAI_PHONG))
    assert found.refused == []
    hours = [(one.hours.opens, one.hours.closes) for one in found.listed if one.hours]
    assert hours == [("07:30", "22:00"), ("07:00", "22:30")]


def test_rooms_of_one_site_are_its_places_and_a_market_without_any_gets_a_gate() -> None:
    heading = ["Tên cơ sở", "Phòng", "Địa chỉ", "Phường", "Loại hình"]
    found = read(
        ["UBND phường", "Phòng họp 1", "1 Cát Bi", "Đằng Lâm", "cơ quan"],
        ["UBND phường", "Cổng chính", "1 Cát Bi", "Đằng Lâm", "cơ quan"],
        ["Ubnd Phuong", "phong hop 1", "1 cát bi", "Đằng Lâm", "cơ quan"],
        ["Chợ Lũng", "", "2 Cát Bi", "Đằng Lâm", "chợ"],
        ["Quán A", "", "3 Cát Bi", "Đằng Lâm", "quán ăn"],
        heading=heading,
    )
    groups = grouped(found.listed)
    office, market, eatery = groups.sites
    assert [(p.name, p.kind, p.gate) for p in office.places] == [
        ("Phòng họp 1", "meeting_room", False), ("Cổng chính", "gate", True),
    ]  # fmt: skip
    assert [(p.name, p.kind) for p in market.places] == [(GATE_NAME, "gate")]
    assert [(p.name, p.kind) for p in eatery.places] == [("Quán A", "restaurant")]
    assert [one.row for one in groups.again] == [4]
    assert groups.gates == 1
    keys = [p.external_key for site in groups.sites for p in site.places]
    assert len(set(keys)) == len(keys)


def test_one_code_with_two_names_is_refused_and_a_tax_number_is_no_code() -> None:
    heading = ["Tên cơ sở", "Phường", "Loại hình", "Số giấy phép", "Mã số thuế"]
    found = read(
        ["A", "Đằng Lâm", "shop", "GP1", "0200"], ["B", "Đằng Lâm", "shop", "GP1", "0200"],
        ["C", "Đằng Lâm", "shop", "GP2", "0200"], heading=heading,
    )  # fmt: skip
    assert [one.name for one in found.listed] == ["A", "C"]
    assert [(r.row, r.column) for r in found.refused] == [(3, "Số giấy phép")]
    assert "Mã số thuế" in found.left_out


def test_likely_duplicates_by_name_and_door() -> None:
    ward = DANG_LAM.code
    listed = [
        Named("Công ty TNHH Phở Thìn", "5 Cát Bi", ward, row=2),
        Named("Quán Pho Thin", "Số 5 đường Cát Bi", ward, row=3),
        Named("Quán Phở Thìn", "99 Lê Lợi", ward, row=4),  # a chain's other house
        Named("Quán Phở Thìn", "5 Cát Bi", "other", row=5),
        Named("Tạp hoá Hoa", "5 Cát Bi", ward, row=6),  # next door's floor
    ]
    found = likely(listed, [Named("Phở Thìn", "", ward, site=77)])
    pairs = {(p.one.row, p.other.row or p.other.site) for p in found}
    assert pairs == {(2, 77), (3, 77), (4, 77)}
    alone = likely(listed, [])
    assert {(p.one.row, p.other.row) for p in alone} == {(3, 2)}


def test_numbers_tell_houses_and_schools_apart() -> None:
    ward = DANG_LAM.code
    listed = [
        Named("Nhà thuốc Minh Tâm", "491 Cát Bi", ward, row=2),
        Named("Nhà thuốc Minh Tâm", "419 Cát Bi", ward, row=3),
        Named("Trường mầm non số 1", "2 Lê Lợi", ward, row=4),
        Named("Trường mầm non số 2", "2 Lê Lợi", ward, row=5),
        Named("Nhà thuốc Minh Tam", "số 419, đường Cát Bi", ward, row=6),
    ]
    assert {(p.one.row, p.other.row) for p in likely(listed, [])} == {(6, 3)}


def test_the_same_door_of_another_ward_of_the_district_is_likely_one_too() -> None:
    here, near, far = "11413", "11416", "11407"  # of Hải An, Hải An and Lê Chân
    known = [
        Named("Phở Thìn", "Số 16, đường Cát Bi, phường Cát Bi", near, site=7),
        Named("Phở Thìn", "18 Cát Bi", near, site=8),
        Named("Phở Thìn", "16 Cát Bi", far, site=9),
        Named("Phở Thìn", "đường Cát Bi", near, site=10),
        Named("Tạp hoá Hoa", "16 Cát Bi", near, site=11),
    ]
    listed = [Named("Quán phở Thìn", "16 Cát Bi, Đằng Lâm", here, row=2)]
    [pair] = likely(listed, known)
    assert (pair.one.row, pair.other.site) == (2, 7)
    twice = [*listed, Named("Pho Thin", "16 Cát Bi", near, row=3)]
    assert [(p.one.row, p.other.row) for p in likely(twice, [])] == [(3, 2)]
    nowhere = [Named("Phở Thìn", "đường Cát Bi", here, row=2)]
    assert likely(nowhere, known) == []
    schools = [Named("Trường số 1", "2 Lê Lợi", here, row=2)]
    assert likely(schools, [Named("Trường số 2", "2 Lê Lợi", near, site=1)]) == []


@pytest.mark.parametrize(
    ("address", "door"),
    [
        ("16 Cát Bi, phường Đằng Lâm, Hải An", "16 cat bi"),
        ("Số 16, đường Cát Bi, Đằng Lâm", "16 cat bi"),
        ("Số 2A ngõ 5 Lê Lợi", "2a 5 le loi"),
        *((text, "") for text in ("", "đường Cát Bi", "16", "Tổ 3")),
    ],
)
def test_a_door_is_number_and_street(address: str, door: str) -> None:
    assert door_of(address) == door


def test_the_same_pairs_are_likely_as_comparing_each_with_each() -> None:
    random = Random(6)
    words = ["An", "Bình", "An Bình", "Quán An", "Cửa hàng Bình 2", "Bình An 2", "Phở An", ""]
    doors = ["1 Cát Bi", "số 1, đường Cát Bi", "2 Cát Bi", "2 Lê Lợi", "Cát Bi", ""]

    def some(count: int) -> list[Named]:
        return [
            Named(f"{random.choice(words)} {random.choice(words)}", random.choice(doors), "w")
            for _ in range(count)
        ]

    for _ in range(20):
        old = [replace(one, site=at) for at, one in enumerate(some(15), 1)]
        new = [replace(one, row=at) for at, one in enumerate(some(15), 1)]
        everyone = [*old, *new]
        expected = {}
        for at in range(len(old), len(everyone)):
            alike = [(_likeness(everyone[at], other), -n) for n, other in enumerate(everyone[:at])]
            best, other = max(alike)
            if best:
                expected[everyone[at].row] = (everyone[-other], best)
        found = likely(new, old)
        assert {p.one.row: (p.other, p.likeness) for p in found} == expected


def _likeness(one: Named, other: Named) -> int:
    name, another = telling(one.name), telling(other.name)
    door, elsewhere = telling(one.address), telling(other.address)

    def numbers(text: str) -> list[str]:
        return sorted(word for word in text.split() if any(c.isdigit() for c in word))

    alike = fuzz.token_sort_ratio(name, another)
    if numbers(name) != numbers(another):
        return 0
    if not door or not elsewhere:
        return int(alike) if alike >= NO_DOOR else 0
    near = fuzz.token_sort_ratio(door, elsewhere) >= DOOR and numbers(door) == numbers(elsewhere)
    return int(alike) if near and alike >= SAME_DOOR else 0


def test_a_ward_of_many_shops_is_compared_in_a_moment() -> None:
    listed = [Named(f"Cửa hàng số {n}", f"{n} Cát Bi", "w", row=n) for n in range(1, 20_001)]
    began = time.process_time()
    assert likely(listed, []) == []
    assert time.process_time() - began < 10, "each with each takes a minute"


def test_a_row_of_a_room_alone_is_of_the_site_above() -> None:
    heading = ["STT", "Tên cơ sở", "Loại hình", "Địa chỉ", "Phường", "Giờ mở cửa", "Điểm quét"]
    found = read(
        ["1", "Trường Lũng", "trường học", "1 Cát Bi", "Đằng Lâm", "7h-17h", "Cổng chính"],
        ["", "", "", "", "", "", "Cổng sau"],
        ["", "", "", "", "", "8h-11h", "Lớp 1A"],
        ["II. CHỢ"],
        ["", "", "", "", "", "", "Cổng lạc"],
        ["", "", "", "", "", "", ""],
        ["2", "Quán A", "quán ăn", "2 Cát Bi", "Bến Nghé", "", "Tầng 1"],
        ["", "", "", "", "", "", "Tầng 2"],
        heading=heading,
    )
    [school] = grouped(found.listed).sites
    hours = [p.hours and p.hours.opens for p in school.places]
    assert [p.name for p in school.places] == ["Cổng chính", "Cổng sau", "Lớp 1A"]
    assert hours == ["07:00", "07:00", "08:00"]
    assert [(r.row, r.column) for r in found.refused] == [
        (6, "Tên cơ sở"), (8, "Phường"), (9, "Phường"),
    ], "nothing is passed over in silence"  # fmt: skip
    assert found.titles == [5]


def workbook(path: Path, cells: list[list[Any]], merged: list[tuple[int, int, int, int]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Bìa")
        sheet = book.add_worksheet("DS")
        for r, row in enumerate(cells):
            for c, value in enumerate(row):
                sheet.write(r, c, value)
        for top, left, bottom, right in merged:
            sheet.merge_range(top, left, bottom, right, cells[top][left])
    return path


def test_a_workbook_with_merged_cells_and_an_empty_first_sheet(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "ds.xlsx",
        [
            ["DANH SÁCH", None, None],
            ["Phường", "Tên cơ sở", "Sức chứa"],
            ["Đằng Lâm", "Quán A", 100.0],
            [None, "Quán B", 20],
        ],
        [(0, 0, 0, 2), (2, 0, 3, 0)],
    )
    found = read_rows(path)
    assert [row.cells for row in found] == [
        ("DANH SÁCH", "", ""), ("Phường", "Tên cơ sở", "Sức chứa"),
        ("Đằng Lâm", "Quán A", "100"), ("Đằng Lâm", "Quán B", "20"),
    ]  # fmt: skip
    assert [row.number for row in found] == [1, 2, 3, 4]
    with pytest.raises(UserError, match="no sheet 'X'; it has Bìa, DS"):
        read_rows(path, "X")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_as_spreadsheets_save_it(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "ds.csv"
    text = (
        delimiter.join(['"Tên cơ sở"', "Địa chỉ"]) + "\r\n" + delimiter.join(["A", '"1, Cát Bi"'])
    )
    path.write_bytes(text.encode(encoding))
    assert [row.cells for row in read_rows(path)] == [("Tên cơ sở", "Địa chỉ"), ("A", "1, Cát Bi")]


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    legacy = tmp_path / "a.csv"
    legacy.write_bytes("Tên\nQuán Phở".encode("cp1258", errors="replace") + b"\xff")
    with pytest.raises(UserError, match=r"not UTF-8\. Save it"):
        read_rows(legacy)
    broken = tmp_path / "b.xlsx"
    broken.write_bytes(b"no zip")
    with pytest.raises(UserError, match="cannot be read as a workbook"):
        read_rows(broken)
    with pytest.raises(UserError, match="must be one of these"):
        read_rows(_made(tmp_path / "c.pdf"))
    with pytest.raises(UserError, match="no file"):
        read_rows(tmp_path / "none.csv")


def _made(path: Path) -> Path:
    path.write_text("x")
    return path


def test_a_long_text_is_read_row_by_row_and_says_where_it_breaks(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_bytes(b"a,b\n" * 50_000 + b"\xff,b\n" + b"a,b\n" * 10)
    coming = rows_of(file)
    assert next(coming) == Row(1, ("a", "b")), "before the broken line is met"
    with pytest.raises(UserError, match="line 50001: not UTF-8"):
        list(coming)


def test_a_million_places_and_a_heading_are_not_too_many_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sheet.MOST_ROWS > 1_000_030
    monkeypatch.setattr(sheet, "MOST_ROWS", 3)
    file = tmp_path / "a.csv"
    file.write_text("a\n" * 3)
    assert len(read_rows(file)) == 3
    file.write_text("a\n" * 4)
    with pytest.raises(UserError, match="more than 3 rows"):
        read_rows(file)


def test_a_cell_at_the_far_end_of_a_sheet_takes_nobodys_memory(tmp_path: Path) -> None:
    file = tmp_path / "xa.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Tên cơ sở", "Phường"])
        page.write(1_048_575, 16_383, "x")
    assert file.stat().st_size < 10_000
    with pytest.raises(UserError, match="far outside its table"):
        read_rows(file)
