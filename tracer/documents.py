"""A trace as JSON: what a run stores, what `--json` shows. Same input, same bytes.

Times are `YYYY-MM-DDTHH:MM:SS.mmmZ`, minutes and confidences numbers, persons 13 characters.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

import orjson
import polars as pl

from schemas.cases import LISTS, Decided, NamedContact
from schemas.clock import local_midnight
from schemas.ids import person_text
from schemas.scan import format_timestamp
from tracer.answers import judge
from tracer.companions import Companions
from tracer.exposures import STAY_PARTS
from tracer.frames import TIME, WRITTEN
from tracer.tiers import Tier
from tracer.trace import TraceResult

Document = dict[str, Any]
# in place of a tier: entered by hand, and no scan shows the two together
NAMED: Final = "named"


def contact_documents(result: TraceResult) -> list[Document]:
    """One JSON-able document a contact, by rank (from 1): its exposures, and the path to it.

    Those whom the case has named come first, by person, whether or not a scan shows them; those
    whom an officer has ruled out come last: not to be called, and what was found of them stays.
    """
    by_person = {
        person: [_exposure(row, result.companions) for row in rows]
        for person, rows in groupby(rows_of(result.exposures), key=lambda row: row["person"])
    }
    documents = [
        _contact(row, by_person[row["person"]], result) for row in rows_of(result.contacts)
    ]
    ordered = _with_decided(_with_said(_with_named(documents, result), result), result)
    return [{"rank": n} | d for n, d in enumerate(ordered, start=1)]


def run_document(result: TraceResult) -> Document:
    """What the run used and found, without its contacts."""
    tiers = dict(zip(*(result.contacts[c].to_list() for c in ("person", "tier")), strict=True))
    shown = {person_text(person): tier for person, tier in tiers.items()}
    out = _ruled_out(result)
    counts = Counter(tier for person, tier in shown.items() if person not in out)
    by_tier = {tier.value: counts[tier.value] for tier in Tier}
    if result.case.named:
        unseen = {named.person for named in result.people.named} - shown.keys()
        by_tier[NAMED] = len(unseen - out)
    return {
        "case": result.case.id,
        "case_version": result.case.version,
        "person": result.case.person,
        "window": {
            "from": format_timestamp(result.window.start),
            "to": format_timestamp(result.window.end),
            **({"goes_on": True} if result.window.goes_on else {}),
        },
        "rule_set": result.rule_set.id,
        "rule_set_status": result.rule_set.status,
        "f2": result.rule_set.f2,
        "notes": [note.model_dump() for note in result.notes],
        "parameters": result.parameters.model_dump(mode="json"),
        "facts": result.facts,
        "offsets": {str(partition): offset for partition, offset in result.offsets.items()},
        "stays": [
            {"place": row["place"], "from": row["from"], "to": row["to"]}
            | _weighted(row, "weight")
            | _stay(row, "", result.companions)
            for row in rows_of(result.case_stays.sort("start", "place", maintain_order=True))
        ],
        "contacts_by_tier": by_tier,
        **_by_hand(result),
    }


def to_documents(result: TraceResult) -> Document:
    """The whole result: the run, and `contacts`, one document each."""
    return run_document(result) | {"contacts": contact_documents(result)}


def to_json(document: Document) -> bytes:
    """The one written form: keys sorted, no spaces."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def rows_of(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Its rows, times as they are written."""
    return frame.with_columns(pl.col(TIME).dt.strftime(WRITTEN)).iter_rows(named=True)


def _by_hand(result: TraceResult) -> Document:
    """What officers had added to the case, as far as there is any."""
    lists = result.case.model_dump(mode="json", include=set(LISTS))
    found: Document = {name: sorted(some, key=to_json) for name, some in lists.items() if some}
    ruled_out = {person_text(person) for person in result.ruled_out} | _ruled_out(result)
    if ruled_out:
        found["ruled_out"] = sorted(ruled_out)
    return found


def _ruled_out(result: TraceResult) -> set[str]:
    """Whom an officer's answers have ruled out."""
    decided = result.people.decided
    return {d.person for d in decided if d.classification is Decided.NO_CONTACT}


def _with_said(documents: list[Document], result: TraceResult) -> list[Document]:
    """Each with what it has answered: the clauses and questions that leaves, and, where it
    leaves one thing only, that as what is `proposed`. Exposures stay as the scans show them."""
    said = {entry.person: entry.answers for entry in result.people.said}
    return [
        _narrowed(document, said[document["person"]], result)
        if document["person"] in said
        else document
        for document in documents
    ]


