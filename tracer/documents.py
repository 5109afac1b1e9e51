"""A trace as JSON: what a run stores, what `--json` shows. Same input, same bytes.

Times are `YYYY-MM-DDTHH:MM:SS.mmmZ`, minutes and confidences numbers, persons 13 characters.
"""

from datetime import datetime
from itertools import groupby
from typing import Any

import orjson

from schemas.ids import person_text
from schemas.scan import format_timestamp
from tracer.exposures import STAY_PARTS
from tracer.tiers import Tier
from tracer.trace import TraceResult

Document = dict[str, Any]


def contact_documents(result: TraceResult) -> list[Document]:
    """One JSON-able document a contact, by rank (from 1): its exposures, and the path to it."""
    by_person = {
        person: [_exposure(row) for row in rows]
        for person, rows in groupby(
            result.exposures.iter_rows(named=True), key=lambda row: row["person"]
        )
    }
    return [
        _contact(rank, row, by_person[row["person"]], result)
        for rank, row in enumerate(result.contacts.iter_rows(named=True), start=1)
    ]


def run_document(result: TraceResult) -> Document:
    """What the run used and found, without its contacts."""
    counts = result.contacts["tier"].cast(str).to_list()
    return {
        "case": result.case.id,
        "case_version": result.case.version,
        "person": result.case.person,
        "window": {
            "from": format_timestamp(result.window.start),
            "to": format_timestamp(result.window.end),
        },
        "rule_set": result.rule_set.id,
        "rule_set_status": result.rule_set.status,
        "f2": result.rule_set.f2,
        "notes": [note.model_dump() for note in result.notes],
        "parameters": result.parameters.model_dump(mode="json"),
        "offsets": {str(partition): offset for partition, offset in result.offsets.items()},
        "stays": [
            {"place": row["place"], "from": _time(row["from"]), "to": _time(row["to"])}
            | _weighted(row, "weight")
            | _stay(row, "")
            for row in result.case_stays.sort("start", "place").iter_rows(named=True)
        ],
        "contacts_by_tier": {tier.value: counts.count(tier.value) for tier in Tier},
    }


def to_documents(result: TraceResult) -> Document:
    """The whole result: the run, and `contacts`, one document each."""
    return run_document(result) | {"contacts": contact_documents(result)}


def to_json(document: Document) -> bytes:
    """The one written form: keys sorted, no spaces."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _contact(
    rank: int, row: dict[str, Any], exposures: list[Document], result: TraceResult
) -> Document:
    person = person_text(row["person"])
    through = min(
        (e for e in exposures if e["tier"] == row["tier"]),
        key=lambda e: (-e["minutes"], e["start"], e["place"]),
    )
    return {
        "rank": rank,
        "person": person,
        "tier": row["tier"],
        "call": row["call"],
        "minutes": row["minutes"],
        "last_exposure": _time(row["last_exposure"]),
        "confidence": round(row["confidence"], 4),
        "band": row["band"],
        **_weighted(row, "weighted", "category"),
        "clauses": row["clauses"],
        "questions": row["questions"],
        "exposures": exposures,
        "path": [
            {"person": result.case.person, "case": result.case.id},
            {key: through[key] for key in ("place", "start", "end")},
            {"person": person},
        ],
    }


def _weighted(row: dict[str, Any], *names: str) -> Document:
    """Those fields that only a rule-set with weights gives, rounded; else nothing."""
    found = {name: row[name] for name in names if row[name] is not None}
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()}


def _exposure(row: dict[str, Any]) -> Document:
    return {
        "place": row["place"],
        "start": _time(row["start"]),
        "end": _time(row["end"]),
        "minutes": row["minutes"],
        "tier": row["tier"],
        "clauses": row["clauses"],
        "questions": row["questions"],
        "confidence": round(row["confidence"], 4),
        "band": row["band"],
        **_weighted(row, "weighted"),
        "case_stay": _stay(row, "case_"),
        "stay": _stay(row, "their_"),
    }


def _stay(row: dict[str, Any], prefix: str) -> Document:
    part = {name: row[prefix + name] for name in STAY_PARTS}
    return {
        "start": _time(part["start"]),
        "end": _time(part["end"]),
        "start_provenance": part["start_provenance"],
        "end_provenance": part["end_provenance"],
        "confidence": part["confidence"],
        "opened_by": _scan(part["opening_partition"], part["opening_offset"]),
        "closed_by": _scan(part["closing_partition"], part["closing_offset"]),
    }


def _scan(partition: int | None, offset: int | None) -> Document | None:
    return None if partition is None else {"partition": partition, "offset": offset}


def _time(moment: datetime) -> str:
    return format_timestamp(moment)
