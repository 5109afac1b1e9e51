"""Sites that are likely one: nearly the same name at nearly the same address of a ward, or at the
same door of another ward of the district, as when one of the two is written down wrongly.

Suggested, never acted on: two households can trade under one name at one door.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from console.sitelist.plain import plain
from issuer.units import ward

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
_PAIRS: Final = 10_000_000  # compared at once: 40 MB
_At = npt.NDArray[np.intp]


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
    known = list(registered)
    for one in known:
        wards[one.ward][0].append(one)
    for one in listed:
        wards[one.ward][1].append(one)
    found = {pair.one: pair for old, new in wards.values() if new for pair in _in_ward(old, new)}
    for pair in _across_wards(known, listed):
        if pair.one not in found or pair.likeness > found[pair.one].likeness:
            found[pair.one] = pair
    return sorted(found.values(), key=lambda p: (-p.likeness, p.one.row or 0))


def _across_wards(known: Sequence[Named], listed: Sequence[Named]) -> Iterator[Likely]:
    """Of each of the list, the likest at the same door of another ward of its district."""
    doors: dict[tuple[str, str], list[Named]] = defaultdict(list)
    for one in listed:
        if (district := _district(one.ward)) and (door := door_of(one.address)):
            doors[district, door].append(one)
    first = {key: len(new) for key, new in doors.items()}
    for one in known:
        key = _district(one.ward), door_of(one.address)
        if key in first:
            doors[key].append(one)
    for key, count in first.items():
        new, old = doors[key][:count], doors[key][count:]
        for n, one in enumerate(new):
            others = [other for other in (*old, *new[:n]) if other.ward != one.ward]
            alike = [_name_likeness(one, other) for other in others]
            if alike and max(alike) >= SAME_DOOR:
                yield Likely(one, others[alike.index(max(alike))], int(max(alike)))


def _name_likeness(one: Named, other: Named) -> float:
    ours, theirs = telling(one.name), telling(other.name)
    if _numbers(ours) != _numbers(theirs):
        return 0.0
    return float(fuzz.token_sort_ratio(ours, theirs))


@cache
def _district(code: str) -> str:
    """The district of a ward; empty where there is none, as of two levels."""
    try:
        return ward(code).district_code
    except ValueError:
        return ""


def door_of(address: str) -> str:
    """Number and street, without what follows a comma, as the ward's name does; empty where
    no number is written, or no street."""
    words: list[str] = []
    for part in address.split(","):
        words += telling(part).split()
        if any(word.isalpha() for word in words):
            break
    if not any(word.isalpha() for word in words) or not any(c.isdigit() for c in "".join(words)):
        return ""
    return " ".join(words)


def _in_ward(old: Sequence[Named], new: Sequence[Named]) -> Iterator[Likely]:
    everyone = [*old, *new]
    names = [telling(one.name) for one in everyone]
    doors = [telling(one.address) for one in everyone]
    best: dict[int, tuple[int, int]] = {}  # of each: how alike, and minus where its likest is
    for rows, columns in _comparable(names, doors):
        for one, other, alike in _alike(names, doors, rows, columns, len(old)):
            best[one] = max(best.get(one, (0, 0)), (alike, -other))
    for one, (alike, other) in sorted(best.items()):
        yield Likely(everyone[one], everyone[-other], alike)


def _comparable(names: Sequence[str], doors: Sequence[str]) -> Iterator[tuple[_At, _At]]:
    """Those that can be one at all: of the same numbers in the name, and at the door if both have
    one.

    So a ward of a hundred thousand shops is not a matter of each with each.
    """
    by_name: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    without: dict[str, list[int]] = defaultdict(list)
    for at, (name, door) in enumerate(zip(names, doors, strict=True)):
        if door:
            by_name[_numbers(name)][_numbers(door)].append(at)
        else:
            without[_numbers(name)].append(at)
    for number, houses in by_name.items():
        for together in houses.values():
            yield np.array(together), np.array(together)
        if number in without:
            known = np.array(sorted(at for house in houses.values() for at in house))
            yield np.array(without[number]), known
            yield known, np.array(without[number])
    for together in without.values():
        yield np.array(together), np.array(together)


def _alike(
    names: Sequence[str], doors: Sequence[str], rows: _At, columns: _At, begin: int
) -> Iterator[tuple[int, int, int]]:
    """Of each of `rows` from `begin` on, the likest of `columns` before it, and how alike."""
    rows = rows[rows >= begin]
    if not len(rows) or columns[0] >= rows[-1]:
        return
    both = bool(doors[rows[0]] and doors[columns[0]])
    least = SAME_DOOR if both else NO_DOOR
    at_once = max(1, _PAIRS // len(columns))
    for first in range(0, len(rows), at_once):
        some = rows[first : first + at_once]
        alike = _likeness(names, some, columns, least)
        same = alike >= least
        if both:
            same &= _likeness(doors, some, columns, DOOR) >= DOOR
        alike = np.where(same & (columns[None, :] < some[:, None]), alike, 0)
        for row, other in enumerate(alike.argmax(axis=1)):
            if alike[row, other]:
                yield int(some[row]), int(columns[other]), int(alike[row, other])


def _likeness(texts: Sequence[str], rows: _At, columns: _At, least: float) -> Any:
    """Of 100, a row for each of `rows`; below `least` it is 0."""
    return process.cdist(
        [texts[at] for at in rows],
        [texts[at] for at in columns],
        scorer=fuzz.token_sort_ratio,
        score_cutoff=least,
    )


def _numbers(text: str) -> str:
    """What has digits: 16 Cát Bi is not 61 Cát Bi, and school 1 not school 2."""
    return " ".join(sorted(word for word in text.split() if any(c.isdigit() for c in word)))


def telling(text: str) -> str:
    """The words that tell one from another; all of them where there are no such."""
    words = plain(text).split()
    return " ".join([word for word in words if word not in _COMMON] or words)
