"""Contacts: one person with their exposures, in the order in which a team would look at them."""

from collections.abc import Sequence

import polars as pl

from tracer.exposures import band
from tracer.minutes import in_minutes
from tracer.parameters import Parameters
from tracer.ruleset import RuleSet
from tracer.tiers import Tier


def contacts(exposures: pl.DataFrame, rule_set: RuleSet, parameters: Parameters) -> pl.DataFrame:
    """One row a person, by tier, weighted, minutes (most first), last exposure (latest first),
    person.

    `exposures`: of `tracer.exposures`. Columns: person; tier, the closest; call, whether that
    puts them on the call list; minutes, of the union of the exposures' times, so that a minute
    counts once even if two places both say so; exposures, their number; last_exposure, the
    latest end (UTC); confidence and band, of the surest exposure of the closest tier; clauses
    and questions, the union, in the rule-set's order. `weighted`: the most that the exposures of
    one UTC day weigh together; `category`: `high`, `low` or `none` by it; both null where the
    rule-set has no weights.
    """
    ordered = exposures.sort("person", "start", "end", "place")
    together = _new_milliseconds(ordered)
    closest = pl.col("tier") == pl.col("tier").min()
    found = (
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
        .join(_heaviest_day(exposures), on="person", how="left", maintain_order="left")
        .select(
            "person",
            "tier",
            (pl.col("tier") != Tier.SAME_TIME_ONLY.value).alias("call"),
            in_minutes(pl.col("milliseconds")).alias("minutes"),
            "exposures",
            "last_exposure",
            "confidence",
            band(parameters).alias("band"),
            "weighted",
            _category(rule_set).alias("category"),
            _union("clauses", [clause.id for clause in rule_set.clauses]),
            _union("questions", [question.id for question in rule_set.questions]),
        )
    )
    order = ("tier", "weighted", "minutes", "last_exposure", "person")
    return found.sort(*order, descending=[False, True, True, True, False])


def _heaviest_day(exposures: pl.DataFrame) -> pl.DataFrame:
    """Person and `weighted`: the most that one UTC day's exposures weigh together, or null."""
    daily = exposures.group_by("person", pl.col("start").dt.date().alias("day")).agg(
        weighed=pl.col("weighted").count(),
        # rounded: so that ten minutes are ten, in whatever order they are added
        weighted=pl.col("weighted").sum().round(6),
    )
    return daily.group_by("person").agg(
        weighted=pl.when(pl.col("weighed").sum() > 0).then(pl.col("weighted").max())
    )


def _category(rule_set: RuleSet) -> pl.Expr:
    if rule_set.warning is None:
        return pl.lit(None, pl.String)
    weighted = pl.col("weighted")
    return (
        pl.when(weighted >= rule_set.warning.high_from)
        .then(pl.lit("high"))
        .when(weighted > 0)
        .then(pl.lit("low"))
        .otherwise(pl.lit("none"))
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
