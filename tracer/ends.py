"""When an opening scan's interval ends: the first accepted end, in the order of `ENDS`.

All times are milliseconds since 1970 UTC. The rule in words is in `tracer.stays`.
"""

from typing import Final

import polars as pl

from tracer.ground import MINUTE, Ground
from tracer.parameters import ENDS

DAY: Final = 86_400_000
# Asia/Ho_Chi_Minh has been UTC+7 without summer time since 1975-06-13 (IANA tz, `asia`).
LOCAL_OFFSET: Final = 7 * 60 * MINUTE


def with_ends(openings: pl.DataFrame, ground: Ground, answers: pl.DataFrame) -> pl.DataFrame:
    """`openings` (with `reach`, `bound`, `closes` and `usual_stay` of their place, ordered) with
    `end` and `end_rank`, an index into `ENDS`."""
    openings = _with_answer(_with_arrival(openings, ground.arrivals), answers)
    t, elsewhere = pl.col("t"), pl.col("elsewhere_t")
    longest = ground.parameters.max_stay_minutes * MINUTE
    closing = t + _until_closing()

    def plausible(end: pl.Expr) -> pl.Expr:
        return (end > t) & (end - t <= longest) & (elsewhere.is_null() | (end <= elsewhere))

    accepted = (
        (pl.col("next_is_out") & (pl.col("next_t") - t <= longest), pl.col("next_t")),
        (plausible(pl.col("answer")), pl.col("answer")),
        (elsewhere - t <= pl.col("bound"), elsewhere),
        (plausible(pl.col("arrival")), pl.col("arrival")),
        (closing - t <= pl.col("bound"), closing),
        (pl.col("usual_stay").is_not_null(), t + pl.col("reach")),
        (pl.lit(True), t + pl.col("reach")),
    )
    assert len(accepted) == len(ENDS)
    rank = pl.coalesce(
        pl.when(condition).then(pl.lit(number, pl.Int8))
        for number, (condition, _) in enumerate(accepted)
    )
    end = pl.coalesce(pl.when(condition).then(value) for condition, value in accepted)
    return openings.with_columns(end=end, end_rank=rank)


def _until_closing() -> pl.Expr:
    """Milliseconds to the next closing strictly after `t`; null where no hours are known."""
    since_midnight = (pl.col("t") + LOCAL_OFFSET) % DAY
    ahead = (pl.col("closes").cast(pl.Int64) * MINUTE - since_midnight) % DAY
    return pl.when(ahead == 0).then(DAY).otherwise(ahead)


def _with_arrival(openings: pl.DataFrame, arrivals: pl.DataFrame) -> pl.DataFrame:
    if arrivals.is_empty() or openings["trip"].null_count() == openings.height:
        return openings.with_columns(arrival=pl.lit(None, pl.Int64))
    return openings.join(arrivals, on=["place", "trip"], how="left", maintain_order="left")


def _with_answer(openings: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The answer that starts last at or before the opening; where equal, the later end."""
    if answers.is_empty():
        return openings.with_columns(answer=pl.lit(None, pl.Int64))
    given = (
        answers.select(
            "person",
            "place",
            answered_from=pl.col("start").dt.timestamp("ms"),
            answer=pl.col("end").dt.timestamp("ms"),
        )
        .sort("answered_from", "answer")
        .unique(["person", "place", "answered_from"], keep="last", maintain_order=True)
    )
    return (
        openings.sort("t")
        .join_asof(
            given,
            left_on="t",
            right_on="answered_from",
            by=["person", "place"],
            check_sortedness=False,  # both were sorted just above; it cannot check within `by`
        )
        .sort("row")
    )
