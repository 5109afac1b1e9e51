"""Which clauses could apply to an exposure, and what is still to ask.

A scan knows duration, place and kind of place. It excludes a clause whose least duration the
exposure does not reach, or that only makes sense at other kinds of place; every other clause
*could* apply, and an officer's answers decide.
"""

from collections.abc import Sequence

import polars as pl

from tracer.ruleset import Clause, Question, RuleSet


def could_apply(clause: Clause) -> pl.Expr:
    """Whether nothing in `minutes` and `kind` of an exposure excludes the clause."""
    possible = pl.col("minutes") >= clause.min_minutes
    if clause.place_kinds is not None:
        kind = pl.col("kind")
        possible &= kind.is_null() | kind.is_in(list(clause.place_kinds))
    return possible


def clauses_of(rule_set: RuleSet) -> pl.Expr:
    """Ids of the clauses that could apply, in the rule-set's order (list of strings)."""
    return _listed([(clause.id, could_apply(clause)) for clause in rule_set.clauses])


def questions_of(rule_set: RuleSet) -> pl.Expr:
    """Ids of the questions those clauses need and the place does not answer, in order."""
    return _listed([(question.id, _asked(question, rule_set)) for question in rule_set.questions])


def _asked(question: Question, rule_set: RuleSet) -> pl.Expr:
    needed = pl.any_horizontal(
        pl.lit(False),
        *(could_apply(clause) for clause in rule_set.clauses if question.id in clause.questions),
    )
    if question.not_asked_at == "small_enclosed":
        enclosed, small = (pl.col(c).fill_null(False) for c in ("enclosed", "small"))
        needed &= ~(enclosed & small)
    return needed


def _listed(named: Sequence[tuple[str, pl.Expr]]) -> pl.Expr:
    if not named:
        return pl.lit([], dtype=pl.List(pl.String))
    ids = [pl.when(condition).then(pl.lit(name)) for name, condition in named]
    return pl.concat_list(ids).list.drop_nulls()
