"""Whose decision an account may record: an inspector never that of somebody above them."""

from typing import Final

from schemas.inspections import Authority

_LEVELS: Final = ("ward", "district", "city", "*")
_LEVEL: Final = {
    Authority.WARD_CHAIR: "ward",
    Authority.DISTRICT_CHAIR: "district",
    Authority.CITY_CHAIR: "city",
    Authority.SECTOR_DEPARTMENT: "city",
    Authority.HEALTH_INSPECTORATE: "city",
}
_HEALTH: Final = "health"


def may_decide(area: str, sector: str | None, authority: Authority) -> bool:
    """Whether an account of this area (`ward/11413`, …) is at the authority's level or above.

    A department's (with a sector) records its own decisions, and not those of a committee.
    """
    if sector is not None:
        health = sector == _HEALTH and authority is Authority.HEALTH_INSPECTORATE
        if authority is not Authority.SECTOR_DEPARTMENT and not health:
            return False
    level = area.partition("/")[0]
    return level in _LEVELS and _LEVELS.index(level) >= _LEVELS.index(_LEVEL[authority])


def above(authority: Authority | None, *, districts: bool) -> Authority:
    """To whom a referral is proposed after this one (None: nobody was asked yet).

    `districts`: whether there are any, which since 2025-07-01 there are not.
    """
    match authority:
        case None:
            return Authority.WARD_CHAIR
        case Authority.WARD_CHAIR if districts:
            return Authority.DISTRICT_CHAIR
        case Authority.WARD_CHAIR | Authority.DISTRICT_CHAIR:
            return Authority.CITY_CHAIR
        case _:
            return authority
