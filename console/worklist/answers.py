"""What an officer's answers say of each clause: fulfilled, excluded or open. A person decides.

An answer is of the whole time together: if it was not the same all the time, what would make it
a contact counts. Where the place answers a question (`not_asked_at`), nobody needs to.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from console.worklist.axes import Answer, Classification
from tracer.ruleset import Clause, RuleSet

Verdict = Literal["fulfilled", "excluded", "open"]
_FILE: Final = "fulfilled.toml"


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
class Proposal:
    """What the clauses come to. `classification` None: the rule-set has no clauses."""

    classification: Classification | None
    clauses: tuple[ClauseVerdict, ...]

    @property
    def ask(self) -> tuple[str, ...]:
        """Every question that is still open."""
        return tuple(dict.fromkeys(question for c in self.clauses for question in c.ask))


def propose(
    rule_set: RuleSet, exposures: Sequence[Mapping[str, Any]], answers: Mapping[str, str]
) -> Proposal:
    """One fulfilled clause makes it a contact; all excluded rule it out; else it stays open.

    `exposures`: of the tracer's document; empty for a contact that no scan shows.
    """
    if not rule_set.clauses:
        return Proposal(None, ())
    found = tuple(_clause(rule_set, c, exposures, answers) for c in rule_set.clauses)
    verdicts = {clause.verdict for clause in found}
    if "fulfilled" in verdicts:
        return Proposal(Classification.CONFIRMED, found)
    if verdicts == {"excluded"}:
        return Proposal(Classification.NO_CONTACT, found)
    return Proposal(Classification.UNCONFIRMED, found)


def _clause(
    rule_set: RuleSet,
    clause: Clause,
    exposures: Sequence[Mapping[str, Any]],
    answers: Mapping[str, str],
) -> ClauseVerdict:
    wanted = fulfilled_by(rule_set.id).get(clause.id)
    if wanted is None:
        return ClauseVerdict(clause.id, "open", "not_known")
    if not exposures:
        # no scan: how long is not known, so a clause with a least duration stays open
        said = _answered(clause.id, wanted, wanted, answers)
        if said.verdict == "fulfilled" and clause.min_minutes:
            return ClauseVerdict(clause.id, "open", "not_known")
        return said
    possible = [exposure for exposure in exposures if clause.id in exposure["clauses"]]
    if not possible:
        return _not_by_scan(clause, wanted, exposures, answers)
    found = [
        _answered(clause.id, wanted, set(wanted) & set(exposure["questions"]), answers)
        for exposure in possible
    ]
    order = ("fulfilled", "open", "excluded")
    return min(found, key=lambda said: (order.index(said.verdict), len(said.ask)))


def _not_by_scan(
    clause: Clause,
    wanted: Mapping[str, str],
    exposures: Sequence[Mapping[str, Any]],
    answers: Mapping[str, str],
) -> ClauseVerdict:
    """Too short for the clause; or another kind of place, which an explicit answer outweighs:
    which kinds give care is the rule-set file's assumption, and a person was there.
    """
    long_enough = any(exposure["minutes"] >= clause.min_minutes for exposure in exposures)
    said = _answered(clause.id, wanted, wanted, answers)
    if long_enough and clause.place_kinds is not None and said.verdict == "fulfilled":
        return said
    return ClauseVerdict(clause.id, "excluded", "scan")


def _answered(
    clause: str,
    wanted: Mapping[str, str],
    asked: Mapping[str, str] | set[str],
    answers: Mapping[str, str],
) -> ClauseVerdict:
    """By the answers to `asked`; what is not asked, the place has answered as wanted."""
    given = {q: answers[q] for q in wanted if answers.get(q, Answer.UNKNOWN) != Answer.UNKNOWN}
    if any(given[q] != wanted[q] for q in given if q in asked):
        return ClauseVerdict(clause, "excluded", "answers")
    missing = tuple(q for q in wanted if q in asked and q not in given)
    if missing:
        return ClauseVerdict(clause, "open", "answers", missing)
    return ClauseVerdict(clause, "fulfilled", "answers")


@cache
def _fulfilled() -> dict[str, dict[str, dict[str, str]]]:
    text = resources.files("console.worklist").joinpath(_FILE).read_text("utf-8")
    found = tomllib.loads(text)
    for rule_set, clauses in found.items():
        for clause, wanted in clauses.items():
            for question, answer in wanted.items():
                if answer not in (Answer.YES, Answer.NO):
                    raise ValueError(f"{_FILE}: {rule_set}.{clause}.{question}: {answer!r}")
    return found


def fulfilled_by(rule_set_id: str) -> dict[str, dict[str, str]]:
    """By clause, the answers that fulfil it; empty for a rule-set that is not in the file."""
    return _fulfilled().get(rule_set_id, {})
