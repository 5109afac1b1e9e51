"""From wards of three levels to those of two: what a mapping from an official list says.

An old ward goes whole into one new ward, or is split among several; then each of its sites is
decided by a person. Nothing is guessed from names or addresses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from console.sitelist.columns import cells_of, find_columns
from console.sitelist.sheet import Row
from console.store.regroup import SiteIn
from issuer.units import TWO_LEVELS, contains, ward, wards_in
from schemas.errors import UserError

_HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "old": ("ma cu", "ma xa cu", "ma phuong cu", "ma xa phuong cu", "old", "old ward"),
    "new": ("ma moi", "ma xa moi", "ma phuong moi", "ma xa phuong moi", "new", "new ward"),
    "site": ("co so", "so co so", "so cua co so", "site"),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row (0: with the whole), in both languages."""

    row: int
    vi: str
    en: str


@dataclass
class Wards:
    """Where each old ward goes: one new ward, or, if it is split, several in the file's order.

    `decided`: sites of split wards, by number, with the new ward a person chose.
    """

    goes_to: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decided: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def of(self, old: str, site: int) -> str | None:
        """The site's new ward; None while nobody has decided."""
        into = self.goes_to[old]
        return into[0] if len(into) == 1 else self.decided.get(site)


def read_wards(files: Sequence[Sequence[Row]], area: str) -> Wards:
    """A mapping, in one file or several. Raises UserError where a file has no heading.

    Every old ward of the area must be there.
    """
    found = Wards()
    old_of: dict[int, str] = {}
    inside = {w.code: w for w in wards_in(area) if not w.code.startswith(TWO_LEVELS)}
    if not inside:
        raise UserError(
            f"--area: {area} không có xã, phường nào của ba cấp. / "
            f"--area: {area} has no ward of the three levels."
        )
    for rows in files:
        columns = find_columns(rows, _HEADINGS, {"old", "new"})
        if columns is None:
            raise UserError(
                "Không tìm thấy dòng tiêu đề có cột mã cũ và mã mới. / "
                "There is no heading with the columns old and new."
            )
        at, first = columns
        for row in rows[first:]:
            cell = cells_of(row, at)
            if not cell["old"] or not cell["new"]:  # blank, or a site nobody has decided yet
                continue
            # an island's code has three digits; in others a spreadsheet drops the first zeros
            old = cell["old"] if cell["old"] in inside else cell["old"].zfill(5)
            new = TWO_LEVELS + cell["new"].removeprefix(TWO_LEVELS).zfill(5)
            if old not in inside:
                words = f"{cell['old']} không thuộc địa bàn", f"{cell['old']} is not in the area"
                found.problems.append(Problem(row.number, *words))
            elif not _is_ward(new):
                words = f"không có xã, phường mới {new}", f"there is no new ward {new}"
                found.problems.append(Problem(row.number, *words))
            else:
                into = found.goes_to.get(old, ())
                found.goes_to[old] = into if new in into else (*into, new)
                _decide(found, old_of, row.number, cell.get("site", ""), old, new)
    missing = [w for code, w in inside.items() if code not in found.goes_to]
    found.problems += [
        Problem(
            0,
            f"{w.code} {w.name}, {w.district_name}: chưa có mã mới",
            f"{w.code} {w.name}, {w.district_name}: no new ward is given",
        )
        for w in missing
    ]
    return found


def _decide(found: Wards, old_of: dict[int, str], row: int, site: str, old: str, new: str) -> None:
    if not site:
        return
    if not site.isascii() or not site.isdecimal():
        words = f"cơ sở phải là số: {site!r}", f"a site is a number, not {site!r}"
        found.problems.append(Problem(row, *words))
    elif (old_of.setdefault(int(site), old), found.decided.setdefault(int(site), new)) != (
        old,
        new,
    ):
        words = f"cơ sở {site} đã ghi khác", f"site {site} is decided otherwise above"
        found.problems.append(Problem(row, *words))


def _is_ward(code: str) -> bool:
    try:
        ward(code)
    except ValueError:
        return False
    return True


@dataclass
class Plan:
    """What would change: sites by (old, new) ward, and those that nobody has decided."""

    moves: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    undecided: list[SiteIn] = field(default_factory=list)

    @property
    def sites(self) -> int:
        """How many go to a new ward."""
        return sum(map(len, self.moves.values()))


def plan_of(wards: Wards, sites: Sequence[SiteIn]) -> Plan:
    """Where each of these sites of old wards goes; those of wards not mapped are left out."""
    plan = Plan()
    for site in sites:
        if site.ward not in wards.goes_to:
            continue
        new = wards.of(site.ward, site.id)
        if new is None:
            plan.undecided.append(site)
        else:
            plan.moves.setdefault((site.ward, new), []).append(site.id)
    return plan


def area_after(wards: Wards, area: str) -> list[str]:
    """The areas of two levels that hold what this area of three held, ward by ward.

    They can hold more: a new ward may be made of old ones outside the area.
    """
    into = {new for old in wards.goes_to if contains(area, old) for new in wards.goes_to[old]}
    return [f"ward/{code}" for code in sorted(into)]
