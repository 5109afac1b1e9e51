"""What changed from one run of a case to its next, and why: only this goes out.

On the documents of `tracer.documents`, as they are stored. A reason is a fact about the two runs:
- `case_voided`: the case was registered in error;
- `rule_set`: another rule-set applies;
- `parameters`: stays are inferred by other parameters;
- `window`: they were together at a time in one run's window and not in the other's;
- `late_scan`: a scan says so that the earlier run had not seen;
- `excluded`, `named`: an officer has ruled the person out or named them, or has taken it back;
- `points`: place-time points of the case were entered, changed or taken back;
- `answered`: what this person or the case said of their stays, or this person answered to the
  rule-set's questions, was entered or taken back;
- `decided`: an officer's answers have made this person an F1 or none, or that was taken back;
- `same_person`: an officer has said, or no longer says, that two ids are one person's;
- `facts`: none of these; what is known of places, codes, trips or answers has changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas.cases import Decided
from tracer.documents import Document

REASONS: Final = (
    "case_voided", "rule_set", "parameters", "window", "late_scan", "excluded", "named", "points",
    "answered", "decided", "same_person", "facts",
)  # fmt: skip
# What an officer acts on; the rank and the confidence behind the band are not.
_COMPARED: Final = (
    "tier", "call", "minutes", "last_exposure", "band", "weighted", "category", "clauses",
    "questions", "named", "said", "proposed", "decided",
)  # fmt: skip
Kind = Literal["added", "changed", "withdrawn"]
_Time = tuple[int, str, str]  # place, start, end


@dataclass(frozen=True)
class Change:
    """One person: `before` is None if added, `after` if withdrawn. Of a first run, no reasons."""

    person: str
    before: Document | None
    after: Document | None
    reasons: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """What became of the person; whom an officer has ruled out is as one who is not there."""
        before, after = _stands(self.before), _stands(self.after)
        if before == after:
            return "changed"
        return "added" if after else "withdrawn"


@dataclass(frozen=True)
class Version:
    """A run: its summary (`run_document`) and its contacts by rank."""

    summary: Document
    contacts: list[Document]


def changes(before: Version | None, after: Version) -> list[Change]:
    """The difference, in the order of the later run; who is gone comes last, by person."""
    if before is None:
        return [Change(c["person"], None, c, ()) for c in after.contacts]
    if after.summary.get("voided"):
        gone = sorted(before.contacts, key=lambda contact: str(contact["person"]))
        return [Change(c["person"], c, None, ("case_voided",)) for c in gone]
    old = {contact["person"]: contact for contact in before.contacts}
    found = []
    for contact in after.contacts:
        was = old.pop(contact["person"], None)
        if was is None or _differs(was, contact):
            reasons = _reasons(contact["person"], was, contact, before.summary, after.summary)
            found.append(Change(contact["person"], was, contact, reasons))
    for person in sorted(old):
        reasons = _reasons(person, old[person], None, before.summary, after.summary)
        found.append(Change(person, old[person], None, reasons))
    return found


def voided(last: Version, case_version: int) -> Version:
    """The run that voiding a case makes of its last: without anybody."""
    none = dict.fromkeys(last.summary["contacts_by_tier"], 0)
    now = {"case_version": case_version, "contacts_by_tier": none, "voided": True}
    return Version(last.summary | now, [])


def _stands(contact: Document | None) -> bool:
    return contact is not None and contact.get("decided") != Decided.NO_CONTACT


def _differs(was: Document, now: Document) -> bool:
    if any(was.get(name) != now.get(name) for name in _COMPARED):
        return True
    return _times(was) != _times(now)


def _reasons(
    person: str, was: Document | None, now: Document | None, before: Document, after: Document
) -> tuple[str, ...]:
    old, new = _times(was), _times(now)
    found = {name for name in ("rule_set", "parameters") if before[name] != after[name]}
    if _any_outside(old - new, after["window"]) or _any_outside(new - old, before["window"]):
        found.add("window")
    # where both looked: a scan outside the earlier window was there, only nobody asked for it
    inside = {time for time in new - old if not _any_outside([time], before["window"])}
    if now is not None and _cites_unseen(now, inside, before["offsets"]):
        found.add("late_scan")
    by_hand = ("excluded", "named", "decided")
    found |= {n for n in by_hand if _of(person, n, before) != _of(person, n, after)}
    if old != new and before.get("points") != after.get("points"):
        found.add("points")
    asked = {person, after["person"]}
    if old != new and any(_of(p, "answers", before) != _of(p, "answers", after) for p in asked):
        found.add("answered")
    if _of(person, "said", before) != _of(person, "said", after):
        found.add("answered")
    if old != new and any(_ids(p, before) != _ids(p, after) for p in asked):
        found.add("same_person")
    return tuple(reason for reason in REASONS if reason in found) or ("facts",)


def _of(person: str, name: str, summary: Document) -> list[Document]:
    """What was entered by hand of this person."""
    return [entry for entry in summary.get(name, []) if entry["person"] == person]


def _ids(person: str, summary: Document) -> list[Document]:
    """Which ids are this person's, or whose this one is."""
    same = summary.get("same", [])
    return [entry for entry in same if person in (entry["person"], entry["of"])]


def _times(contact: Document | None) -> set[_Time]:
    if contact is None:
        return set()
    return {(e["place"], e["start"], e["end"]) for e in contact["exposures"]}


def _any_outside(times: Iterable[_Time], window: Document) -> bool:
    """Times are in one written form, so that they compare as texts."""
    return any(start < window["from"] or end > window["to"] for _, start, end in times)


def _cites_unseen(contact: Document, new: set[_Time], seen: Mapping[str, int]) -> bool:
    """Whether the evidence of a new time is a scan beyond the offsets an earlier run had seen."""
    for exposure in contact["exposures"]:
        if (exposure["place"], exposure["start"], exposure["end"]) not in new:
            continue
        for stay in (exposure["case_stay"], exposure["stay"]):
            for scan in (stay["opened_by"], stay["closed_by"]):
                if scan is not None and scan["offset"] > seen.get(str(scan["partition"]), -1):
                    return True
    return False
