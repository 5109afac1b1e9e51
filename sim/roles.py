"""What people do at a kind of place: who works there, who goes there and why.

A kind that is not in the table is one people visit now and then (`service`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.places import Place


class Occupation(StrEnum):
    """Where a person's weekday goes; `home` scans only on errands."""

    OFFICE = "office"
    FACTORY = "factory"
    STUDENT = "student"
    HOSPITAL = "hospital"
    MARKET = "market"
    SHOP = "shop"
    HOME = "home"


OCCUPATIONS: Final = tuple(o for o in Occupation if o is not Occupation.HOME)

# Shares of the simulated population. Assumption: no published table has these groups.
SHARES: Final = {
    Occupation.OFFICE: 0.22,
    Occupation.FACTORY: 0.20,
    Occupation.STUDENT: 0.18,
    Occupation.HOSPITAL: 0.03,
    Occupation.MARKET: 0.06,
    Occupation.SHOP: 0.09,
}


@dataclass(frozen=True)
class Shift:
    """Minutes after midnight and minutes; `share` among the shifts of an occupation."""

    start: int
    length: int
    share: float


# The first one is the day shift, for places that close. Eight hours of work and a break of an
# hour: Bộ luật Lao động 2019, điều 105 and 109; the hours of the day are an assumption.
SHIFTS: Final[dict[Occupation, tuple[Shift, ...]]] = {
    Occupation.OFFICE: (Shift(8 * 60, 9 * 60, 1.0),),
    Occupation.FACTORY: (
        Shift(7 * 60, 9 * 60, 0.55),
        Shift(14 * 60, 8 * 60, 0.30),
        Shift(22 * 60, 8 * 60, 0.15),
    ),
    Occupation.STUDENT: (Shift(7 * 60 + 15, 250, 1.0),),
    Occupation.HOSPITAL: (
        Shift(7 * 60, 9 * 60, 0.6),
        Shift(14 * 60, 8 * 60, 0.2),
        Shift(21 * 60 + 30, 9 * 60, 0.2),
    ),
    Occupation.MARKET: (Shift(6 * 60, 7 * 60, 1.0),),
    Occupation.SHOP: (Shift(8 * 60 + 30, 9 * 60, 1.0),),
}

# Presence at work by weekday, Monday first. Assumption.
ATTENDANCE: Final[dict[Occupation, tuple[float, ...]]] = {
    Occupation.OFFICE: (0.93, 0.93, 0.93, 0.93, 0.92, 0.10, 0.03),
    Occupation.FACTORY: (0.94, 0.94, 0.94, 0.94, 0.94, 0.75, 0.10),
    Occupation.STUDENT: (0.95, 0.95, 0.95, 0.95, 0.95, 0.30, 0.00),
    Occupation.HOSPITAL: (0.80, 0.80, 0.80, 0.80, 0.80, 0.50, 0.45),
    Occupation.MARKET: (0.88, 0.88, 0.88, 0.88, 0.88, 0.92, 0.92),
    Occupation.SHOP: (0.80, 0.80, 0.80, 0.80, 0.82, 0.85, 0.80),
}


@dataclass(frozen=True)
class Errand:
    """`share` of all errands; `peaks`: (hour, spread in hours, share) of the day."""

    name: str
    share: float
    peaks: tuple[tuple[float, float, float], ...]


_CATEGORIES: Final = (
    Errand("market", 0.27, ((7.8, 1.1, 0.6), (16.8, 0.9, 0.4))),
    Errand("shop", 0.17, ((10.0, 1.6, 0.4), (18.3, 1.3, 0.6))),
    Errand("food", 0.22, ((6.9, 0.7, 0.2), (11.9, 0.6, 0.35), (18.8, 1.0, 0.45))),
    Errand("pharmacy", 0.08, ((9.5, 1.5, 0.5), (18.0, 1.5, 0.5))),
    Errand("hospital", 0.07, ((8.3, 1.2, 0.7), (14.3, 1.0, 0.3))),
    Errand("office", 0.06, ((9.0, 0.9, 0.6), (14.5, 0.9, 0.4))),
    Errand("station", 0.04, ((7.5, 1.5, 0.5), (16.5, 1.8, 0.5))),
    Errand("service", 0.09, ((10.0, 2.0, 0.4), (17.8, 2.0, 0.6))),
)
ERRANDS: Final = tuple(e.name for e in _CATEGORIES)
ERRAND_TABLE: Final = _CATEGORIES


@dataclass(frozen=True)
class Role:
    """`heads` weighs how many work there; `errand` is the reason visitors come."""

    work: Occupation | None = None
    heads: float = 1.0
    errand: str | None = None
    meeting: bool = False
    canteen: bool = False
    vehicle: bool = False
    dormitory: bool = False


ROLES: Final = {
    "section": Role(work=Occupation.OFFICE, heads=12, errand="office"),
    "meeting_room": Role(meeting=True),
    "classroom": Role(work=Occupation.STUDENT, heads=30),
    "line": Role(work=Occupation.FACTORY, heads=25),
    "canteen": Role(canteen=True),
    "department": Role(work=Occupation.HOSPITAL, heads=8, errand="hospital"),
    "clinic": Role(work=Occupation.HOSPITAL, heads=2, errand="hospital"),
    "stall_row": Role(work=Occupation.MARKET, heads=6, errand="market"),
    "supermarket": Role(work=Occupation.SHOP, heads=6, errand="shop"),
    "shop": Role(work=Occupation.SHOP, heads=2, errand="shop"),
    "pharmacy": Role(work=Occupation.SHOP, heads=2, errand="pharmacy"),
    "restaurant": Role(work=Occupation.SHOP, heads=3, errand="food"),
    "cafe": Role(work=Occupation.SHOP, heads=2, errand="food"),
    "waiting_room": Role(errand="station"),
    "ticket_office": Role(work=Occupation.SHOP, heads=2, errand="station"),
    "bus": Role(vehicle=True),
    "dormitory": Role(dormitory=True),
}
_VISITED: Final = Role(work=Occupation.SHOP, heads=1, errand="service")
_PASSED: Final = Role()


def role_of(place: Place) -> Role:
    """The role of a registered place, by its kind."""
    if place.gate:
        return _PASSED
    return ROLES.get(place.kind, _VISITED)
