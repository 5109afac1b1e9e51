"""Groups of at least ten, so that a number is never of a few people. Pure.

A unit that declares ten or more stands for itself. Smaller ones of a sector are put together within
their ward; what is under ten there, within the district; then within the city; what is under ten
even so is left out. So every unit is in at most one group, and whatever is shown, by area or by
sector, is a sum of whole groups: no difference of two numbers is of fewer than ten. Sectors are
never put together, or a sector's own numbers and those of all would differ by a few.

Which units form a group follows from what they declare alone, not from who came; a count under ten
is not shown; the others are rounded to fives, so that "all but one" is not, either.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from console.worklist.areas import covers
from issuer.units import Ward
from issuer.units import ward as unit_of

LEAST: Final = 10
ROUNDED_TO: Final = 5


class Level(StrEnum):
    """What a group is of."""

    SITE = "site"
    WARD = "ward"
    DISTRICT = "district"
    CITY = "city"


@dataclass(frozen=True)
class Unit:
    """A site on one day: people it declares, people who scanned at its staff entrance."""

    site: int
    ward: str
    sector: str
    declared: int
    counted: int


@dataclass(frozen=True)
class Group:
    """What is shown. `area`: where all of it lies. `counted` None: fewer than ten."""

    level: Level
    area: str
    sector: str
    sites: tuple[int, ...]
    declared: int
    counted: int | None


@dataclass(frozen=True)
class Total:
    """Of the groups whose count is shown, and how many are not: of these nothing is in the sums."""

    groups: int
    declared: int
    counted: int
    under_ten: int


def grouped(units: Iterable[Unit]) -> tuple[list[Group], list[Unit]]:
    """Groups, and the units that are left out. The units must be all of their city, whatever is
    asked for, so that each is in the same group for every asker. Wards must be known."""
    groups: list[Group] = []
    left: list[Unit] = []
    for one in sorted(units, key=lambda unit: (unit.sector, unit.ward, unit.site)):
        if one.declared >= LEAST:
            groups.append(_group(Level.SITE, f"ward/{one.ward}", [one]))
        else:
            left.append(one)
    for level, code in _LEVELS:
        groups, left = _merged(groups, left, level, code)
    return groups, left


_LEVELS: Final[tuple[tuple[Level, Callable[[Ward], str]], ...]] = (
    (Level.WARD, lambda ward: ward.code),
    (Level.DISTRICT, lambda ward: ward.district_code),
    (Level.CITY, lambda ward: ward.province_code),
)


def _merged(
    groups: Sequence[Group], units: Sequence[Unit], level: Level, code: Callable[[Ward], str]
) -> tuple[list[Group], list[Unit]]:
    found: dict[tuple[str, str], list[Unit]] = {}
    for one in units:
        found.setdefault((one.sector, code(unit_of(one.ward))), []).append(one)
    made, left = [*groups], list[Unit]()
    for (_, where), some in found.items():
        # a ward of two levels has no district: it goes on to the city
        if where and sum(one.declared for one in some) >= LEAST:
            made.append(_group(level, f"{level}/{where}", some))
        else:
            left += some
    return made, left


def _group(level: Level, area: str, units: Sequence[Unit]) -> Group:
    declared = sum(one.declared for one in units)
    counted = sum(one.counted for one in units)
    return Group(
        level, area, units[0].sector, tuple(sorted(one.site for one in units)), declared,
        shown(counted, declared),
    )  # fmt: skip


def shown(counted: int, declared: int) -> int | None:
    """A count as it may be shown, never above what is declared; None: fewer than ten."""
    if counted < LEAST:
        return None
    return min((counted + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO, declared)


def seen_from(groups: Iterable[Group], area: str, sector: str | None) -> list[Group]:
    """The groups that lie in an area whole, of a sector."""
    return [
        group for group in groups if sector in (None, group.sector) and covers(area, group.area)
    ]


def total(groups: Iterable[Group]) -> Total:
    """The sum of what is shown."""
    groups = list(groups)
    known = [group for group in groups if group.counted is not None]
    return Total(
        len(known),
        sum(group.declared for group in known),
        sum(group.counted or 0 for group in known),
        len(groups) - len(known),
    )
