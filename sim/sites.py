"""What each sort of site looks like: its names, its places, their hours and sizes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.places import Hours
from sim import names
from sim.names import pick


@dataclass(frozen=True)
class PlaceDraft:
    """A place of a site. What is left out is the kind's default in `issuer`."""

    name: str
    kind: str
    hours: Hours | None = None
    capacity: int | None = None
    vehicle: bool = False


@dataclass(frozen=True)
class SiteDraft:
    """A site's name and its places."""

    name: str
    places: tuple[PlaceDraft, ...]


@dataclass(frozen=True)
class Setting:
    """Where a site is drawn: the generator, the ward's bare name, plates nobody has yet."""

    rng: np.random.Generator
    ward: str
    plates: Iterator[int]


Draft = Callable[[Setting], SiteDraft]


@dataclass(frozen=True)
class Template:
    """`per_5000`: how many of these sites a city of 5,000 scanning people has."""

    kind: str
    per_5000: float
    draft: Draft


def _hours(opens: str, closes: str) -> Hours:
    return Hours(opens=opens, closes=closes)


OFFICE_HOURS: Final = _hours("07:00", "18:00")


def _between(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _some(rng: np.random.Generator, among: tuple[str, ...], low: int, high: int) -> list[str]:
    chosen = rng.permutation(len(among))[: _between(rng, low, high)]
    return [among[i] for i in sorted(chosen.tolist())]


def _office(at: Setting) -> SiteDraft:
    sections = _some(at.rng, names.SECTIONS, 2, 4)
    rooms = [f"Phòng họp {n + 1}" for n in range(_between(at.rng, 1, 2))]
    places = [PlaceDraft(f"Phòng {s}", "section", OFFICE_HOURS, 20) for s in sections]
    places += [PlaceDraft(r, "meeting_room", OFFICE_HOURS, 12) for r in rooms]
    if len(sections) > 2:
        places.insert(0, PlaceDraft("Cổng chính", "gate", OFFICE_HOURS))
    return SiteDraft(f"{pick(at.rng, names.OFFICES)} {at.ward}", tuple(places))


def _school(at: Setting) -> SiteDraft:
    hours = _hours("06:30", "17:30")
    level, grade = pick(at.rng, ("Tiểu học 3", "THCS 7", "THPT 10")).rsplit(" ", 1)
    rooms = [f"Lớp {grade}{letter}" for letter in "ABCDEFG"[: _between(at.rng, 3, 6)]]
    places = [PlaceDraft("Cổng trường", "gate", hours)]
    places += [PlaceDraft(r, "classroom", hours, 40) for r in rooms]
    places.append(PlaceDraft("Phòng hội đồng", "meeting_room", hours, 14))
    return SiteDraft(f"Trường {level} {pick(at.rng, names.HEROES)}", tuple(places))


def _hospital(at: Setting) -> SiteDraft:
    departments = _some(at.rng, names.DEPARTMENTS, 5, 7)
    places = [PlaceDraft(f"Cổng {n + 1}", "gate", None) for n in range(2)]
    places += [PlaceDraft(d, "department", None, 40) for d in departments]
    places.append(PlaceDraft("Phòng giao ban", "meeting_room", None, 14))
    return SiteDraft(f"Bệnh viện Đa khoa {pick(at.rng, names.BRANDS)}", tuple(places))


def _clinic(at: Setting) -> SiteDraft:
    room = PlaceDraft("Phòng khám", "clinic", _hours("07:00", "17:00"), 12)
    return SiteDraft(f"Trạm Y tế {at.ward}", (room,))


def _factory(at: Setting) -> SiteDraft:
    around_the_clock = at.rng.random() < 0.4
    hours = None if around_the_clock else _hours("06:00", "18:30")
    places = [PlaceDraft("Cổng bảo vệ", "gate", hours)]
    lines = range(1, _between(at.rng, 3, 5) + 1)
    places += [PlaceDraft(f"Dây chuyền {n}", "line", hours, 60) for n in lines]
    places.append(PlaceDraft("Nhà ăn ca", "canteen", hours, 150))
    name = f"Công ty {pick(at.rng, names.PRODUCTS)} {pick(at.rng, names.BRANDS)}"
    return SiteDraft(name, tuple(places))


def _market(at: Setting) -> SiteDraft:
    hours = _hours("05:00", "18:30")
    gates = ("Cổng Đông", "Cổng Tây", "Cổng Nam")[: _between(at.rng, 2, 3)]
    places = [PlaceDraft(g, "gate", hours) for g in gates]
    rows = _some(at.rng, names.STALLS, 4, 6)
    places += [PlaceDraft(row, "stall_row", hours, 60) for row in rows]
    return SiteDraft(f"Chợ {at.ward}", tuple(places))


def _supermarket(at: Setting) -> SiteDraft:
    hours = _hours("08:00", "22:00")
    places = [PlaceDraft("Cửa vào", "gate", hours)]
    places += [PlaceDraft(f"Tầng {n}", "supermarket", hours, 150) for n in (1, 2)]
    return SiteDraft(f"Siêu thị {pick(at.rng, names.BRANDS)}", tuple(places))


def _one(prefix: str, kind: str, hours: Hours, seats: int) -> Draft:
    """A site that is a single room, called after its owner."""

    def draft(at: Setting) -> SiteDraft:
        size = max(4, round(seats * float(at.rng.uniform(0.6, 1.5))))
        room = PlaceDraft(prefix, kind, hours, size)
        return SiteDraft(f"{prefix} {names.owner(at.rng)}", (room,))

    return draft


def _station(at: Setting) -> SiteDraft:
    hours = _hours("04:30", "22:00")
    places = (
        PlaceDraft("Cổng vào", "gate", hours),
        PlaceDraft("Phòng chờ", "waiting_room", hours, 120),
        PlaceDraft("Phòng vé", "ticket_office", hours, 25),
    )
    return SiteDraft(f"Bến xe {at.ward}", places)


def _operator(at: Setting) -> SiteDraft:
    line = _between(at.rng, 1, 40)
    vehicles = tuple(
        PlaceDraft(
            f"Xe buýt tuyến {line:02d}, {names.vehicle_plate(next(at.plates))}",
            "bus",
            capacity=45,
            vehicle=True,
        )
        for _ in range(10)
    )
    return SiteDraft(f"Công ty Vận tải {pick(at.rng, names.BRANDS)}", vehicles)


def _dormitory(at: Setting) -> SiteDraft:
    houses = "ABC"[: _between(at.rng, 2, 3)]
    places = [PlaceDraft("Cổng khu nhà", "gate", None)]
    places += [PlaceDraft(f"Nhà {h}", "dormitory", None, 120) for h in houses]
    return SiteDraft(f"Khu nhà ở công nhân {pick(at.rng, names.BRANDS)}", tuple(places))


_SHOP: Final = _hours("07:30", "21:30")
_CARE: Final = _hours("08:00", "20:30")
_SPORT: Final = _hours("05:30", "22:00")
_DAYLIGHT: Final = _hours("05:30", "19:00")
TEMPLATES: Final = (
    Template("office", 34, _office),
    Template("school", 8, _school),
    Template("hospital", 4, _hospital),
    Template("clinic", 10, _clinic),
    Template("factory", 12, _factory),
    Template("market", 12, _market),
    Template("supermarket", 8, _supermarket),
    Template("shop", 40, _one("Cửa hàng", "shop", _SHOP, 12)),
    Template("pharmacy", 35, _one("Nhà thuốc", "pharmacy", _SHOP, 8)),
    Template(
        "restaurant",
        55,
        _one("Quán ăn", "restaurant", _hours("06:00", "22:00"), 40),
    ),
    Template("cafe", 25, _one("Cà phê", "cafe", _hours("06:30", "22:30"), 30)),
    Template("bus_station", 3, _station),
    Template("bus_operator", 3, _operator),
    Template("dormitory", 5, _dormitory),
    Template("salon", 20, _one("Tiệm tóc", "salon", _CARE, 8)),
    Template("gym", 6, _one("Phòng tập", "gym", _SPORT, 40)),
    Template("worship", 6, _one("Chùa", "worship", _DAYLIGHT, 80)),
)
