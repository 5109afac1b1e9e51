"""Which parts of a case's stays count: those in its window, or the warnings made of them."""

from datetime import datetime

import polars as pl

from schemas.cases import Case
from tracer.frames import TIME
from tracer.ruleset import RuleSet
from tracer.warning import warned
from tracer.window import Window, weighted_days, window_of


def parts_that_count(
    case_stays: pl.DataFrame, case: Case, rule_set: RuleSet, now: datetime
) -> pl.DataFrame:
    """The case's stays (of `tracer.stays`) with `from`, `to` and `weight` of the part that counts.

    By the rule-set's window, `weight` is null; by its warnings, a stay has a part for each UTC
    day that weighs something. Nothing counts after `now`: a stay that is not over, and the air
    of one just ended, warn of what has been. Raises what `window_of` raises.
    """
    window = window_of(case, rule_set, now)
    if rule_set.warning is not None:
        days = weighted_days(case, rule_set.warning, now)
        until = pl.min_horizontal("to", pl.lit(window.end).cast(TIME)).alias("to")
        parts = warned(case_stays, rule_set.warning, days).with_columns(until)
        return parts.filter(pl.col("from") < pl.col("to"))
    unweighted = pl.lit(None, pl.Float64).alias("weight")
    return in_window(case_stays, window).with_columns(unweighted)


def in_window(case_stays: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Stays that share more than an instant with the window, with `from` and `to`: the part in it.

    `start`, `end` and provenance stay those of the whole stay.
    """
    return case_stays.with_columns(
        pl.max_horizontal("start", pl.lit(window.start).cast(TIME)).alias("from"),
        pl.min_horizontal("end", pl.lit(window.end).cast(TIME)).alias("to"),
    ).filter(pl.col("from") < pl.col("to"))
