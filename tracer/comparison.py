"""Two rule-sets on the same scans: which possible contacts differ, and why.

A reason is a fact about the two results, not a guess:
- `window`: they were together at a time that is in one rule-set's window and not in the other's;
- `intervals`: at a time that is in both windows, but only one rule-set counts the case as there
  (it drops short stays, or prolongs and rounds them);
- `clauses`: other clauses could apply, or other things are to be asked;
- `weights`: the minutes weigh otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import polars as pl

from tracer.ruleset import Text
from tracer.trace import TraceResult
from tracer.window import Window

Row = Mapping[str, Any]
REASONS: Final[Mapping[str, Text]] = {
    "window": Text(vi="khác thời kỳ lây truyền", en="another window"),
    "intervals": Text(
        vi="khác cách tính khoảng có mặt của ca", en="the case's stays count otherwise"
    ),
    "clauses": Text(vi="khác điều khoản", en="other clauses"),
    "weights": Text(vi="khác trọng số", en="other weights"),
}
_COMPARED: Final = ("tier", "minutes", "last_exposure", "clauses", "questions", "weighted")


@dataclass(frozen=True)
class Change:
    """One person who is a possible contact under one rule-set only, or another under each.

    `before`, `after`: rows of `TraceResult.contacts`, None where they are not one.
    """

    person: int
    before: Row | None
    after: Row | None
    reasons: tuple[str, ...]

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """From `before` to `after`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def compare(before: TraceResult, after: TraceResult) -> list[Change]:
    """The changes from one rule-set to the other, by person. Both of the same case and scans."""
    assert before.case == after.case, "the same case"
    old, new = _by_person(before.contacts), _by_person(after.contacts)
    old_times, new_times = _times(before.exposures), _times(after.exposures)
    changes = []
    for person in sorted(old.keys() | new.keys()):
        was, now = old.get(person), new.get(person)
        if was is not None and now is not None and all(was[c] == now[c] for c in _COMPARED):
            continue
        reasons = {
            *_reasons(old_times.get(person, set()) - new_times.get(person, set()), after.window),
            *_reasons(new_times.get(person, set()) - old_times.get(person, set()), before.window),
        }
        if was is not None and now is not None:
            if any(was[c] != now[c] for c in ("clauses", "questions")):
                reasons.add("clauses")
            if was["weighted"] != now["weighted"]:
                reasons.add("weights")
        changes.append(Change(person, was, now, tuple(r for r in REASONS if r in reasons)))
    return changes


_Time = tuple[int, datetime, datetime]  # place, start, end


def _by_person(contacts: pl.DataFrame) -> dict[int, Row]:
    return {row["person"]: row for row in contacts.iter_rows(named=True)}


def _times(exposures: pl.DataFrame) -> dict[int, set[_Time]]:
    found: dict[int, set[_Time]] = {}
    for person, *time in exposures.select("person", "place", "start", "end").iter_rows():
        found.setdefault(person, set()).add((time[0], time[1], time[2]))
    return found


def _reasons(times: Iterable[_Time], other: Window) -> set[str]:
    """Why the other rule-set has not these times: outside its window, or not counted in it."""
    found = set()
    for _, start, end in times:
        outside = start < other.start or end > other.end
        found.add("window" if outside else "intervals")
    return found
