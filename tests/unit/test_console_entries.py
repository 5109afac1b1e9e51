"""Entries of a case over HTTP: added and removed together or not at all, and who did it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.api import entries
from console.store.register import NewPlace, NewSite, register_sites
from schemas.places import Trip
from schemas.scan import format_timestamp
from schemas.settings import Settings
from tests.console_kit import PERSON, RING, WARD, Running, new_sites, running
from tests.unit.test_console_amend import HEAD, register

SOMEBODY, ANOTHER = "8KS5H5E7SNRGN", "FZ3052HTPXQGS"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def place(console: Running) -> int:
    [place] = register_sites(console.store, RING, new_sites(1, 1), source="list")
    return place.id


def point(place: int, begin_h: float = -3, hours: float = 1, **more: Any) -> dict[str, Any]:
    begin = NOW + timedelta(hours=begin_h)
    end = format_timestamp(begin + timedelta(hours=hours))
    return {"place": place, "begin": format_timestamp(begin), "end": end} | more


def change(console: Running, case: str, **body: Any) -> Any:
    return console.client.post(f"/v1/cases/{case}/entries", json=body, headers=HEAD)


def test_entries_come_and_go_together(console: Running, place: int) -> None:
    case = register(console)
    a_point = point(place, source="camera")
    named = {"person": SOMEBODY, "relation": "household", "last_contact": "2026-03-04"}
    answer = change(console, case["id"], add={"points": [a_point], "named": [named]}, note="Mai")
    assert answer.status_code == 200, answer.text
    assert answer.json() == case | {"version": 2, "points": [a_point], "named": [named]}
    excluded = {"person": SOMEBODY, "reason": "other"}
    answer = change(
        console, case["id"], remove={"named": [named]}, add={"excluded": [excluded]}, version=2
    )
    assert answer.json() == case | {"version": 3, "points": [a_point], "excluded": [excluded]}
    again = change(console, case["id"], add={"excluded": [excluded]})
    assert again.json()["version"] == 3  # there already: nothing is new

    history = console.client.get(f"/v1/cases/{case['id']}/history", headers=HEAD).json()
    assert [(h["version"], h["note"]) for h in history["history"]] == [(2, "Mai"), (3, None)]
    assert history["history"][1]["changes"] == {"named": [], "excluded": [excluded]}
    assert history["history"][0]["by"].startswith("key/")
    events = [orjson.loads(r.value) for r in console.relayed.records if r.topic == "cases.v1"]
    assert all("Mai" not in str(event) for event in events), "notes stay here"


def test_points_alone_are_registered_without_a_person(console: Running, place: int) -> None:
    body = {"points": [point(place, source="roster")], "ward": WARD}
    answer = console.client.post("/v1/cases", json=body, headers=HEAD)
    assert answer.status_code == 201, answer.text
    assert answer.json()["person"] is None
    neither = console.client.post("/v1/cases", json={"ward": WARD}, headers=HEAD)
    assert [e["code"] for e in neither.json()["errors"]] == ["person_or_points"]


@pytest.mark.parametrize(
    ("kind", "made", "field", "code"),
    [
        ("points", lambda p: point(p + 1, source="camera"), "points.0.place", "unknown"),
        ("points", lambda p: point(p, hours=-1, source="camera"), "points.0.end", "before_begin"),
        ("points", lambda p: point(p, hours=9, source="camera"), "points.0.end", "in_future"),
        ("points", lambda p: point(p, -60, 30, source="camera"), "points.0.end", "too_long"),
        (
            "points",
            lambda p: point(p, -24 * 40, source="camera"),
            "points.0.begin",
            "before_retention",
        ),
        (
            "answers",
            lambda p: point(p + 1, person=SOMEBODY),
            "answers.0.place",
            "unknown",
        ),
        (
            "named",
            lambda _: {"person": SOMEBODY, "relation": "other", "last_contact": "2999-01-01"},
            "named.0.last_contact",
            "in_future",
        ),
        (
            "named",
            lambda _: {"person": SOMEBODY, "relation": "other", "last_contact": "0001-01-01"},
            "named.0.last_contact",
            "too_old",
        ),
        (
            "excluded",
            lambda _: {"person": PERSON, "reason": "other"},
            "excluded.0.person",
            "the_case",
        ),
    ],
)
def test_each_refusal_names_its_field(
    console: Running, place: int, kind: str, made: Any, field: str, code: str
) -> None:
    case = register(console)
    answer = change(console, case["id"], add={kind: [made(place)]})
    assert answer.status_code == 422
    assert (f"add.{field}", code) in [(e["field"], e["code"]) for e in answer.json()["errors"]]
    assert console.client.get(f"/v1/cases/{case['id']}", headers=HEAD).json() == case


def test_a_point_is_corrected_as_long_as_the_case_is_open(
    console: Running, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months later too, when its scans are long gone: an earlier run has what they said."""
    case, venue = register(console), point(place, source="roster")
    assert change(console, case["id"], add={"points": [venue]}).status_code == 200
    monkeypatch.setattr(entries, "utc_now", lambda: NOW + timedelta(days=90))
    shorter = point(place, hours=0.5, source="roster")
    answer = change(console, case["id"], remove={"points": [venue]}, add={"points": [shorter]})
    assert (answer.status_code, answer.json()["points"]) == (200, [shorter])
    assert change(console, case["id"], remove={"points": [shorter]}).json()["points"] == []
    back = change(console, case["id"], add={"points": [venue]})
    assert back.json()["points"] == [venue]
    assert change(console, case["id"], add={"points": [venue]}).json() == back.json()
    for entry, kind in ((point(place, -24 * 30, source="roster"), "points"),
                        (point(place, person=SOMEBODY), "answers")):  # fmt: skip
        [problem] = change(console, case["id"], add={kind: [entry]}).json()["errors"]
        assert problem["code"] == "before_retention"


