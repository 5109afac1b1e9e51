"""Sites that are likely one: nearly the same name at nearly the same address of a ward.

Suggested, never acted on: two households can trade under one name at one door.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from console.sitelist.plain import plain

# Of 100: how alike two names must be, at one address and where one of the two has none.
SAME_DOOR: Final = 80.0
NO_DOOR: Final = 95.0
DOOR: Final = 90.0
# Words that say what something is, not which.
_COMMON: Final = frozenset(
    (
        *("cong", "ty", "tnhh", "mtv", "cp", "co", "phan", "hkd", "ho", "kinh", "doanh", "cua"),
        *("hang", "quan", "nha", "so", "dntn", "nghiep", "tu", "nhan", "mot", "thanh", "vien"),
        *("thuong", "mai", "dich", "vu", "tm", "dv", "va", "chi", "nhanh", "duong", "pho", "ngo"),
        *("to", "phuong", "xa"),
    )
)
_AT_ONCE: Final = 2_000


@dataclass(frozen=True)
class Named:
    """A site to compare: where it stands (`row` of the list, or `site` of the register)."""

    name: str
    address: str
    ward: str
    row: int | None = None
    site: int | None = None


@dataclass(frozen=True)
class Likely:
    """Two that are likely one: `one` is of the list, `other` of the list or the register."""

    one: Named
    other: Named
    likeness: int


def likely(listed: Sequence[Named], registered: Iterable[Named]) -> list[Likely]:
    """Pairs by likeness; of each of the list, the likest other one before it or in the register."""
    wards: dict[str, tuple[list[Named], list[Named]]] = defaultdict(lambda: ([], []))
    for one in registered:
        wards[one.ward][0].append(one)
    for one in listed:
        wards[one.ward][1].append(one)
    found = [pair for old, new in wards.values() if new for pair in _in_ward(old, new)]
    return sorted(found, key=lambda p: (-p.likeness, p.one.row or 0))


def _in_ward(old: Sequence[Named], new: Sequence[Named]) -> Iterator[Likely]:
    everyone = [*old, *new]
    names = [_telling(one.name) for one in everyone]
    doors = [_telling(one.address) for one in everyone]
    empty = np.array([not door for door in doors])
    number, house = (_numbered([_numbers(text) for text in texts]) for texts in (names, doors))
    for begin in range(len(old), len(everyone), _AT_ONCE):
        end = min(begin + _AT_ONCE, len(everyone))
        alike = process.cdist(names[begin:end], names[:end], scorer=fuzz.token_sort_ratio)
        door = process.cdist(doors[begin:end], doors[:end], scorer=fuzz.token_sort_ratio)
        unknown = empty[begin:end, None] | empty[None, :end]
        same = np.where(unknown, alike >= NO_DOOR, (alike >= SAME_DOOR) & (door >= DOOR))
        same &= unknown | (house[begin:end, None] == house[None, :end])
        same &= number[begin:end, None] == number[None, :end]
        rows, columns = np.arange(begin, end)[:, None], np.arange(end)[None, :]
        alike = np.where(same & (columns < rows), alike, 0)
        best = alike.argmax(axis=1)
        for at, other in enumerate(best):
            if alike[at, other]:
                yield Likely(everyone[begin + at], everyone[other], int(alike[at, other]))


def _numbers(text: str) -> str:
    """What has digits: 16 Cát Bi is not 61 Cát Bi, and school 1 not school 2."""
    return " ".join(sorted(word for word in text.split() if any(c.isdigit() for c in word)))


def _numbered(texts: list[str]) -> npt.NDArray[np.int64]:
    """The same number for the same text."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(text, len(seen)) for text in texts], np.int64)


def _telling(text: str) -> str:
    """The words that tell one from another; all of them where there are no such."""
    words = plain(text).split()
    return " ".join([word for word in words if word not in _COMMON] or words)