def _narrowed(document: Document, answers: dict[str, Any], result: TraceResult) -> Document:
    found = judge(result.rule_set, document["exposures"], answers)
    left = {"clauses": list(found.possible), "questions": list(found.ask), "said": answers}
    proposed = {"proposed": found.proposed.value} if found.proposed else {}
    return document | left | proposed


def _with_decided(documents: list[Document], result: TraceResult) -> list[Document]:
    """Each with what an officer made of it, if one has; who is none comes last."""
    decided = {entry.person: entry.classification for entry in result.people.decided}
    first, last = [], []
    for document in documents:
        classification = decided.get(document["person"])
        if classification is None:
            first.append(document)
        elif classification is Decided.CONFIRMED:
            first.append(confirmed(document))
        else:
            last.append(document | {"decided": classification.value, "call": False})
    return first + last


def near(document: Document) -> list[Document]:
    """The exposures that make somebody a contact: those of the tiers that are called; all, where
    none is, as of a market or a gate, or where an officer has made them an F1: by whichever."""
    every: list[Document] = document["exposures"]
    if document.get("decided") == Decided.CONFIRMED:
        return every
    return [e for e in every if e["tier"] != Tier.SAME_TIME_ONLY] or every


def confirmed(document: Document) -> Document:
    """Of who was made an F1 by an officer, by answers about any of their meetings, at a market too:
    so they are followed from the last of all."""
    last = max([document["last_exposure"], *(e["end"] for e in document["exposures"])])
    return document | {"decided": Decided.CONFIRMED.value, "last_exposure": last}


def _with_named(documents: list[Document], result: TraceResult) -> list[Document]:
    named = {named.person: named for named in result.people.named}
    by_scan = {d["person"]: d for d in documents if d["person"] in named}
    first = []
    for person in sorted(named):
        said = named[person].model_dump(mode="json", include={"relation", "last_contact"})
        document = by_scan.get(person) or _unseen(named[person], result)
        # whichever is later: who lives with the case met it after the last scan of the two
        last = max(document["last_exposure"], _last_contact(named[person]))
        first.append(document | {"named": said, "call": True, "last_exposure": last})
    return first + [d for d in documents if d["person"] not in named]


def _unseen(named: NamedContact, result: TraceResult) -> Document:
    """Named, and no scan shows them with the case: every clause could apply."""
    rules = result.rule_set
    return {
        "person": named.person,
        "tier": NAMED,
        "call": True,
        "minutes": 0.0,
        "last_exposure": _last_contact(named),
        "confidence": 1.0,
        "band": "high",
        "clauses": [clause.id for clause in rules.clauses],
        "questions": [question.id for question in rules.questions],
        "exposures": [],
        "path": [
            {"person": result.case.person, "case": result.case.id},
            {"person": named.person},
        ],
    }


def _last_contact(named: NamedContact) -> str:
    """The last millisecond of that local day: nobody knows the hour, and days are counted."""
    next_day = local_midnight(named.last_contact + timedelta(days=1))
    return format_timestamp(next_day - timedelta(milliseconds=1))


def _contact(row: dict[str, Any], exposures: list[Document], result: TraceResult) -> Document:
    person = person_text(row["person"])
    through = min(
        (e for e in exposures if e["tier"] == row["tier"]),
        key=lambda e: (-e["minutes"], e["start"], e["place"]),
    )
    return {
        "person": person,
        "tier": row["tier"],
        "call": row["call"],
        "minutes": row["minutes"],
        "last_exposure": row["last_exposure"],
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


def _exposure(row: dict[str, Any], companions: Companions) -> Document:
    return {
        "place": row["place"],
        "start": row["start"],
        "end": row["end"],
        "minutes": row["minutes"],
        "tier": row["tier"],
        "clauses": row["clauses"],
        "questions": row["questions"],
        "confidence": round(row["confidence"], 4),
        "band": row["band"],
        **_weighted(row, "weighted"),
        "case_stay": _stay(row, "case_", companions),
        "stay": _stay(row, "their_", companions),
    }


def _stay(row: dict[str, Any], prefix: str, companions: Companions) -> Document:
    part = {name: row[prefix + name] for name in STAY_PARTS}
    person = row["case_person" if prefix == "case_" else "person"]
    beside = companions.get((person, row["place"], part["start"]))
    return {
        "start": part["start"],
        "end": part["end"],
        "start_provenance": part["start_provenance"],
        "end_provenance": part["end_provenance"],
        "confidence": part["confidence"],
        "opened_by": _scan(part["opening_partition"], part["opening_offset"]),
        "closed_by": _scan(part["closing_partition"], part["closing_offset"]),
        **({"companions": beside} if beside else {}),
    }


def _scan(partition: int | None, offset: int | None) -> Document | None:
    return None if partition is None else {"partition": partition, "offset": offset}
