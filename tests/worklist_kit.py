"""What the tests of a list share: a case, and a run of it in tables that are in memory."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from schemas.clock import LOCAL, local_midnight
from schemas.ids import person_bits, person_text
from schemas.scan import format_timestamp
from tests.console_kit import ADMIN, PERSON, WARD, Running, bearer

HEAD = bearer(ADMIN)
NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.astimezone(LOCAL).date()
# ten in the morning: an hour from now a day ago would end today when tests run before midnight
YESTERDAY = local_midnight(TODAY) - timedelta(hours=14)
A, B, C, D = (person_text(1000 + i) for i in range(4))
ELSEWHERE = "00001"  # Phúc Xá, Ba Đình, Hà Nội
QUESTIONS = ["touch", "masks", "within_2_m"]


def exposure(**changes: Any) -> dict[str, Any]:
    """An hour together in a meeting room yesterday, in the tracer's document's shape."""
    begun = YESTERDAY
    stay = {"start": format_timestamp(begun), "start_provenance": "scan_in"}
    return {
        "place": 7,
        "start": format_timestamp(begun),
        "end": format_timestamp(begun + timedelta(hours=1)),
        "minutes": 60.0,
        "tier": "same_place",
        "clauses": ["a", "b", "c"],
        "questions": QUESTIONS,
        "confidence": 0.9,
        "band": "high",
        "stay": stay,
    } | changes


def document(person: str, *exposures: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A contact as the tracer writes it."""
    shown = list(exposures) or [exposure()]
    return {
        "rank": 1,
        "person": person,
        "tier": shown[0]["tier"],
        "call": shown[0]["tier"] != "same_time_only",
        "minutes": sum(e["minutes"] for e in shown),
        "last_exposure": max(e["end"] for e in shown),
        "confidence": max(e["confidence"] for e in shown),
        "band": shown[0]["band"],
        "clauses": shown[0]["clauses"],
        "questions": shown[0]["questions"],
        "exposures": shown,
    } | changes


def trace(console: Running, case: str, *documents: dict[str, Any], rule_set: str = "") -> None:
    """From now on the newest run of the case has these contacts, and other cases have none."""
    runs = getattr(console.tables, "runs", {})
    runs[case] = (list(documents), rule_set or "vn-2021-12-29")
    console.tables.runs = runs  # type: ignore[attr-defined]
    at = int(NOW.timestamp() * 1000)

    def answer(sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        if what.get("case") not in runs:
            return []
        found, rules = runs[what["case"]]
        if "FROM trace_runs" in sql:
            row = (1, 1, "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77", rules, b"{}", at, at, {0: 5}, at)
            tiers = Counter(d["tier"] for d in found if d.get("decided") != "NO_CONTACT")
            return [(*row, len(found), orjson.dumps({"contacts_by_tier": tiers}))]
        assert "FROM trace_contacts" in sql
        if "persons" in what:
            found = [d for d in found if person_bits(d["person"]) in what["persons"]]
            if "SELECT person" in sql:
                return [(person_bits(d["person"]), d["tier"], d.get("decided", "")) for d in found]
        else:
            found = found[what["offset"] : what["offset"] + what["limit"]]
        return [(orjson.dumps(d),) for d in found]

    console.tables.answer = answer


def new_case(
    console: Running, *documents: dict[str, Any], ward: str = WARD, person: str = PERSON
) -> str:
    """A registered case, traced, with these contacts (default: A)."""
    body: dict[str, Any] = {"person": person, "onset": str(TODAY - timedelta(days=2))}
    # one person in all of these, each time another case
    body |= {"ward": ward, "although_open": True}
    answer = console.client.post("/v1/cases", json=body, headers=HEAD)
    assert answer.status_code == 201, answer.text
    case: str = answer.json()["id"]
    trace(console, case, *(documents or (document(A),)))
    return case


def post(console: Running, path: str, head: dict[str, str] = HEAD, **body: Any) -> Any:
    """The answer to this body."""
    return console.client.post(path, json=body, headers=head)
