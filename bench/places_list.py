"""A made-up list of places as an officer has it, of any length, written row by row.

The sites are those of the simulated city (`sim/sites.py`), in the wards of Hải Phòng and Hà Nội;
a phường has four times the sites of a xã. Each has a number of the list's own, so that two shops
of one name stay two.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

import numpy as np

from issuer.kinds import kinds
from issuer.units import HAI_PHONG, wards_of
from sim.city import URBAN, short_name
from sim.names import Taken, address
from sim.sites import TEMPLATES, PlaceDraft, Setting

HA_NOI: Final = "01"
HEADING: Final = (
    "STT", "Mã", "Tên cơ sở", "Điểm quét", "Địa chỉ", "Mã xã", "Loại hình", "Giờ mở cửa",
    "Sức chứa",
)  # fmt: skip
REQUIRED_EVERY: Final = 10
UNKNOWN_EVERY: Final = 200  # a required establishment that nobody has registered
_WITH_ADDRESS: Final = 0.95
_AT_ONCE: Final = 10_000


@dataclass(frozen=True)
class Listed:
    """One site of the list: its number and its places, one a row."""

    number: int
    name: str
    address: str
    ward: str
    kind: str
    places: tuple[PlaceDraft, ...]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """As under `HEADING`, without the running number."""
        kind = kinds()[self.kind].name.vi
        for place in self.places:
            hours = f"{place.hours.opens} - {place.hours.closes}" if place.hours else ""
            room = "" if place.kind == self.kind and len(self.places) == 1 else place.name
            yield (
                f"CS-{self.number}", self.name, room, self.address, self.ward, kind, hours,
                place.capacity or "",
            )  # fmt: skip


def sites(places: int, seed: int) -> Iterator[Listed]:
    """Sites with so many places together; the last one may have fewer than it would."""
    wards = [w for city in (HAI_PHONG, HA_NOI) for w in wards_of(city) if w.code != w.district_code]
    weights = np.array([URBAN if w.name.startswith("Phường") else 1.0 for w in wards])
    shares = np.array([template.per_5000 for template in TEMPLATES])
    rng = np.random.default_rng([seed, places])
    plates = cycle(range(100_000))
    left = places
    for number in count(1):
        at = (number - 1) % _AT_ONCE
        if at == 0:
            ward_of = rng.choice(len(wards), _AT_ONCE, p=weights / weights.sum())
            template_of = rng.choice(len(TEMPLATES), _AT_ONCE, p=shares / shares.sum())
        ward, template = wards[ward_of[at]], TEMPLATES[template_of[at]]
        draft = template.draft(Setting(rng, short_name(ward.name), plates))
        names = Taken()
        mine = tuple(
            PlaceDraft(names.unique("", p.name), p.kind, p.hours, p.capacity) for p in draft.places
        )
        door = address(rng) if rng.random() < _WITH_ADDRESS else ""
        yield Listed(number, draft.name, door, ward.code, template.kind, mine[:left])
        left -= len(mine)
        if left <= 0:
            return


def write_places(file: Path, places: int, seed: int) -> int:
    """The list as CSV; how many sites it has."""
    last = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADING)
        running = count(1)
        for site in sites(places, seed):
            writer.writerows((next(running), *row) for row in site.rows())
            last = site.number
    return last


def write_required(file: Path, places: int, seed: int) -> int:
    """Every tenth of these sites, and a few that are not among them; how many entries."""
    entries = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADING)
        for site in sites(places, seed):
            if site.number % REQUIRED_EVERY == 0:
                entries += 1
                code, name, _, *rest = next(iter(site.rows()))
                if site.number % UNKNOWN_EVERY == 0:
                    code, name = f"{code}-X", f"{name} chưa đăng ký"
                writer.writerow((entries, code, name, "", *rest))
    return entries
