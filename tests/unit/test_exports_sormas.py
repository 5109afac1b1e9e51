"""SORMAS's file: who goes out, as found by whom, and in which form an importer reads it."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from schemas.clock import LOCAL
from schemas.scan import format_timestamp
from tests.console_kit import PERSON, Running, running
from tests.worklist_kit import (
    HEAD,
    TODAY,
    YESTERDAY,
    A,
    B,
    C,
    D,
    document,
    exposure,
    new_case,
    trace,
)

SAID_ON = TODAY - timedelta(days=1)
SOURCE = ("contactIdentificationSource", "tracingApp", "tracingAppDetails")


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def imported(console: Running, case: str, **what: str) -> dict[str, dict[str, str]]:
    """Each contact of the file, by person."""
    wanted = {"format": "sormas", "case": case} | what
    answer = console.client.get("/v1/exports/contacts", params=wanted, headers=HEAD)
    assert answer.status_code == 200, answer.text
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    return {row["externalID"].rpartition("/")[2]: row for row in rows}


def name(console: Running, case: str, *persons: str) -> None:
    """In the interview, as household, of yesterday."""
    said = {"relation": "household", "last_contact": str(SAID_ON)}
    body = {"add": {"named": [said | {"person": person} for person in persons]}}
    answer = console.client.post(f"/v1/cases/{case}/entries", json=body, headers=HEAD)
    assert answer.status_code == 200, answer.text


def unseen(person: str) -> dict[str, Any]:
    """What the tracer writes of who was named and no scan shows: its last exposure is the end of
    the day that was named."""
    ended = f"{SAID_ON}T16:59:59.999Z"
    named = {"relation": "household", "last_contact": str(SAID_ON)}
    return document(person) | {
        "tier": "named", "minutes": 0.0, "exposures": [], "named": named, "last_exposure": ended,
        "path": [{"person": PERSON, "case": "C"}, {"person": person}],
    }  # fmt: skip


def test_who_was_named_is_the_cases_word_and_who_was_scanned_the_apps(console: Running) -> None:
    case = new_case(console)
    name(console, case, B, C, D)
    seen = document(C, exposure(), named={"relation": "household", "last_contact": str(SAID_ON)})
    trace(console, case, unseen(B), seen, document(A))  # D is not in a run yet
    found = imported(console, case)
    assert sorted(found) == sorted((A, B, C, D))
    assert [found[A][key] for key in SOURCE] == ["TRACING_APP", "OTHER", "truyvet"]
    for person in (B, C, D):
        assert [found[person][key] for key in SOURCE] == ["CASE_PERSON", "", ""]
    assert [found[person]["description"] for person in (A, B, C, D)] == [
        "same_place, 60 min, clauses a b c, high",
        "named in the interview",
        "named in the interview; same_place, 60 min, clauses a b c, high",
        "named in the interview",
    ]
    for person in (B, C, D):
        assert found[person]["lastContactDate"] == f"{SAID_ON:%d/%m/%Y}"


def test_days_at_a_market_are_no_days_of_contact(console: Running) -> None:
    """Unless that is all there is; as the last exposure, from which the follow-up counts."""
    market = {
        side: format_timestamp(YESTERDAY - timedelta(days=2, hours=hours))
        for side, hours in (("start", 1), ("end", 0))
    }
    there = exposure(tier="same_time_only", **market)
    case = new_case(console, document(A, exposure(), there), document(B, there))
    for person in (A, B):
        body = {"category": "HIGH_RISK"}
        console.client.patch(f"/v1/cases/{case}/list/{person}", json=body, headers=HEAD)
    found = imported(console, case)
    days = {person: found[person]["lastContactDate"] for person in (A, B)}
    assert found[A]["multiDayContact"] == "false"
    local = [YESTERDAY.astimezone(LOCAL), (YESTERDAY - timedelta(days=2)).astimezone(LOCAL)]
    ends = [local[0] + timedelta(hours=1), local[1]]
    assert days == {p: f"{end:%d/%m/%Y}" for p, end in zip((A, B), ends, strict=True)}


def test_who_is_no_longer_a_contact_does_not_go_out_as_one(console: Running) -> None:
    case = new_case(console, document(A), document(B))
    for person in (A, B):
        body = {"category": "HIGH_RISK"}
        path = f"/v1/cases/{case}/list/{person}"
        assert console.client.patch(path, json=body, headers=HEAD).status_code == 200
    trace(console, case, document(A))
    listed = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()["contacts"]
    assert [(one["person"], one["in_run"]) for one in listed] == [(A, True), (B, False)]
    assert list(imported(console, case)) == [A]
    decided = {"classification": "CONFIRMED"}
    path = f"/v1/cases/{case}/list/{B}"
    assert console.client.patch(path, json=decided, headers=HEAD).status_code == 200
    confirmed = imported(console, case)[B]
    assert confirmed["contactClassification"] == "CONFIRMED"
    assert confirmed["contactIdentificationSource"] == "TRACING_APP"
    back = {"classification": "UNCONFIRMED"}
    assert console.client.patch(path, json=back, headers=HEAD).status_code == 200
    name(console, case, B)  # and the case names them after all
    assert imported(console, case)[B]["contactIdentificationSource"] == "CASE_PERSON"
