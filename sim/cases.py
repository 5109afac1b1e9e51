"""Picking the demo's case: a person of the truth with an ordinary number of true contacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from schemas.clock import LOCAL, local_midnight
from schemas.errors import UserError
from schemas.ids import person_text
from schemas.places import Place
from schemas.scan import format_timestamp
from sim.truth import true_contacts

ORDINARY: Final = (20, 60)
ONSET_DAYS_AGO: Final = 3
WINDOW_DAYS_BEFORE_ONSET: Final = 2  # as in Công văn 11042/BYT-DP, (window)
LONG_ENOUGH_MS: Final = 15 * 60_000
FEWEST_PLACES: Final = 4
MOST_TRIED: Final = 600


@dataclass(frozen=True)
class PickedCase:
    """The case to register, and what the truth says about it."""

    person: str
    onset: date
    window_from: datetime
    window_to: datetime
    contacts: int  # people together for LONG_ENOUGH_MS at one place, gates aside
    places: int

    def record(self) -> dict[str, object]:
        """As JSON."""
        return {
            "person": self.person,
            "onset": self.onset.isoformat(),
            "window_from": format_timestamp(self.window_from),
            "window_to": format_timestamp(self.window_to),
            "contacts": self.contacts,
            "places": self.places,
        }


def gates_of(places: Sequence[Place]) -> tuple[int, ...]:
    """Ids of places where being together means little."""
    return tuple(p.id for p in places if p.gate)


def pick_case(
    visits: pl.DataFrame,
    places: Sequence[Place],
    until: datetime,
    seed: int,
    ordinary: tuple[int, int] = ORDINARY,
) -> PickedCase:
    """The first person, in an order drawn from the seed, whose contacts are within `ordinary`.

    If nobody's are, whose are nearest among those tried.
    """
    onset = until.astimezone(LOCAL).date() - timedelta(days=ONSET_DAYS_AGO)
    first = onset - timedelta(days=WINDOW_DAYS_BEFORE_ONSET)
    since, until = local_midnight(first).astimezone(UTC), until.astimezone(UTC)
    gates = gates_of(places)
    recent = visits.filter(
        (pl.col("start") < until) & (pl.col("end") > since) & ~pl.col("place").is_in(gates)
    )
    busy = (
        recent.group_by("person")
        .agg(places=pl.col("place").n_unique())
        .filter(pl.col("places") >= FEWEST_PLACES)
        .sort("person")
    )
    if busy.is_empty():
        raise UserError(
            "Không ai trong dữ liệu này đến đủ nhiều nơi để làm ca bệnh. / "
            "Nobody in this truth went to enough places to be a case."
        )
    order = np.random.default_rng([seed, 8]).permutation(len(busy))[:MOST_TRIED]
    low, high = ordinary
    best: tuple[int, PickedCase] | None = None
    for person, count in busy[order].iter_rows():
        found = true_contacts(recent, person, since, until, LONG_ENOUGH_MS)
        contacts = found["person"].n_unique()
        picked = PickedCase(person_text(person), onset, since, until, contacts, count)
        away = max(low - contacts, contacts - high, 0)
        if best is None or away < best[0]:
            best = (away, picked)
        if away == 0:
            break
    assert best is not None
    return best[1]
