"""What changed from one run of a case to its next, and why: only this goes out.

On the documents of `tracer.documents`, as they are stored. A reason is a fact about the two runs:
- `case_voided`: the case was registered in error;
- `rule_set`: another rule-set applies;
- `parameters`: stays are inferred by other parameters;
- `window`: they were together at a time in one run's window and not in the other's; where it only
  went on with time, if nothing else says so;
- `late_scan`: a scan says so that the earlier run had not seen, and nothing that an officer did
  would have had it look there; or nothing else has changed, and yet what is found has: one has
  ended a stay, or prolonged it;
- `excluded`, `named`: an officer has ruled the person out or named them, or has taken it back;
- `points`: place-time points of the case that say so were entered, changed or taken back;
- `answered`: what this person or the case said of their stays where they were together, or this
  person answered to the rule-set's questions, was entered or taken back;
- `decided`: an officer's answers have made this person an F1 or none, or that was taken back;
- `same_person`: an officer has said, or no longer says, that two ids are one person's; of the
  case's ids only if another stay of the case says so;
- `facts`: none of these: what is known of places, codes or trips has changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from schemas.cases import Decided
from tracer.documents import Document
from tracer.identity import ids_in
from tracer.parameters import STATED

REASONS: Final = (
    "case_voided", "rule_set", "parameters", "window", "late_scan", "excluded", "named", "points",
    "answered", "decided", "same_person", "facts",
)  # fmt: skip
# What an officer acts on; the rank and the confidence behind the band are not.
_COMPARED: Final = (
    "tier", "call", "minutes", "last_exposure", "band", "weighted", "category", "clauses",
    "questions", "named", "said", "proposed", "decided",
)  # fmt: skip
_GROWING: Final = frozenset({"minutes", "last_exposure", "weighted", "category"})
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
        if was is None or _differs(was, contact, before.summary, after.summary):
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


def _differs(was: Document, now: Document, before: Document, after: Document) -> bool:
    """Of what was not over in either run only that it goes on is looked at, and not for how long:
    else each scan at a place where the case is now would change everybody there."""
    going_on = _going_on(was, now, before, after)
    growing = _GROWING if going_on else ()
    if any(was.get(name) != now.get(name) for name in _COMPARED if name not in growing):
        return True
    return _but_for(going_on, was) != _but_for(going_on, now)


def _going_on(
    was: Document | None, now: Document | None, before: Document, after: Document
) -> set[tuple[int, str]]:
    """Place and start of the exposures that the end of both windows cuts, and only because time
    had come no further."""
    if was is None or now is None:
        return set()
    if before["case_version"] != after["case_version"] and not (
        before["window"].get("goes_on") and after["window"].get("goes_on")
    ):
        return set()  # another end of the period, perhaps
    return _cut(was, before) & _cut(now, after)


def _cut(contact: Document, summary: Document) -> set[tuple[int, str]]:
    last = summary["window"]["to"]
    return {(e["place"], e["start"]) for e in contact["exposures"] if e["end"] == last}


def _but_for(going_on: set[tuple[int, str]], contact: Document) -> set[_Time]:
    """The contact's times, those that go on without their end."""
    return {(p, s, "" if (p, s) in going_on else end) for p, s, end in _times(contact)}


def _reasons(
    person: str, was: Document | None, now: Document | None, before: Document, after: Document
) -> tuple[str, ...]:
    going_on = _going_on(was, now, before, after)
    old, new = ({time for time in _times(one) if time[:2] not in going_on} for one in (was, now))
    found = {name for name in ("rule_set", "parameters") if before[name] != after[name]}
    if _any_outside(old - new, after["window"]) or _any_outside(new - old, before["window"]):
        found.add("window")
    ids = ids_in(person, before, after)
    by_hand = ("excluded", "named", "decided")
    found |= {n for n in by_hand if _of(ids, n, before) != _of(ids, n, after)}
    whose = ids_in(after["person"], before, after)
    asked = _entered(ids | whose, "answers", before, after) if old != new else []
    if any(_by_answer(one, old - new, was) or _by_answer(one, new - old, now) for one in asked):
        found.add("answered")
    if _entered(ids, "said", before, after):
        found.add("answered")
    if old != new and _entered(ids, "same", before, after):
        found.add("same_person")
    if _entered(whose, "same", before, after) and (
        _by_other_stay(was, old - new, after) or _by_other_stay(now, new - old, before)
    ):
        found.add("same_person")
    if before.get("points") != after.get("points") and _by_points(was) != _by_points(now):
        found.add("points")
    same_facts = _same_facts(before, after)
    # only where both looked: what else explains it may have had the earlier run not look there
    inside = {time for time in new - old if not _any_outside([time], before["window"])}
    if found <= {"window"} and _cites_unseen(now, inside, before["offsets"]):
        found.add("late_scan")
    if not found:
        # an answer of a room can have had a stay in its building end sooner, which is nowhere seen
        gone_on = any(end > before["window"]["to"] for _, _, end in new - old)
        found.add(_last_resort(gone_on=gone_on, asked=bool(asked), same_facts=same_facts))
    return tuple(reason for reason in REASONS if reason in found)


