"""Stays of earlier runs, in place of scans that retention has taken since.

A run keeps the stays that it was made of with its case. A later one, of an answer or a corrected
onset, reads only scans that are still kept: what it cannot see any more was there all the same,
and nobody is withdrawn because a scan grew old. Windows, rules and decisions are those of now.
Whoever was not a contact before cannot be found there any more.

What an officer has entered and takes back is as if it had never been: so the runs of before that
count too (`tracer.left_out`).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from schemas.scan import parse_timestamp
from tracer.documents import Document
from tracer.identity import Same, as_one, same_of
from tracer.left_out import Stayed, by_hand
from tracer.older import NOTHING, Older
from tracer.parameters import STATED
from tracer.stated import bits_of
from tracer.stays import STAYS
from tracer.versions import Version

_Span = tuple[datetime, datetime]


def carried(earlier: Iterable[Version], retained_from: datetime | None, case: Case) -> Older:
    """What of the case's runs, the newest first, began before scans are kept.

    Of a run all that the newer ones have not, if what an officer had entered by then, and has not
    by now, is why. Place-time points are not among it: its record has them. Nothing of a run that
    was another person's: the record was put right.
    """
    if retained_from is None:
        return NOTHING
    same = same_of(case)
    found = _Found(retained_from, same)
    newer: list[Document] = []
    for version in earlier:
        person = version.summary["person"]
        whose = None if person is None else same.get(person_bits(person), person_bits(person))
        if whose != bits_of(case):
            continue
        found.add(version, newer)
        newer.append(version.summary)
    return found.older()


def _stayed(version: Version) -> Iterator[Stayed]:
    """Who was where, of a run: the case, and whoever met it."""
    person = version.summary["person"]
    for part in version.summary["stays"]:
        yield Stayed(person, part["place"], part["from"], part["to"], part, None)
    for contact in version.contacts:
        for met in contact["exposures"]:
            times = met["start"], met["end"]
            yield Stayed(contact["person"], met["place"], *times, met["stay"], met["case_stay"])


class _Found:
    """Stays that began before scans are kept, each of the newest run that has it."""

    def __init__(self, retained_from: datetime, same: Same) -> None:
        self._retained_from = retained_from
        self._same = same
        self._spans: dict[tuple[int, int], set[_Span]] = {}  # of newer runs
        self._own: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._others: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._offsets: dict[int, int] = {}
        self._companions: dict[tuple[int, int, str], int] = {}

    def add(self, version: Version, newer: Sequence[Document]) -> None:
        """Of a run those that the `newer` ones have not, and could not have."""
        here = []
        for one in _stayed(version):
            row = _row(one, self._retained_from)
            if row is None:
                continue
            key = self._same.get(row["person"], row["person"]), one.place
            here.append((key, (row["start"], row["end"])))
            spans = self._spans.get(key, ())
            if any(begin <= row["end"] and row["start"] <= end for begin, end in spans):
                continue
            if not by_hand(one, newer):
                continue
            rows = self._own if one.case_stay is None else self._others
            rows[row["person"], one.place, row["start"], row["end"]] = row
            if "companions" in one.stay:
                self._companions[(*key, one.stay["start"])] = one.stay["companions"]
        for key, span in here:
            self._spans.setdefault(key, set()).add(span)
        for partition, offset in version.summary["offsets"].items():
            self._offsets[int(partition)] = max(offset, self._offsets.get(int(partition), 0))

    def older(self) -> Older:
        """All of them."""
        if not self._own and not self._others:
            return NOTHING
        own, others = (as_one(_frame(rows), self._same) for rows in (self._own, self._others))
        return Older(own, others, self._offsets, self._companions)


def _row(one: Stayed, retained_from: datetime) -> dict[str, Any] | None:
    """None of a stay that was not scanned, or began when scans are still kept."""
    stay = one.stay
    if one.person is None or stay["start_provenance"] in STATED:
        return None
    start = parse_timestamp(stay["start"])
    if start >= retained_from:
        return None
    opened, closed = stay["opened_by"] or {}, stay["closed_by"] or {}
    return {
        "person": person_bits(one.person),
        "place": one.place,
        "start": start,
        "end": parse_timestamp(stay["end"]),
        "start_provenance": stay["start_provenance"],
        "end_provenance": stay["end_provenance"],
        "confidence": stay["confidence"],
        "opening_partition": opened.get("partition"),
        "opening_offset": opened.get("offset"),
        "closing_partition": closed.get("partition"),
        "closing_offset": closed.get("offset"),
    }


def _frame(found: dict[tuple[Any, ...], dict[str, Any]]) -> pl.DataFrame:
    rows = sorted(found.values(), key=lambda row: (row["person"], row["place"], row["start"]))
    return pl.DataFrame(rows, schema=dict(STAYS))
