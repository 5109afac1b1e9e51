"""Which parts of a case's stays count: those in its window, or the warnings made of them."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from schemas.cases import Case
from tracer.columns import as_index, instants, milliseconds
from tracer.frames import TIME
from tracer.ruleset import RuleSet
from tracer.warning import warned
from tracer.window import Window, weighted_days, window_of


def parts_that_count(
    case_stays: pl.DataFrame,
    case: Case,
    rule_set: RuleSet,
    now: datetime,
    ahead: timedelta = timedelta(0),
) -> pl.DataFrame:
    """The case's stays (of `tracer.stays`) with `from`, `to` and `weight` of the part that counts.

    By the rule-set's window, `weight` is null; by its warnings, a stay has a part for each UTC
    day that weighs something. Nothing counts after `now`: a stay that is not over, and the air
    of one just ended, warn of what has been. Or nothing later than `ahead` after `now`: where the
    case will have been if it does not scan again. Raises what `window_of` raises.
    """
    window = window_of(case, rule_set, now, ahead)
    if rule_set.warning is not None:
        days = weighted_days(case, rule_set.warning, now)
        until = pl.min_horizontal("to", pl.lit(window.end).cast(TIME)).alias("to")
        parts = warned(case_stays, rule_set.warning, days).with_columns(until)
        return parts.filter(pl.col("from") < pl.col("to"))
    parts = in_window(case_stays, window)
    return parts.hstack([pl.Series("weight", [None] * parts.height, pl.Float64)])


def in_window(case_stays: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Stays that share more than an instant with the window, with `from` and `to`: the part in it.

    `start`, `end` and provenance stay those of the whole stay.
    """
    begin = np.maximum(instants(case_stays["start"]), milliseconds(window.start))
    end = np.minimum(instants(case_stays["end"]), milliseconds(window.end))
    rows = np.flatnonzero(begin < end)
    parts = (pl.Series("from", begin[rows]), pl.Series("to", end[rows]))
    which = as_index(rows)  # a column at a time: all at once is for polars' threads
    whole = (column[which] for column in case_stays)
    return pl.DataFrame([*whole, *(part.cast(TIME) for part in parts)])
