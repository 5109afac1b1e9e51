"""Why a run has not what an earlier one had: what an officer had entered by then, or the scans.

Whoever was excluded, or with the case outside a window that was put right later, or there at a
point that was taken out of the record, was there all the same. What a later scan has ended, a code
that was struck, an answer or ids that were joined have changed, an older run must not bring back.
(It does where that came while the person was left out: no run tells the two apart.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.scan import parse_timestamp
from tracer.documents import Document
from tracer.identity import ids_in
from tracer.parameters import STATED


@dataclass(frozen=True)
class Stayed:
    """Somebody's stay, and the time [`begin`, `end`] for which a run has it: a part of the case's
    that counted, or a time together. `case_stay`: of the case, what the other one met."""

    person: str | None
    place: int
    begin: str
    end: str
    stay: Document
    case_stay: Document | None


def by_hand(one: Stayed, newer: Sequence[Document]) -> bool:
    """Whether each of the `newer` runs, by its summary, could not have it for what was entered."""
    return all(_left_out(one, run) for run in newer)


def may_leave_out(newer: Document, older: Document) -> bool:
    """Whether `by_hand` may be so of anything in the older of two runs, by their summaries."""
    was, window = older["window"], newer["window"]
    return (
        newer["person"] != older["person"]  # whose run says nothing of who met this one
        or window["from"] > was["from"]
        or window["to"] < was["to"]
        or any(one not in older.get("excluded", ()) for one in newer.get("excluded", ()))
        or any(one not in newer.get("points", ()) for one in older.get("points", ()))
    )


def _left_out(one: Stayed, run: Document) -> bool:
    window = run["window"]
    if one.end <= window["from"] or one.begin >= window["to"]:
        return True
    if one.case_stay is None:
        return False
    if excluded := run.get("excluded"):
        whose = {entry["person"]: entry["of"] for entry in run.get("same", ())}
        ids = ids_in(whose.get(one.person, one.person), run)
        if any(entry["person"] in ids for entry in excluded):
            return True
    stated = one.case_stay["start_provenance"] in STATED
    return stated and not any(_covers(point, one) for point in run.get("points", ()))


def _covers(point: Document, one: Stayed) -> bool:
    if point["place"] != one.place:
        return False
    begin, end = (parse_timestamp(point[side]) for side in ("begin", "end"))
    return begin < parse_timestamp(one.end) and end > parse_timestamp(one.begin)