def _last_resort(*, gone_on: bool, asked: bool, same_facts: bool | None) -> str:
    """The reason, where nothing that is seen of the two runs is one."""
    if gone_on and same_facts is not False:
        return "window"
    if not same_facts:
        return "facts"
    return "answered" if asked else "late_scan"


def _same_facts(before: Document, after: Document) -> bool | None:
    """Whether the same is known of what both stood on; None of a run that does not say."""
    if "facts" not in before or "facts" not in after:
        return None
    was, now = before["facts"], after["facts"]
    return all(was[one] == now[one] for one in was.keys() & now.keys())


def _by_points(contact: Document | None) -> set[tuple[_Time, str, str, str]]:
    """The times at points that were entered by hand, and these points."""
    return {
        (_time(exposure), stay["start"], stay["end"], stay["start_provenance"])
        for exposure in (contact["exposures"] if contact is not None else ())
        if (stay := exposure["case_stay"])["start_provenance"] in STATED
    }


def _entered(people: set[str], name: str, before: Document, after: Document) -> list[Document]:
    """What was entered by hand of these people, or taken back, from one run to the other."""
    old, new = _of(people, name, before), _of(people, name, after)
    return [*(one for one in old if one not in new), *(one for one in new if one not in old)]


def _by_answer(answer: Document, times: set[_Time], contact: Document | None) -> bool:
    """Whether one of these times of the contact is where the answer is of, or ends by one."""
    return any(
        exposure["place"] == answer["place"]
        or "answered" in (exposure[stay]["end_provenance"] for stay in ("case_stay", "stay"))
        for exposure in _at(times, contact)
    )


def _by_other_stay(contact: Document | None, times: set[_Time], other: Document) -> bool:
    """Whether the case's stay at one of these times of the contact is none of the other run's."""
    known = {_evidence(stay["place"], stay) for stay in other["stays"]}
    return any(
        _evidence(exposure["place"], exposure["case_stay"]) not in known
        for exposure in _at(times, contact)
    )


def _evidence(place: int, stay: Document) -> tuple[Any, ...]:
    """What makes a stay this one: not its end, which can be how far time had come."""
    scans = (stay["opened_by"], stay["closed_by"])
    numbers = [(scan["partition"], scan["offset"]) if scan else None for scan in scans]
    return place, stay["start"], stay["start_provenance"], stay["end_provenance"], *numbers


def _of(people: set[str], name: str, summary: Document) -> list[Document]:
    """What was entered by hand of this person, by whichever id."""
    return [entry for entry in summary.get(name, []) if entry["person"] in people]


def _at(times: set[_Time], contact: Document | None) -> list[Document]:
    """The contact's exposures at these times."""
    if contact is None:
        return []
    return [exposure for exposure in contact["exposures"] if _time(exposure) in times]


def _times(contact: Document | None) -> set[_Time]:
    if contact is None:
        return set()
    return {_time(exposure) for exposure in contact["exposures"]}


def _time(exposure: Document) -> _Time:
    return exposure["place"], exposure["start"], exposure["end"]


def _any_outside(times: Iterable[_Time], window: Document) -> bool:
    """Times are in one written form, so that they compare as texts. A window that goes on has
    none behind its end: that came later."""
    goes_on = window.get("goes_on", False)
    return any(
        start < window["from"] or (end > window["to"] and not goes_on) for _, start, end in times
    )


def _cites_unseen(contact: Document | None, new: set[_Time], seen: Mapping[str, int]) -> bool:
    """Whether the evidence of a new time is a scan beyond the offsets an earlier run had seen."""
    for exposure in _at(new, contact):
        for stay in (exposure["case_stay"], exposure["stay"]):
            for scan in (stay["opened_by"], stay["closed_by"]):
                if scan is not None and scan["offset"] > seen.get(str(scan["partition"]), -1):
                    return True
    return False
