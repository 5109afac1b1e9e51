"""Which clauses could apply to an exposure, and what is still to ask.

A scan knows duration, place and kind of place. It excludes a clause whose least duration the
exposure does not reach, or that only makes sense at other places; every other clause
*could* apply, and an officer's answers decide. Where nobody saw one of the two come or go, the
exposure may have been longer than what is assumed, and excludes nothing by its duration
(`tracer.presence.assumed`).
"""

from tracer.ruleset import Clause, Question, RuleSet
from tracer.tiers import Known


def could_apply(clause: Clause, place: Known, minutes: float) -> bool:
    """Whether neither the duration (at most so long) nor the place excludes it."""
    return minutes >= clause.min_minutes and not _elsewhere(clause, place)


def _elsewhere(clause: Clause, place: Known) -> bool:
    """Whether the clause only makes sense at places of another kind and of another sector. Of a
    sector gates are none: who only comes by does nothing there."""
    if not clause.of_some_places or place.kind is None:
        return False
    inside = not place.gate and place.sector in clause.place_sectors
    return not (inside or place.kind in clause.place_kinds)


def clauses_of(rule_set: RuleSet, place: Known, minutes: float) -> list[str]:
    """Ids of the clauses that could apply, in the rule-set's order."""
    return [clause.id for clause in rule_set.clauses if could_apply(clause, place, minutes)]


def questions_of(rule_set: RuleSet, place: Known, minutes: float) -> list[str]:
    """Ids of the questions those clauses need and the place does not answer, in order."""
    clauses = (clause for clause in rule_set.clauses if could_apply(clause, place, minutes))
    needed = {question for clause in clauses for question in clause.questions}
    return [q.id for q in rule_set.questions if q.id in needed and not _answered(q, place)]


def least_minutes(rule_set: RuleSet) -> list[int]:
    """The durations, rising, at which another clause could apply."""
    return sorted({clause.min_minutes for clause in rule_set.clauses})


def _answered(question: Question, place: Known) -> bool:
    """Whether the place itself answers it."""
    narrow = bool(place.enclosed and place.small)
    return question.not_asked_at == "small_enclosed" and narrow
