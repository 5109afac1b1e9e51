"""Coverage on a terminal of a hundred columns: every line fits, in each language."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli.behind_text import show_behind
from console.cli.coverage_text import show_funnel
from console.cli.session import Lang, Session
from console.coverage.funnel import Asked, By, Funnel, Line, Reached
from console.coverage.named import BehindNamed
from console.coverage.stages import STAGES, Stage, Within

AT = datetime(2026, 11, 26, 9, tzinfo=UTC)
REACHED = dict.fromkeys(STAGES, Reached(sites=1234, required=1000, places=12345))
WARDS = ("11413", "11407", "11422")
LANGUAGES = pytest.mark.parametrize("lang", list(Lang))


def funnel(*keys: tuple[str, ...]) -> Funnel:
    return Funnel(AT, Within(7, 90), [Line(key, 1200, REACHED, 99) for key in keys])


@LANGUAGES
def test_a_line_a_ward_fits_with_all_stages(lang: Lang, capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(Path(), lang)
    asked = Asked("city/31")
    show_funnel(session, funnel(*((ward,) for ward in WARDS)), [By.WARD], asked, [], places=False)
    lines = capsys.readouterr().out.splitlines()
    rows = [one for one in lines if one.startswith("Phường")]
    assert len(rows) == len(WARDS), "a name is not broken over lines"
    assert all(one.count("1\u202f200") == 1 for one in rows)
    assert all(one.count("1\u202f000") == len(STAGES) for one in rows), "of those required"
    assert all(one.count("1\u202f000 +234") == 1 for one in rows)
    table = lines[2 : lines.index(rows[-1]) + 1]
    assert max(map(len, table)) <= 100
    assert len(table) == len(WARDS) + (2 if lang is Lang.BOTH else 1)


def test_where_no_list_names_any_all_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = funnel(("11413",), ("11407",))
    found.lines[1] = replace(found.lines[1], required=0)
    session = Session(Path(), Lang.EN)
    show_funnel(session, found, [By.WARD], Asked("city/31"), [], places=False)
    said = capsys.readouterr().out
    [row] = [one for one in said.splitlines() if one.startswith("Phường Vĩnh Niệm")]
    assert row.split()[3] == "?"
    assert row.count("1\u202f234") == len(STAGES)
    assert "?: no list names any there" in said
    show_funnel(session, found, [By.WARD], Asked("city/31"), [], places=True)
    said = capsys.readouterr().out
    assert said.count("12\u202f345") == 2 * len(STAGES)
    assert "+" not in said


@LANGUAGES
def test_the_funnel_of_one_area_stands_in_columns(
    lang: Lang, capsys: pytest.CaptureFixture[str]
) -> None:
    show_funnel(Session(Path(), lang), funnel(()), [], Asked("ward/11413"), [], places=False)
    bars = [one for one in capsys.readouterr().out.splitlines() if " % " in one]
    assert len(bars) == len(STAGES) + 1
    assert len({one.index(" % ") for one in bars}) == 1
    assert max(map(len, bars)) <= 110


def test_of_two_keys_the_first_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = funnel(("11413", "market"), ("11413", "school"), ("11422", "market"))
    session = Session(Path(), Lang.EN)
    show_funnel(session, found, [By.WARD, By.KIND], Asked("city/31"), [], places=False)
    said = capsys.readouterr().out
    assert said.count("Đằng") == 1
    assert said.count("Cát Bi") == 1


def test_who_is_behind_is_named_once_in_each_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = BehindNamed(
        place=4, site=4, ward="11413", kind="shop", sector="industry_trade", required=True,
        since=AT, printed=True, posted=False, inspected_at=None, last_scan=None,
        place_name="Tạp hoá", site_name="Tạp hoá", opening_days=1,
    )  # fmt: skip
    show_behind(Session(Path()), Stage.DUTY, AT, [row], 50, as_json=False)
    said = capsys.readouterr().out
    assert said.startswith(
        "Chưa đạt «có người phụ trách» / Behind at “duty person named”, 26/11/2026"
    )
    assert said.count("Tạp hoá") == 1
    assert "days open" not in said, "which days it was open says nothing of who is on duty"
    show_behind(Session(Path(), Lang.EN), Stage.SCANNED, AT, [row], 50, as_json=False)
    assert "(days open since its code: 1; not said to be posted)" in capsys.readouterr().out
    show_behind(Session(Path(), Lang.EN), Stage.POSTED, AT, [row], 50, as_json=False)
    assert "(" not in capsys.readouterr().out.splitlines()[-1]
