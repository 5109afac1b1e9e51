"""A case's stays as warnings: prolonged, rounded, cut at UTC midnight, weighed by their day.

The rule of the Corona-Warn-App (`TimeIntervalDeriver`, `CheckInsTransformer`; figures in the
rule-set's file), whole. Times are milliseconds since 1970 UTC, `unit` is `round_to_minutes`:

1. A stay shorter than `drop_under_minutes` is dropped.
2. Its *prolonged end* is its end and as much again as it is long, at most
   `prolong_at_most_minutes`.
3. Its length is that from start to prolonged end, rounded to whole units, a half up.
4. It begins with the unit of its start, if at least as much of that unit is covered as of the
   unit of the prolonged end; else it ends with the latter.
5. It is cut at UTC midnight; a part whose day weighs nothing is dropped.

The air of a room stays after somebody left: so only the case's stays are prolonged, never those
of others.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from tracer.frames import TIME
from tracer.ground import DAY, MINUTE
from tracer.ruleset import WarningRule

_PARTS: Final = ["from", "to", "weight"]


def warned(case_stays: pl.DataFrame, rule: WarningRule, days: Mapping[date, float]) -> pl.DataFrame:
    """`case_stays` (columns `stays.STAYS`) with `from`, `to` and `weight`: a row a part of a day.

    `days`: of `window.weighted_days`. `start`, `end` and provenance stay those of the stay.
    """
    start, end = (pl.col(c).dt.timestamp("ms") for c in ("start", "end"))
    derived = case_stays.filter(end - start >= rule.drop_under_minutes * MINUTE)
    derived = derived.with_columns(_derived(start, end, rule)).filter(pl.col("from") < pl.col("to"))
    derived = derived.with_columns(
        day=pl.int_ranges(pl.col("from") // DAY, (pl.col("to") - 1) // DAY + 1)
    )
    epoch = date(1970, 1, 1)
    weights = pl.DataFrame(
        {"day": [(day - epoch).days for day in days], "weight": list(days.values())},
        schema={"day": pl.Int64, "weight": pl.Float64},
    )
    return (
        derived.explode("day")
        .join(weights, on="day", how="inner", maintain_order="left")
        .with_columns(
            pl.max_horizontal("from", pl.col("day") * DAY).cast(TIME).alias("from"),
            pl.min_horizontal("to", (pl.col("day") + 1) * DAY).cast(TIME).alias("to"),
        )
        .select(*case_stays.columns, *_PARTS)
    )


def _derived(start: pl.Expr, end: pl.Expr, rule: WarningRule) -> list[pl.Expr]:
    """Rules 2 to 4: `from` and `to`."""
    unit = rule.round_to_minutes * MINUTE
    prolonged = end + pl.min_horizontal(end - start, pl.lit(rule.prolong_at_most_minutes * MINUTE))
    length = (prolonged - start + unit // 2) // unit * unit
    first, last = start // unit * unit, prolonged // unit * unit
    at_start = first + unit - start >= prolonged - last
    begin = pl.when(at_start).then(first).otherwise(last + unit - length)
    return [begin.alias("from"), (begin + length).alias("to")]
