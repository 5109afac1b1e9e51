"""Tiers: how close a place brings people who are there at the same time."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl


class Tier(StrEnum):
    """Closest first. `same_time_only` (*có mặt cùng thời điểm*) is never on the call list."""

    SAME_SMALL_ENCLOSED = "same_small_enclosed"
    SAME_PLACE = "same_place"
    SAME_TIME_ONLY = "same_time_only"


TIERS: Final = pl.Enum([tier.value for tier in Tier])


TIER_OF: Final = ("gate", "enclosed", "small")


class Known(NamedTuple):
    """What is known of a place and says what it means to meet there; None where it is not."""

    kind: str | None
    gate: bool | None
    enclosed: bool | None
    small: bool | None


def called(places: pl.DataFrame) -> pl.Series:
    """Whether who is in each of these places goes on the call list; columns `TIER_OF`."""
    rows: Iterable[tuple[bool | None, ...]] = places.select(TIER_OF).iter_rows()
    return pl.Series(
        [tier(*row) is not Tier.SAME_TIME_ONLY for row in rows],
        dtype=pl.Boolean,
    )


def tier(gate: bool | None, enclosed: bool | None, small: bool | None) -> Tier:
    """The tier of a place; None counts as false.

    A gate's code says only that somebody came by, and an open place (not enclosed) is
    everybody's: both are `same_time_only`, whatever else is said of them.
    """
    if gate or not enclosed:
        return Tier.SAME_TIME_ONLY
    return Tier.SAME_SMALL_ENCLOSED if small else Tier.SAME_PLACE
