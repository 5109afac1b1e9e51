"""Tiers: how close a place brings people who are there at the same time."""

from enum import StrEnum
from typing import Final

import polars as pl


class Tier(StrEnum):
    """Closest first. `same_time_only` (*có mặt cùng thời điểm*) is never on the call list."""

    SAME_SMALL_ENCLOSED = "same_small_enclosed"
    SAME_PLACE = "same_place"
    SAME_TIME_ONLY = "same_time_only"


TIERS: Final = pl.Enum([tier.value for tier in Tier])


TIER_OF: Final = ("gate", "enclosed", "small")


def called() -> pl.Expr:
    """Whether who is in such a place goes on the call list; columns `TIER_OF`."""
    return tier() != Tier.SAME_TIME_ONLY.value


def tier() -> pl.Expr:
    """The tier from a place's `gate`, `enclosed` and `small`; null counts as false.

    A gate's code says only that somebody came by, and an open place (not enclosed) is
    everybody's: both are `same_time_only`, whatever else is said of them.
    """
    gate, enclosed, small = (pl.col(c).fill_null(False) for c in ("gate", "enclosed", "small"))
    return (
        pl.when(gate | ~enclosed)
        .then(pl.lit(Tier.SAME_TIME_ONLY.value))
        .when(small)
        .then(pl.lit(Tier.SAME_SMALL_ENCLOSED.value))
        .otherwise(pl.lit(Tier.SAME_PLACE.value))
        .cast(TIERS)
    )