def test_a_point_that_retention_cuts_is_traced_for_what_is_left(
    console: Running, place: int
) -> None:
    days = Settings.model_fields["retention_days"].default
    cut = point(place, -24 * days - 1, 2, source="camera")
    answer = change(console, register(console)["id"], add={"points": [cut]})
    assert (answer.status_code, answer.json()["points"]) == (200, [cut])


def test_the_same_point_twice_is_one(console: Running, place: int) -> None:
    twice = 2 * [point(place, source="roster")]
    body = {"points": twice, "ward": WARD}
    case = console.client.post("/v1/cases", json=body, headers=HEAD).json()
    assert case["points"] == twice[:1]


def test_an_answer_may_be_as_long_as_a_stay_there(console: Running, place: int) -> None:
    begins = NOW - timedelta(hours=50)
    ride = Trip(id="NS-1", departs_at=begins, arrives_at=begins + timedelta(hours=36))
    coach = NewSite(
        "Hoàng Long", "bus_operator", WARD, "transport", "x",
        places=(NewPlace("Xe 1", "bus", "xe", trips=(ride,)),),
    )  # fmt: skip
    [vehicle] = register_sites(console.store, RING, [coach], source="list")
    case = register(console)

    def code(place: int, hours: float) -> Any:
        entry = point(place, -50, hours, person=SOMEBODY)
        answer = change(console, case["id"], add={"answers": [entry]})
        if answer.status_code == 200:
            return 200
        [problem] = answer.json()["errors"]
        return problem["code"], problem["sentence"]["en"]

    assert code(vehicle.id, 36) == 200
    assert code(vehicle.id, 45) == (
        "too_long",
        "Longer than 40 hours: no stay there lasts that long, check the days and times.",
    )
    assert code(place, 24) == 200
    assert code(place, 25)[0] == "too_long"


def test_nobody_is_both_named_and_excluded_nor_there_twice(console: Running) -> None:
    case = register(console)
    named = {"person": SOMEBODY, "relation": "other", "last_contact": "2026-03-04"}
    assert change(console, case["id"], add={"named": [named]}).status_code == 200

    def code(**body: Any) -> str:
        answer = change(console, case["id"], **body)
        assert answer.status_code == 422
        found: str = answer.json()["errors"][0]["code"]
        return found

    excluded = {"person": SOMEBODY, "reason": "other"}
    assert code(add={"excluded": [excluded]}) == "named_and_excluded"
    assert code(add={"named": [named | {"relation": "care"}]}) == "twice"


