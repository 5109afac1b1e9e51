"""What an officer's answers say of each clause: fulfilled, excluded or open. A person decides.

An answer is of the whole time together: if it was not the same all the time, what would make it
a contact counts. Where the place answers a question (`not_asked_at`), nobody needs to. Which
answers fulfil a clause, its rule-set says.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from schemas.cases import Decided
from schemas.scan import parse_timestamp
from tracer.columns import milliseconds
from tracer.minutes import in_minutes
from tracer.ruleset import Clause, RuleSet
from tracer.unbroken import at_most

Verdict = Literal["fulfilled", "excluded", "open"]
_ORDER: Final[tuple[Verdict, ...]] = ("fulfilled", "open", "excluded")
_KNOWN: Final = ("yes", "no")


@dataclass(frozen=True)
class ClauseVerdict:
    """One clause. `ground`: `answers`, `scan` (its duration or kind of place), or `not_known`.

    `ask`: the questions whose answers are still missing, in the rule-set's order.
    """

    clause: str
    verdict: Verdict
    ground: Literal["answers", "scan", "not_known"]
    ask: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """Every clause of a rule-set; none if it has none."""

    clauses: tuple[ClauseVerdict, ...]

    @property
    def proposed(self) -> Decided | None:
        """One fulfilled clause makes it a contact; all excluded rule it out; else nothing."""
        verdicts = {clause.verdict for clause in self.clauses}
        if "fulfilled" in verdicts:
            return Decided.CONFIRMED
        return Decided.NO_CONTACT if verdicts == {"excluded"} else None

    @property
    def possible(self) -> tuple[str, ...]:
        """Those that are not excluded."""
        return tuple(c.clause for c in self.clauses if c.verdict != "excluded")

    @property
    def ask(self) -> tuple[str, ...]:
        """Every question that is still open."""
        return tuple(dict.fromkeys(question for c in self.clauses for question in c.ask))


def judge(
    rule_set: RuleSet, exposures: Sequence[Mapping[str, Any]], answers: Mapping[str, str]
) -> Judged:
    """What each clause comes to. `answers`: by question `yes`, `no`; all else is not known.

    `exposures`: of the tracer's document; empty for a contact that no scan shows.
    """
    whole = _as_one_time(exposures)
    return Judged(tuple(_clause(clause, whole, answers) for clause in rule_set.clauses))


def _as_one_time(exposures: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Each with the minutes of all that follow each other there without a break: a night entered
    as two points is one time together (as `tracer.unbroken` has it for what is possible)."""
    if len(exposures) < 2:
        return exposures
    start, end = (
        np.array([milliseconds(parse_timestamp(e[side])) for e in exposures], np.int64)
        for side in ("start", "end")
    )
    places = np.array([e["place"] for e in exposures], np.uint32)
    one = np.zeros(len(places), np.uint64)  # of one person with one case
    more = at_most((one, places, one), start, end, one > 0) - in_minutes(end - start)
    return [
        dict(e) | {"minutes": e["minutes"] + longer}
        for e, longer in zip(exposures, more.tolist(), strict=True)
    ]


def _clause(
    clause: Clause, exposures: Sequence[Mapping[str, Any]], answers: Mapping[str, str]
) -> ClauseVerdict:
    wanted = clause.fulfilled_by
    if not wanted:
        return ClauseVerdict(clause.id, "open", "not_known")
    if not exposures:
        # no scan: how long is not known, so a clause with a least duration stays open
        said = _answered(clause, wanted.keys(), answers)
        if said.verdict == "fulfilled" and clause.min_minutes:
            return ClauseVerdict(clause.id, "open", "not_known")
        return said
    possible = [exposure for exposure in exposures if clause.id in exposure["clauses"]]
    if not possible:
        return _not_by_scan(clause, exposures, answers)
    found = [_of_exposure(clause, exposure, answers) for exposure in possible]
    return min(found, key=lambda said: (_ORDER.index(said.verdict), len(said.ask)))


def _of_exposure(
    clause: Clause, exposure: Mapping[str, Any], answers: Mapping[str, str]
) -> ClauseVerdict:
    said = _answered(clause, clause.fulfilled_by.keys() & set(exposure["questions"]), answers)
    if said.verdict == "fulfilled" and exposure["minutes"] < clause.min_minutes:
        # nobody saw the end: it may have been long enough
        return ClauseVerdict(clause.id, "open", "not_known")
    return said


def _not_by_scan(
    clause: Clause, exposures: Sequence[Mapping[str, Any]], answers: Mapping[str, str]
) -> ClauseVerdict:
    """Too short for the clause; or another kind of place, which an explicit answer outweighs:
    which kinds give care is the rule-set file's assumption, and a person was there.
    """
    long_enough = any(exposure["minutes"] >= clause.min_minutes for exposure in exposures)
    said = _answered(clause, clause.fulfilled_by.keys(), answers)
    if long_enough and clause.of_some_places and said.verdict == "fulfilled":
        return said
    return ClauseVerdict(clause.id, "excluded", "scan")


def _answered(clause: Clause, asked: AbstractSet[str], answers: Mapping[str, str]) -> ClauseVerdict:
    """By the answers to `asked`; what is not asked, the place has answered as wanted."""
    wanted = clause.fulfilled_by
    given = {q: answers[q] for q in wanted if answers.get(q) in _KNOWN}
    if any(given[q] != wanted[q] for q in given if q in asked):
        return ClauseVerdict(clause.id, "excluded", "answers")
    missing = tuple(q for q in clause.questions if q in asked and q not in given)
    if missing:
        return ClauseVerdict(clause.id, "open", "answers", missing)
    return ClauseVerdict(clause.id, "fulfilled", "answers")
