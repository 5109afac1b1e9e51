"""Exposures: where and when a person's stay overlaps a stay of the case.

Confidence here is of *khả năng có mặt cùng lúc* (both were there at the same time), never of
infection: `tracer.presence`.
"""

from typing import Final

import polars as pl

from tracer.clauses import clauses_of, questions_of
from tracer.ground import Grounds
from tracer.minutes import in_minutes, to_whole_minutes
from tracer.parameters import BANDS, Parameters
from tracer.presence import with_confidence
from tracer.ruleset import RuleSet
from tracer.stays import STAYS
from tracer.tiers import tier

BAND: Final = pl.Enum(BANDS)
# What an exposure keeps of each of the two stays.
STAY_PARTS: Final = tuple(column for column in STAYS if column not in ("person", "place"))


def exposures(
    case_stays: pl.DataFrame,
    others: pl.DataFrame,
    ground: Grounds,
    rule_set: RuleSet,
) -> pl.DataFrame:
    """One row an overlap longer than zero, ordered by person, start, place, case's stay.

    `case_stays`: of `parts_that_count`, of one person or more; `others`: of `stays`, where their
    own are passed over. Columns: person, place, start,
    end (UTC), minutes (exact to the millisecond), tier, clauses, questions (lists of ids),
    confidence (0 to 1), band, weighted (minutes, rounded to whole ones, by the weight of their
    day; null where the rule-set has no weights), case_person (whose stay of `case_stays` it is;
    null of place-time points alone), and `case_…` and `their_…` for each of `STAY_PARTS`.
    """
    of_case = case_stays.with_row_index("case_row")
    of_others = others.filter(
        ~pl.col("person").is_in(case_stays["person"].unique().implode())
    ).with_row_index("their_row")
    pairs = (
        of_case.select("case_row", "place", "from", "to")
        .join(of_others.select("their_row", "person", "place", "start", "end"), on="place")
        .select(
            "case_row",
            "their_row",
            "person",
            "place",
            start=pl.max_horizontal("from", "start"),
            end=pl.min_horizontal("to", "end"),
        )
        .filter(pl.col("start") < pl.col("end"))
        .sort("person", "start", "place", "case_row")
    )
    together = (pl.col("end") - pl.col("start")).dt.total_milliseconds()
    return (
        pairs.hstack(
            ground.at(pairs["place"]).of(pairs["place"], "kind", "enclosed", "small", "gate")
        )
        .hstack(_parts(of_case, pairs["case_row"], "case_"))
        .hstack(_parts(of_others, pairs["their_row"], "their_"))
        .with_columns(
            minutes=in_minutes(together),
            weighted=to_whole_minutes(together) * of_case["weight"][pairs["case_row"]],
            case_person=of_case["person"][pairs["case_row"]],
        )
        .pipe(with_confidence, ground.parameters)
        .select(
            "person",
            "place",
            "start",
            "end",
            "minutes",
            tier().alias("tier"),
            clauses_of(rule_set).alias("clauses"),
            questions_of(rule_set).alias("questions"),
            "confidence",
            band(ground.parameters).alias("band"),
            "weighted",
            "case_person",
            *(f"{whose}_{part}" for whose in ("case", "their") for part in STAY_PARTS),
        )
    )


def band(parameters: Parameters) -> pl.Expr:
    """The band of `confidence`: at least `bands.high`, at least `bands.medium`, or low."""
    confidence = pl.col("confidence")
    return (
        pl.when(confidence >= parameters.bands.high)
        .then(pl.lit("high"))
        .when(confidence >= parameters.bands.medium)
        .then(pl.lit("medium"))
        .otherwise(pl.lit("low"))
        .cast(BAND)
    )


def _parts(stays: pl.DataFrame, rows: pl.Series, prefix: str) -> pl.DataFrame:
    return stays[rows].select(pl.col(STAY_PARTS).name.prefix(prefix))
