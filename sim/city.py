"""A plan of a city: sites with their places in real wards, before anything is registered.

The console registers the plan in its order and gives back `schemas.places.Place` records with
ids and codes; from there on the simulation works on those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import numpy as np

from issuer.kinds import UNKNOWN, place_defaults
from schemas.errors import UserError
from schemas.places import Hours, Trip
from sim.names import Taken, address
from sim.sites import TEMPLATES, PlaceDraft, Setting, SiteDraft, Template
from sim.trips import trips_of

_EPOCH: Final = date(1970, 1, 1)
URBAN: Final = 4.0  # a phường has this many times the sites of a xã


class Ward(Protocol):
    """An administrative unit, as `issuer.units` gives it."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class PlaceSpec:
    """A place to register: what schemas.places.Place has, without ids, codes and area."""

    name: str
    kind: str
    hours: Hours | None
    capacity: int | None
    enclosed: bool
    small: bool
    gate: bool
    usual_stay: int | None
    trips: tuple[Trip, ...] = ()


@dataclass(frozen=True)
class SiteSpec:
    """A site to register, with its places in order."""

    name: str
    kind: str
    ward: str
    sector: str
    address: str | None
    places: tuple[PlaceSpec, ...]


@dataclass(frozen=True)
class CityPlan:
    """Sites in the order to register them."""

    sites: tuple[SiteSpec, ...]

    @property
    def places(self) -> tuple[tuple[SiteSpec, PlaceSpec], ...]:
        """Every place with its site, in the plan's order."""
        return tuple((site, place) for site in self.sites for place in site.places)


def plan_city(
    wards: Sequence[Ward], seed: int, people: int, first_day: date | None = None, days: int = 0
) -> CityPlan:
    """Sites and places for a city of `people`, spread over `wards`.

    With `first_day` and `days`, vehicles carry their trips of those local days.
    """
    if not wards:
        raise UserError(
            "Thành phố không có xã, phường nào: hãy xem lại tỉnh. / "
            "The city has no wards: check the province."
        )
    rng = np.random.default_rng([seed, 0])
    taken = Taken()
    weights = np.array([URBAN if w.name.startswith("Phường") else 1.0 for w in wards])
    trips = (0 if first_day is None else (first_day - _EPOCH).days, days)
    plates = iter(rng.permutation(100_000).tolist())
    sites: list[SiteSpec] = []
    for template in TEMPLATES:
        count = max(1, round(template.per_5000 * people / 5000))
        at = rng.choice(len(wards), count, p=weights / weights.sum())
        for ward in (wards[i] for i in at.tolist()):
            draft = template.draft(Setting(rng, short_name(ward.name), plates))
            sites.append(_site(template, draft, ward, taken, rng, trips))
    return CityPlan(tuple(sites))


def _site(
    template: Template,
    draft: SiteDraft,
    ward: Ward,
    taken: Taken,
    rng: np.random.Generator,
    trips: tuple[int, int],
) -> SiteSpec:
    names = Taken()
    places = tuple(_place(p, names.unique("", p.name), trips) for p in draft.places)
    return SiteSpec(
        name=taken.unique(ward.code, draft.name),
        kind=template.kind,
        ward=ward.code,
        sector=place_defaults(template.kind).sector or UNKNOWN,
        address=address(rng) if rng.random() < 0.8 else None,
        places=places,
    )


def _place(draft: PlaceDraft, name: str, trips: tuple[int, int]) -> PlaceSpec:
    kind = place_defaults(draft.kind)
    return PlaceSpec(
        name=name,
        kind=draft.kind,
        hours=draft.hours or kind.hours,
        capacity=draft.capacity,
        enclosed=kind.enclosed,
        small=kind.is_small(draft.capacity),
        gate=kind.gate,
        usual_stay=kind.usual_stay,
        trips=trips_of(name, *trips) if draft.vehicle else (),
    )


def short_name(ward: str) -> str:
    """`Quán Toan` of `Phường Quán Toan`."""
    for kind in ("Phường ", "Xã ", "Thị trấn ", "Huyện "):
        ward = ward.removeprefix(kind)
    return ward
