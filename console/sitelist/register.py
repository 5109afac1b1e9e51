"""What a list's rows become: sites with their places, each under a key that stays the same.

A site is its code in the list, or its name, ward and address without accents: the list read again,
or mended and read again, adds only what is new.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from console.sitelist.plain import plain
from console.sitelist.understand import Listed
from console.store.register import NewPlace, NewSite
from issuer.kinds import Level, place_defaults, usual_hours

GATE_NAME = "Cổng chính"


@dataclass
class Grouped:
    """Sites in the list's order; `rows`: of each, its rows; `gates`: how many got a gate because
    the list names no room of a site that is larger than one; `again`: rows said before."""

    sites: list[NewSite] = field(default_factory=list)
    rows: dict[str, list[Listed]] = field(default_factory=dict)
    gates: int = 0
    again: list[Listed] = field(default_factory=list)

    @property
    def places(self) -> int:
        """How many places the sites have together."""
        return sum(len(site.places) for site in self.sites)


def site_key(listed: Listed) -> str:
    """What the list calls the site: at most 64 characters, no letter of its name."""
    said = (
        f"code/{plain(listed.code)}"
        if plain(listed.code)
        else f"{plain(listed.name)}/{listed.ward}/{plain(listed.address)}"
    )
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def grouped(rows: Iterable[Listed]) -> Grouped:
    """Rows of the same site together; of the same place, the first counts."""
    found = Grouped()
    places: dict[str, dict[str, Listed]] = {}
    for listed in rows:
        key = site_key(listed)
        mine = places.setdefault(key, {})
        if plain(listed.place) in mine:
            found.again.append(listed)
            continue
        mine[plain(listed.place)] = listed
        found.rows.setdefault(key, []).append(listed)
    for key, of_site in found.rows.items():
        site, gate = _site(key, of_site)
        found.sites.append(site)
        found.gates += gate
    return found


def _site(key: str, rows: list[Listed]) -> tuple[NewSite, bool]:
    first = rows[0]
    about = place_defaults(first.kind)
    assert about.sector is not None, "a kind of sites names its sector"
    rooms = [row for row in rows if row.place]
    gate = not rooms and about.level is Level.SITE
    if gate:
        places = [_place(f"{key}/gate", GATE_NAME, "gate", first)]
    elif rooms:
        places = [_place(f"{key}/{_short(r.place)}", r.place, r.place_kind, r) for r in rooms]
    else:
        places = [_place(f"{key}/", first.name, first.kind, first)]
    site = NewSite(
        name=first.name,
        kind=first.kind,
        ward=first.ward,
        sector=about.sector,
        external_key=key,
        address=first.address or None,
        places=tuple(places),
    )
    return site, gate


def _place(key: str, name: str, kind: str, row: Listed) -> NewPlace:
    about = place_defaults(kind)
    return NewPlace(
        name=name,
        kind=kind,
        external_key=key,
        hours=row.hours or usual_hours(kind, row.kind),
        capacity=None if about.gate else row.capacity,
        enclosed=about.enclosed,
        small=about.is_small(row.capacity, row.area_m2),
        gate=about.gate,
        usual_stay=about.usual_stay,
    )


def _short(text: str) -> str:
    return hashlib.sha256(plain(text).encode()).hexdigest()[:16]
