"""Tiers: how close a place brings people who are there at the same time."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, NamedTuple

import polars as pl


class Tier(StrEnum):
    """Closest first. `same_time_only` (*có mặt cùng thời điểm*) is never on the call list."""

    SAME_SMALL_ENCLOSED = "same_small_enclosed"
    SAME_PLACE = "same_place"
    SAME_TIME_ONLY = "same_time_only"


TIERS: Final = pl.Enum([tier.value for tier in Tier])


# Kinds of places that are large whatever is said of their size: one code for all of a supermarket
# or a hotel, `small = "never"` in `issuer/data/kinds.toml`. Of others nobody says that they are
# large, only that they are small or not known to be.
LARGE: Final = frozenset({"hotel", "supermarket"})


class Known(NamedTuple):
    """What is known of a place and says what it means to meet there; None where it is not."""

    kind: str | None
    gate: bool | None
    enclosed: bool | None
    small: bool | None
    sector: str | None = None


TIER_OF: Final = Known._fields


def called(places: pl.DataFrame) -> pl.Series:
    """Whether who is in each of these places goes on the call list; columns `TIER_OF`."""
    rows: Iterable[tuple[Any, ...]] = places.select(TIER_OF).iter_rows()
    return pl.Series(
        [tier(Known(*row)) is not Tier.SAME_TIME_ONLY for row in rows],
        dtype=pl.Boolean,
    )


def tier(place: Known) -> Tier:
    """The tier of a place; None counts as false.

    A gate's code says only that somebody came by, an open place (not enclosed) is everybody's, and
    in a large one nobody was near for having been there: all are `same_time_only`, whatever else is
    said of them.
    """
    if place.gate or not place.enclosed or place.kind in LARGE:
        return Tier.SAME_TIME_ONLY
    return Tier.SAME_SMALL_ENCLOSED if place.small else Tier.SAME_PLACE
