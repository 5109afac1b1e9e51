"""The table of possible contacts fits a terminal of a hundred columns and says why."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from console.cli.contacts_table import show
from console.cli.contacts_words import BANDS, PROVENANCE, TIERS
from console.cli.session import Lang, Session
from tracer.documents import NAMED
from tracer.parameters import BANDS as ALL_BANDS
from tracer.parameters import ENDS, STARTS, STATED
from tracer.tiers import Tier

NAME = "Phòng họp lớn tầng hai, nhà A [khu vực 3]"


def _stay(end: str) -> dict[str, Any]:
    return {"start": "", "end": "", "start_provenance": "scan_in", "end_provenance": end}


def _contact(rank: int, tier: str, end: str) -> dict[str, Any]:
    exposure = {
        "place": 7,
        "start": "2026-11-23T16:30:00.000Z",
        "end": "2026-11-23T17:30:00.000Z",
        "minutes": 60.0,
        "stay": _stay(end),
        "case_stay": _stay("scan_out"),
    }
    return {
        "rank": rank,
        "person": "2C9V0A7NJ5X1T",
        "tier": tier,
        "minutes": 1234.5,
        "band": "medium",
        "clauses": ["a", "b", "c", "d"],
        "questions": ["touch", "masks", "within_2_m", "care", "protective_equipment"],
        "exposures": [exposure, exposure | {"place": 8}],
        "path": [{}, {k: exposure[k] for k in ("place", "start", "end")}, {}],
    }


def _found() -> dict[str, Any]:
    return {
        "case": {"id": "C-2026-000123", "person": "7ZK3M9QX2B4CD"},
        "state": "retracing",
        "run": {
            "run": 2,
            "rule_set": "vn-2021-12-29",
            "window_from": "2026-11-18T17:00:00.000Z",
            "window_to": "2026-11-24T03:00:00.000Z",
            "notes": [{"vi": "Đồng hồ ở đó hình như chậm.", "en": "A clock seems slow."}],
        },
        "contacts": [
            _contact(rank, tier.value, end)
            for rank, (tier, end) in enumerate(((t, e) for t in Tier for e in ENDS), start=1)
        ],
        "total": 999,
        "places": {
            "7": {"site_name": "Sở Giao thông vận tải thành phố Hải Phòng", "name": NAME},
        },
    }


@pytest.mark.parametrize("lang", list(Lang))
def test_it_fits_and_says_why(lang: Lang) -> None:
    out = io.StringIO()
    show(_found(), Session(Path(), lang), Console(file=out, width=100, highlight=False))
    text = out.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 100
    flat = " ".join(text.split())
    for said in (
        "2C9V0A7NJ5X1T",
        "[khu vực 3]",
        "23/11 23:30",
        "24/11 00:30",
        "(a, b, c, d)",
        "Đồng hồ ở đó hình như chậm." if lang is not Lang.EN else "A clock seems slow.",
        "978",
    ):
        assert said in flat
    assert ("Same place, same time" in text) == (lang is not Lang.VI)
    assert ("thời kỳ lây truyền" in text) == (lang is not Lang.EN)


@pytest.mark.parametrize(("lang", "said"), [(Lang.VI, "đi cùng 3"), (Lang.EN, "came with 3")])
def test_who_came_with_others_says_with_how_many(lang: Lang, said: str) -> None:
    out, found = io.StringIO(), _found()
    show(found, Session(Path(), lang), Console(file=out, width=100))
    assert said not in " ".join(out.getvalue().split())
    found["contacts"][0]["exposures"][0]["stay"]["companions"] = 3
    show(found, Session(Path(), lang), Console(file=out, width=100))
    assert said in " ".join(out.getvalue().split())


def test_weighted_minutes_stand_where_there_are_no_clauses() -> None:
    out = io.StringIO()
    found = _found()
    for contact in found["contacts"]:
        contact |= {"clauses": [], "questions": [], "weighted": 12.4, "category": "high"}
    show(found, Session(Path(), Lang.EN), Console(file=out, width=100))
    assert "12.4 min: high" in " ".join(out.getvalue().split())


def test_what_an_officer_decided_is_seen() -> None:
    found = _found()
    found["contacts"] = [
        _contact(1, "same_place", "usual_stay") | {"decided": "CONFIRMED"},
        _contact(2, "same_place", "usual_stay") | {"decided": "NO_CONTACT"},
    ]
    out = io.StringIO()
    show(found, Session(Path(), Lang.EN), Console(file=out, width=100))
    text = out.getvalue()
    assert text.index("Same place") < text.index("F1 ") < text.index("Ruled out by an officer")


def test_what_the_answers_leave_is_marked_with_a_question() -> None:
    found, left = _found(), (("CONFIRMED", None), ("NO_CONTACT", None), ("CONFIRMED", "CONFIRMED"))
    found["contacts"] = [
        _contact(n, "same_place", "usual_stay") | {"proposed": proposed, "decided": decided}
        for n, (proposed, decided) in enumerate(left)
    ]
    out = io.StringIO()
    show(found, Session(Path(), Lang.EN), Console(file=out, width=100))
    text = out.getvalue()
    assert (text.count("F1?"), text.count("rule out?"), text.count("F1 ")) == (1, 1, 1)


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize(
    ("status", "vi", "en"),
    [
        ("voided", "ca đã huỷ, đăng ký nhầm", "voided, registered in error"),
        ("closed", "ca đã đóng", "closed: new scans are not watched"),
        ("confirmed", "", ""),
    ],
)
def test_a_case_that_is_not_open_is_said_to_be_so(
    status: str, vi: str, en: str, lang: Lang
) -> None:
    found = _found()
    found["case"]["status"] = status
    out = io.StringIO()
    show(found, Session(Path(), lang), Console(file=out, width=100, highlight=False))
    text = out.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 100
    if vi:
        assert (vi in text, en in text) == (lang is not Lang.EN, lang is not Lang.VI)
    else:
        assert ("đã huỷ" in text, "đã đóng" in text, "voided" in text) == (False, False, False)


def test_a_place_that_may_not_be_seen_is_a_number() -> None:
    out = io.StringIO()
    found = _found() | {"places": {}}
    show(found, Session(Path(), Lang.EN), Console(file=out, width=100))
    assert "#7" in out.getvalue()


def test_the_bands_say_what_they_range_over() -> None:
    out = io.StringIO()
    found = _found()
    run = found["run"] | {"parameters": {"bands": {"high": 0.95, "medium": 0.8}}}
    show(found | {"run": run}, Session(Path(), Lang.EN), Console(file=out, width=100))
    assert "high from 95 %, medium from 80 %" in out.getvalue()


def test_every_word_of_the_tracer_has_one_here() -> None:
    assert set(TIERS) == {*Tier, NAMED}
    assert set(PROVENANCE) == {*STARTS, *ENDS, *STATED}
    assert set(BANDS) == set(ALL_BANDS)


def test_whom_the_case_named_comes_under_one_heading_and_says_how_they_know_it() -> None:
    """Whether or not scans show them: between them nobody else's heading."""
    out, found = io.StringIO(), _found()
    named = {"relation": "colleague", "last_contact": "2026-11-23"}
    seen = _contact(1, "same_small_enclosed", "scan_out") | {"named": named}
    unseen = seen | {"rank": 2, "tier": NAMED, "exposures": [], "person": "3C9V0A7NJ5X1T"}
    found["contacts"] = [seen, unseen, seen | {"rank": 3}, _contact(4, "same_place", "cap")]
    show(found, Session(Path(), Lang.EN), Console(file=out, width=100))
    text = " ".join(out.getvalue().split())
    assert text.count("Named by the case") == 1
    assert text.count("colleague") == 3
    assert "colleague; " in text, "and the tier of who was seen"


def test_whom_the_case_rules_out_and_points_without_a_person_are_said() -> None:
    out, found = io.StringIO(), _found()
    excluded = [{"person": "3C9V0A7NJ5X1T", "reason": "not_there"}]
    found["case"] |= {"excluded": excluded, "person": None}
    show(found, Session(Path(), Lang.EN), Console(file=out, width=100))
    head = out.getvalue().partition("Same small")[0]
    assert "3C9V0A7NJ5X1T (was not there)" in head
    assert "None" not in head
    assert "place-time points:" in head
    assert "infectious period" not in head
