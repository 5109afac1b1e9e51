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
    """A place of a site; `usual_stay` in minutes."""

    name: str
    kind: str
    hours: Hours | None = None
    capacity: int | None = None
    enclosed: bool = False
    small: bool = False
    gate: bool = False
    usual_stay: int | None = None
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
    sector: str
    per_5000: float
    draft: Draft


def _hours(opens: str, closes: str) -> Hours:
    return Hours(opens=opens, closes=closes)


OFFICE_HOURS: Final = _hours("07:00", "18:00")


def _room(
    name: str, kind: str, hours: Hours | None, seats: int, stay: int, small: bool = False
) -> PlaceDraft:
    return PlaceDraft(name, kind, hours, seats, enclosed=True, small=small, usual_stay=stay)


def _gate(name: str, hours: Hours | None) -> PlaceDraft:
    return PlaceDraft(name, "gate", hours, gate=True, usual_stay=1)


def _between(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _some(rng: np.random.Generator, among: tuple[str, ...], low: int, high: int) -> list[str]:
    chosen = rng.permutation(len(among))[: _between(rng, low, high)]
    return [among[i] for i in sorted(chosen.tolist())]


def _office(at: Setting) -> SiteDraft:
    sections = _some(at.rng, names.SECTIONS, 2, 4)
    rooms = [f"Phòng họp {n + 1}" for n in range(_between(at.rng, 1, 2))]
    places = [_room(f"Phòng {s}", "section", OFFICE_HOURS, 20, 240) for s in sections]
    places += [_room(r, "meeting_room", OFFICE_HOURS, 12, 60, small=True) for r in rooms]
    if len(sections) > 2:
        places.insert(0, _gate("Cổng chính", OFFICE_HOURS))
    return SiteDraft(f"{pick(at.rng, names.OFFICES)} {at.ward}", tuple(places))


def _school(at: Setting) -> SiteDraft:
    hours = _hours("06:30", "17:30")
    level, grade = pick(at.rng, ("Tiểu học 3", "THCS 7", "THPT 10")).rsplit(" ", 1)
    rooms = [f"Lớp {grade}{letter}" for letter in "ABCDEFG"[: _between(at.rng, 3, 6)]]
    places = [_gate("Cổng trường", hours)]
    places += [_room(r, "classroom", hours, 40, 240) for r in rooms]
    places.append(_room("Phòng hội đồng", "meeting_room", hours, 14, 60, small=True))
    return SiteDraft(f"Trường {level} {pick(at.rng, names.HEROES)}", tuple(places))


def _hospital(at: Setting) -> SiteDraft:
    departments = _some(at.rng, names.DEPARTMENTS, 5, 7)
    places = [_gate(f"Cổng {n + 1}", None) for n in range(2)]
    places += [_room(d, "department", None, 40, 70) for d in departments]
    places.append(_room("Phòng giao ban", "meeting_room", None, 14, 60, small=True))
    return SiteDraft(f"Bệnh viện Đa khoa {pick(at.rng, names.BRANDS)}", tuple(places))


def _clinic(at: Setting) -> SiteDraft:
    room = _room("Phòng khám", "clinic", _hours("07:00", "17:00"), 12, 35, small=True)
    return SiteDraft(f"Trạm Y tế {at.ward}", (room,))


def _factory(at: Setting) -> SiteDraft:
    around_the_clock = at.rng.random() < 0.4
    hours = None if around_the_clock else _hours("06:00", "18:30")
    places = [_gate("Cổng bảo vệ", hours)]
    lines = range(1, _between(at.rng, 3, 5) + 1)
    places += [_room(f"Dây chuyền {n}", "production_line", hours, 60, 480) for n in lines]
    places.append(_room("Nhà ăn ca", "canteen", hours, 150, 30))
    name = f"Công ty {pick(at.rng, names.PRODUCTS)} {pick(at.rng, names.BRANDS)}"
    return SiteDraft(name, tuple(places))


def _market(at: Setting) -> SiteDraft:
    hours = _hours("05:00", "18:30")
    gates = ("Cổng Đông", "Cổng Tây", "Cổng Nam")[: _between(at.rng, 2, 3)]
    places = [_gate(g, hours) for g in gates]
    rows = _some(at.rng, names.STALLS, 4, 6)
    places += [PlaceDraft(row, "stall_row", hours, 60, usual_stay=20) for row in rows]
    return SiteDraft(f"Chợ {at.ward}", tuple(places))


def _supermarket(at: Setting) -> SiteDraft:
    hours = _hours("08:00", "22:00")
    places = [_gate("Cửa vào", hours)]
    places += [_room(f"Tầng {n}", "supermarket", hours, 150, 35) for n in (1, 2)]
    return SiteDraft(f"Siêu thị {pick(at.rng, names.BRANDS)}", tuple(places))


def _one(prefix: str, kind: str, hours: Hours, seats: int, stay: int, small: bool) -> Draft:
    """A site that is a single room, called after its owner."""

    def draft(at: Setting) -> SiteDraft:
        size = max(4, round(seats * float(at.rng.uniform(0.6, 1.5))))
        room = _room(prefix, kind, hours, size, stay, small)
        return SiteDraft(f"{prefix} {names.owner(at.rng)}", (room,))

    return draft


def _station(at: Setting) -> SiteDraft:
    hours = _hours("04:30", "22:00")
    places = (
        _gate("Cổng vào", hours),
        _room("Phòng chờ", "waiting_room", hours, 120, 30),
        _room("Phòng vé", "ticket_office", hours, 25, 10, small=True),
    )
    return SiteDraft(f"Bến xe {at.ward}", places)


def _operator(at: Setting) -> SiteDraft:
    line = _between(at.rng, 1, 40)
    vehicles = tuple(
        PlaceDraft(
            f"Xe buýt tuyến {line:02d}, {names.vehicle_plate(next(at.plates))}",
            "bus",
            capacity=45,
            enclosed=True,
            small=True,
            usual_stay=35,
            vehicle=True,
        )
        for _ in range(10)
    )
    return SiteDraft(f"Công ty Vận tải {pick(at.rng, names.BRANDS)}", vehicles)


def _dormitory(at: Setting) -> SiteDraft:
    houses = "ABC"[: _between(at.rng, 2, 3)]
    places = [_gate("Cổng khu nhà", None)]
    places += [_room(f"Nhà {h}", "dormitory", None, 120, 540) for h in houses]
    return SiteDraft(f"Khu nhà ở công nhân {pick(at.rng, names.BRANDS)}", tuple(places))


_SHOP: Final = _hours("07:30", "21:30")
_CARE: Final = _hours("08:00", "20:30")
_SPORT: Final = _hours("05:30", "22:00")
_DAYLIGHT: Final = _hours("05:30", "19:00")
TEMPLATES: Final = (
    Template("office", "interior", 34, _office),
    Template("school", "education", 8, _school),
    Template("hospital", "health", 4, _hospital),
    Template("clinic", "health", 10, _clinic),
    Template("factory", "industry", 12, _factory),
    Template("market", "trade", 12, _market),
    Template("supermarket", "trade", 8, _supermarket),
    Template("shop", "trade", 40, _one("Cửa hàng", "shop", _SHOP, 12, 15, True)),
    Template("pharmacy", "health", 35, _one("Nhà thuốc", "pharmacy", _SHOP, 8, 8, True)),
    Template(
        "restaurant",
        "trade",
        55,
        _one("Quán ăn", "restaurant", _hours("06:00", "22:00"), 40, 40, False),
    ),
    Template("cafe", "trade", 25, _one("Cà phê", "cafe", _hours("06:30", "22:30"), 30, 50, False)),
    Template("bus_station", "transport", 3, _station),
    Template("bus_operator", "transport", 3, _operator),
    Template("dormitory", "industry", 5, _dormitory),
    Template("salon", "trade", 20, _one("Tiệm tóc", "salon", _CARE, 8, 45, True)),
    Template("gym", "culture", 6, _one("Phòng tập", "gym", _SPORT, 40, 75, False)),
    Template("pagoda", "culture", 6, _one("Chùa", "pagoda", _DAYLIGHT, 80, 40, False)),
)
