"""Contacts: one person with their exposures, in the order in which a team would look at them."""

from collections.abc import Sequence

import polars as pl

from tracer.exposures import band
from tracer.minutes import in_minutes
from tracer.parameters import Parameters
from tracer.ruleset import RuleSet
from tracer.tiers import Tier


def contacts(exposures: pl.DataFrame, rule_set: RuleSet, parameters: Parameters) -> pl.DataFrame:
    """One row a person, by tier, minutes (most first), last exposure (latest first), person.

    `exposures`: of `tracer.exposures`. Columns: person; tier, the closest; call, whether that
    puts them on the call list; minutes, of the union of the exposures' times, so that a minute
    counts once even if two places both say so; exposures, their number; last_exposure, the
    latest end (UTC); confidence and band, of the surest exposure of the closest tier; clauses
    and questions, the union, in the rule-set's order.
    """
    ordered = exposures.sort("person", "start", "end", "place")
    together = _new_milliseconds(ordered)
    closest = pl.col("tier") == pl.col("tier").min()
    return (
        ordered.with_columns(new=together)
        .group_by("person", maintain_order=True)
        .agg(
            pl.col("tier").min(),
            pl.col("new").sum().alias("milliseconds"),
            pl.len().cast(pl.UInt32).alias("exposures"),
            pl.col("end").max().alias("last_exposure"),
            pl.col("confidence").filter(closest).max(),
            *_contained("clauses", [clause.id for clause in rule_set.clauses]),
            *_contained("questions", [question.id for question in rule_set.questions]),
        )
        .select(
            "person",
            "tier",
            (pl.col("tier") != Tier.SAME_TIME_ONLY.value).alias("call"),
            in_minutes(pl.col("milliseconds")).alias("minutes"),
            "exposures",
            "last_exposure",
            "confidence",
            band(parameters).alias("band"),
            _union("clauses", [clause.id for clause in rule_set.clauses]),
            _union("questions", [question.id for question in rule_set.questions]),
        )
        .sort("tier", "minutes", "last_exposure", "person", descending=[False, True, True, False])
    )


def _new_milliseconds(ordered: pl.DataFrame) -> pl.Series:
    """How much of each exposure no earlier one of the same person covers."""
    covered_until = pl.col("end").cum_max().shift(1).over("person")
    fresh_from = pl.max_horizontal("start", covered_until)
    fresh = (pl.col("end") - fresh_from).dt.total_milliseconds().clip(lower_bound=0)
    return ordered.select(fresh.alias("new"))["new"]


def _contained(column: str, ids: Sequence[str]) -> list[pl.Expr]:
    return [pl.col(column).list.contains(i).any().alias(f"{column}/{i}") for i in ids]


def _union(column: str, ids: Sequence[str]) -> pl.Expr:
    if not ids:
        return pl.lit([], dtype=pl.List(pl.String)).alias(column)
    present = [pl.when(pl.col(f"{column}/{i}")).then(pl.lit(i)) for i in ids]
    return pl.concat_list(present).list.drop_nulls().alias(column)
