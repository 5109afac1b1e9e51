"""`rules list | show | diff` and the route behind it, on a console with tables in memory."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console as Screen

from console.cli.main import main
from console.cli.rules_text import explain, show_diff
from console.cli.session import Lang, Session
from console.store import cases
from console.store.keys import Role
from console.store.register import NewPlace, NewSite, register_sites
from schemas.ids import person_text
from tests.console_kit import ADMIN, RING, WARD, Running, bearer, running
from tests.unit.test_contacts import ALICE, BOB, CASE, FakeEngine, visits
from tracer.ruleset import load_rule_sets

HEAD = bearer(ADMIN)
RULE_SETS = load_rule_sets()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, retention_days=0) as made:
        yield made


def a_case(console: Running) -> str:
    """Onset a day ago; met one person three days before it, another on the day itself."""
    site = NewSite(
        "Site", "office", WARD, "health", "s",
        places=(NewPlace("Room", "meeting_room", "s/1", enclosed=True, small=True),),
    )  # fmt: skip
    [place] = register_sites(console.store, RING, [site], source="list")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    onset = (now - timedelta(days=1)).date()
    noon = datetime.combine(onset, datetime.min.time(), UTC) + timedelta(hours=5)
    rows = []
    for person, days in ((ALICE, 3), (BOB, 0)):
        at = (noon - timedelta(days=days) - _VISITS_BEGIN).total_seconds() / 60
        rows += [(CASE, place.id, at, at + 60), (person, place.id, at + 10, at + 40)]
    engine = FakeEngine(visits(*rows))
    console.tables.query_arrow = engine.query_arrow  # type: ignore[assignment, method-assign]
    body = {"person": person_text(CASE), "onset": str(onset), "ward": WARD}
    made = console.client.post("/v1/cases", json=body, headers=HEAD)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


_VISITS_BEGIN = datetime(2022, 1, 5, tzinfo=UTC)


def test_two_rule_sets_on_the_same_scans(console: Running) -> None:
    case = a_case(console)
    path = f"/v1/cases/{case}/rules-diff?a=vn-2020-12-03&b=vn-2021-12-29"
    answer = console.client.get(path, headers=HEAD)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["a"]["contacts"], body["b"]["contacts"]) == (2, 1)
    by_person = {change["person"]: change for change in body["changes"]}
    removed = by_person[person_text(ALICE)]
    assert (removed["change"], removed["reasons"]) == ("removed", ["window"])
    assert removed["after"] is None
    assert removed["before"]["minutes"] == 30.0
    changed = by_person[person_text(BOB)]
    assert (changed["change"], changed["reasons"]) == ("changed", ["clauses"])
    assert cases.case(console.store, case).version == 1  # type: ignore[union-attr]


def test_an_unknown_rule_set_is_named(console: Running) -> None:
    answer = console.client.get(
        f"/v1/cases/{a_case(console)}/rules-diff?a=vn-2020-12-03&b=nope", headers=HEAD
    )
    assert answer.status_code == 422
    [problem] = answer.json()["errors"]
    assert problem["field"] == "b"
    assert "cwa-2021" in str(problem)


def test_a_case_outside_the_area_is_not_there(console: Running) -> None:
    case = a_case(console)
    path = f"/v1/cases/{case}/rules-diff?a=vn-2020-12-03&b=vn-2021-12-29"
    elsewhere = console.key(Role.EPIDEMIOLOGIST, "city/01")
    assert console.client.get(path, headers=elsewhere).status_code == 404
    assert console.client.get(path, headers=console.key(Role.OFFICER)).status_code == 403
    assert console.client.get(path).status_code == 401


def shown(lang: Lang, draw: Any) -> str:
    out = io.StringIO()
    draw(Session(Path(), lang), Screen(file=out, width=100, highlight=False))
    text = out.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 100
    return " ".join(text.split())


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("rule_set", RULE_SETS, ids=lambda r: r.id)
def test_every_rule_set_is_explained(lang: Lang, rule_set: Any) -> None:
    text = shown(lang, lambda session, screen: explain(rule_set, session, screen))
    language = ("vi",) if lang is Lang.VI else ("en",) if lang is Lang.EN else ("vi", "en")
    for name in language:
        for words in (*rule_set.missing, *rule_set.clauses, *rule_set.questions, rule_set.f2_note):
            assert " ".join(getattr(words, name).split()) in text
    if rule_set.warning is not None:
        assert "-4: 0.8 -3: 1.2" in text


@pytest.mark.parametrize("lang", list(Lang))
def test_the_difference_is_a_table_by_reason(lang: Lang) -> None:
    side = {
        "tier": "same_small_enclosed", "call": True, "minutes": 30.4, "band": "high",
        "clauses": ["a", "b"], "questions": [], "last_exposure": "2026-11-20T01:00:00.000Z",
    }  # fmt: skip
    about = {
        "window_from": "2026-11-18T17:00:00.000Z", "window_to": "2026-11-24T03:00:00.000Z",
        "contacts": 1234, "call": 56,
    }  # fmt: skip
    changes = [
        {"person": person_text(n), "change": "removed", "reasons": ["window"], "before": side,
         "after": None}
        for n in range(5)
    ] + [
        {"person": person_text(9), "change": "changed", "reasons": ["clauses", "weights"],
         "before": side, "after": side | {"clauses": [], "weighted": 12.0, "category": "high"}}
    ]  # fmt: skip
    found = {
        "case": "C-1",
        "a": about | {"rule_set": "vn-2020-12-03"},
        "b": about | {"rule_set": "cwa-2021"},
        "changes": changes,
    }
    text = shown(lang, lambda session, screen: show_diff(found, 3, session, screen))
    assert text.count("(a, b)") == 4
    assert "… 2" in text
    assert "12 (high)" in text


def test_list_and_show_from_the_command_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = ["--data-dir", str(tmp_path), "--lang", "en"]
    assert main([*root, "rules", "list"]) == 0
    listed = capsys.readouterr().out
    assert "by hand only" in listed
    assert "* " in listed
    assert main([*root, "rules", "list", "--json"]) == 0
    document = orjson.loads(capsys.readouterr().out)
    assert {r["id"] for r in document["rule_sets"]} == {r.id for r in RULE_SETS}
    assert main([*root, "rules", "show", "cwa-2021"]) == 0
    assert "prolonged" in capsys.readouterr().out
    assert main([*root, "rules", "show", "nope"]) != 0
    assert "there are: vn-2020-12-03" in capsys.readouterr().err
