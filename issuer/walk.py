"""The order in which a person walks: ward by ward, street by street, door by door, gate first."""

import re
import unicodedata
from typing import Final

# `Số 12A ngõ 5 đường Lạch Tray` begins with the house's number
_HOUSE: Final = re.compile(r"(?:so(?: nha)?\s+)?(\d+)(\S*)[\s,]+(.*)")
_LAST: Final = "\uffff"  # what has no address comes after all that has one

WalkKey = tuple[str, str, int, str, str, int, bool, int]


def walk_key(
    ward: str, address: str | None, site_name: str, site: int, gate: bool, place: int
) -> WalkKey:
    """What places are sorted by. Streets and names as in a directory: accents count for nothing."""
    street, number, more = _address(address)
    return (ward, street, number, more, fold(site_name), site, not gate, place)


def fold(text: str) -> str:
    """Lower case without accents, as most lists of streets are typed: `Đường Ẵ` is `duong a`."""
    apart = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(c for c in apart if not unicodedata.combining(c))


def _address(address: str | None) -> tuple[str, int, str]:
    """Street, number of the house, what follows that number."""
    folded = " ".join(fold(address or "").split())
    if not folded:
        return _LAST, 0, ""
    found = _HOUSE.fullmatch(folded)
    if found is None:
        return folded, 0, ""
    number, more, street = found.groups()
    return street, int(number[:9]), more.strip(",")
