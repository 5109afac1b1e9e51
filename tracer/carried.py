"""Stays of an earlier run, in place of scans that retention has taken since.

A run keeps the stays that it was made of with its case. A later one, of an answer or a corrected
onset, reads only scans that are still kept: what it cannot see any more was there all the same,
and nobody is withdrawn because a scan grew old. Windows, rules and decisions are those of now.
Whoever was not a contact before cannot be found there any more.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from schemas.scan import parse_timestamp
from tracer.documents import Document
from tracer.identity import as_one, same_of
from tracer.older import NOTHING, Older
from tracer.parameters import STATED
from tracer.stated import bits_of
from tracer.stays import STAYS
from tracer.versions import Version


def carried(last: Version | None, retained_from: datetime | None, case: Case) -> Older:
    """What of the case's last run began before scans are kept. Place-time points are not among it:
    its record has them. Nothing if it was another person's: the record was put right."""
    if last is None or retained_from is None:
        return NOTHING
    same, person = same_of(case), last.summary["person"]
    whose = None if person is None else same.get(person_bits(person), person_bits(person))
    if whose != bits_of(case):
        return NOTHING
    mine = [(person, stay["place"], stay) for stay in last.summary["stays"]]
    theirs = [
        (contact["person"], exposure["place"], exposure["stay"])
        for contact in last.contacts
        for exposure in contact["exposures"]
    ]
    own, others = (as_one(_frame(some, retained_from), same) for some in (mine, theirs))
    if own.is_empty() and others.is_empty():
        return NOTHING
    offsets = {int(partition): offset for partition, offset in last.summary["offsets"].items()}
    beside = {
        (same.get(person_bits(one), person_bits(one)), place, stay["start"]): stay["companions"]
        for one, place, stay in (*mine, *theirs)
        if one is not None and "companions" in stay
    }
    return Older(own, others, offsets, beside)


def _frame(
    some: Iterable[tuple[str | None, int, Document]], retained_from: datetime
) -> pl.DataFrame:
    """Each stay once, of those that were scanned and began before that."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for person, place, stay in some:
        if person is None or stay["start_provenance"] in STATED:
            continue
        start, end = parse_timestamp(stay["start"]), parse_timestamp(stay["end"])
        if start >= retained_from:
            continue
        opened, closed = stay["opened_by"] or {}, stay["closed_by"] or {}
        found[person, place, start, end] = {
            "person": person_bits(person),
            "place": place,
            "start": start,
            "end": end,
            "start_provenance": stay["start_provenance"],
            "end_provenance": stay["end_provenance"],
            "confidence": stay["confidence"],
            "opening_partition": opened.get("partition"),
            "opening_offset": opened.get("offset"),
            "closing_partition": closed.get("partition"),
            "closing_offset": closed.get("offset"),
        }
    rows = sorted(found.values(), key=lambda row: (row["person"], row["place"], row["start"]))
    return pl.DataFrame(rows, schema=dict(STAYS))