def test_two_at_once_and_what_is_not_there(console: Running, place: int) -> None:
    case = register(console)
    absent = change(console, case["id"], remove={"points": [point(place, source="camera")]})
    assert absent.status_code == 409
    named = {"person": ANOTHER, "relation": "other", "last_contact": "2026-03-04"}
    assert change(console, case["id"], add={"named": [named]}, version=1).status_code == 200
    late = change(console, case["id"], remove={"named": [named]}, version=1)
    assert late.status_code == 409
    console.client.post(f"/v1/cases/{case['id']}/void", headers=HEAD)
    assert change(console, case["id"], remove={"named": [named]}).status_code == 409


def test_a_card_of_the_case_is_entered_by_hand(console: Running) -> None:
    case = register(console)

    def code(**body: Any) -> Any:
        answer = change(console, case["id"], **body)
        if answer.status_code == 422:
            return answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]
        return answer.status_code

    card = {"person": SOMEBODY, "of": PERSON}
    assert code(add={"same": [{"person": PERSON, "of": SOMEBODY}]}) == (
        "add.same.0.person",
        "the_case",
    )
    assert code(add={"same": [{"person": SOMEBODY, "of": SOMEBODY}]}) == ("add.same.0.of", "joined")
    assert code(add={"same": [card]}) == 200
    assert code(add={"same": [card]}) == 200  # there already
    assert code(add={"same": [{"person": SOMEBODY, "of": ANOTHER}]}) == (
        "add.same.0.person",
        "twice",
    )
    assert code(add={"same": [{"person": ANOTHER, "of": SOMEBODY}]}) == ("add.same.0.of", "joined")
    assert code(remove={"same": [card]}) == 200
    found = console.client.get(f"/v1/cases/{case['id']}", headers=HEAD).json()
    assert (found["same"], found["version"]) == ([], 3)


def test_an_answer_is_corrected_by_another_of_the_same_stay(console: Running, place: int) -> None:
    """Of two with one beginning the later end would count: a correction to an earlier one did
    nothing."""
    case = register(console)["id"]
    first, second = ({"person": PERSON} | point(place, -3, hours) for hours in (1, 0.5))
    of_another, later = first | {"person": SOMEBODY}, {"person": PERSON} | point(place, -2, 0.5)
    change(console, case, add={"answers": [first, of_another, later]})
    after = change(console, case, add={"answers": [second]}).json()["answers"]
    assert sorted(after, key=str) == sorted([second, of_another, later], key=str)
    again = change(console, case, add={"answers": [second]}).json()
    assert len(again["answers"]) == 3


def test_the_case_is_not_named_by_another_id_of_its_own(console: Running) -> None:
    case = register(console)["id"]
    change(console, case, add={"same": [{"person": ANOTHER, "of": PERSON}]})
    named = {"person": ANOTHER, "relation": "household", "last_contact": "2026-03-04"}
    refused = change(console, case, add={"named": [named]})
    assert [e["code"] for e in refused.json()["errors"]] == ["the_case"]


def test_what_cannot_be_amended_is_said_so_whatever_it_is(console: Running) -> None:
    """And not that a good id is a bad one; of what is no JSON the body is named."""
    case = register(console)["id"]
    path = f"/v1/cases/{case}"
    refused = console.client.patch(path, json={"person": SOMEBODY}, headers=HEAD)
    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [
        ("person", "extra_forbidden")
    ]
    headers = HEAD | {"Content-Type": "application/json"}
    broken = console.client.patch(path, content=b"{", headers=headers)
    assert [e["field"] for e in broken.json()["errors"]] == ["body"]


def test_of_two_answers_of_one_stay_in_one_request_the_last_counts(
    console: Running, place: int
) -> None:
    case = register(console)["id"]
    two = [{"person": PERSON} | point(place, -3, hours) for hours in (1, 0.5)]
    after = change(console, case, add={"answers": two}).json()["answers"]
    assert after == two[1:]
