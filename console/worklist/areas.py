"""Whether one area lies in another: a hand-over goes to a ward, a district or a province."""

from functools import cache
from typing import Final

from issuer.units import EVERYWHERE, contains, wards_in

_SIZES: Final = ("ward", "district", "city")


def area_of_ward(ward: str) -> str:
    """The area that is this ward alone."""
    return f"ward/{ward}"


def covers(area: str, other: str) -> bool:
    """Whether everything of `other` is in `area`."""
    if area in (EVERYWHERE, other):
        return True
    size, _, _ = area.partition("/")
    other_size, _, _ = other.partition("/")
    if not covers_size(size, other_size):
        return False
    ward = _first_ward(other)
    return ward is not None and contains(area, ward)


@cache
def areas_within(area: str) -> tuple[str, ...]:
    """Every area that lies in it, itself among them: what a query filters by. Not for `*`."""
    size, _, _ = area.partition("/")
    found = {area}
    for unit in wards_in(area):
        units = zip(_SIZES, (unit.code, unit.district_code, unit.province_code), strict=True)
        found.update(f"{name}/{code}" for name, code in units if code and covers_size(size, name))
    return tuple(sorted(found))


def covers_size(size: str, other: str) -> bool:
    """Whether an area of this size can hold one of the other."""
    return size in _SIZES and other in _SIZES and _SIZES.index(other) <= _SIZES.index(size)


@cache
def _first_ward(area: str) -> str | None:
    wards = wards_in(area)
    return wards[0].code if wards else None
