"""Whose decision an account may record: an inspector never that of somebody above them."""

from typing import Final

from schemas.inspections import Authority

_LEVELS: Final = ("ward", "district", "city", "*")
_LEVEL: Final = {
    Authority.WARD_CHAIR: "ward",
    Authority.DISTRICT_CHAIR: "district",
    Authority.SECTOR_DEPARTMENT: "city",
    Authority.HEALTH_INSPECTORATE: "city",
}


def may_decide(area: str, authority: Authority) -> bool:
    """Whether an account of this area (`ward/11413`, …) is at the authority's level or above."""
    level = area.partition("/")[0]
    return level in _LEVELS and _LEVELS.index(level) >= _LEVELS.index(_LEVEL[authority])
