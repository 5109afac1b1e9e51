"""What the routes of headcounts and of staff coverage take and answer."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from console.api.register_schemas import Note
from console.api.schemas import ApiModel, example
from console.staff.groups import Level

_HEADCOUNT: Final[dict[str, Any]] = {
    "site": 320,
    "since": "2026-11-27",
    "number": 1,
    "headcount": 46,
    "at": "2026-11-26T01:05:00.000Z",
    "by": "key/3",
    "note": None,
}


class DeclareHeadcount(ApiModel):
    """How many people work there, from tomorrow or a later day on; no names."""

    model_config = example({"headcount": 46})

    headcount: Annotated[int, Field(ge=0, le=1_000_000)]
    since: date | None = None
    note: Note | None = None


class HeadcountSaid(ApiModel):
    """A declaration as it is kept. `number` tells several for one day apart; the last counts."""

    model_config = example(_HEADCOUNT)

    site: int
    since: date
    number: int
    headcount: int
    at: datetime
    by: str
    note: str | None


class Headcounts(ApiModel):
    """Everything that was declared of a site, in its order."""

    model_config = example({"headcounts": [_HEADCOUNT]})

    headcounts: list[HeadcountSaid]


class StaffGroup(ApiModel):
    """At least ten people by what is declared: a site, or several that are smaller, put together
    within their ward, district or city. `counted`: rounded to fives; null: fewer than ten."""

    level: Level
    area: str
    sector: str
    name: str
    sites: int
    site: int | None
    declared: int
    counted: int | None


class StaffTotal(ApiModel):
    """Of the groups whose count is shown. `under_ten`: groups that are not in it."""

    groups: int
    declared: int
    counted: int
    under_ten: int


class StaffCoverage(ApiModel):
    """A day that is over. `left_out`: units under ten even with others; `no_entrance`: units
    without a staff entrance, where nothing is counted. Not for attendance and not for discipline:
    docs/adr/0012."""

    model_config = example(
        {
            "day": "2026-11-25",
            "area": "ward/11413",
            "groups": [
                {
                    "level": "site", "area": "ward/11413", "sector": "home_affairs",
                    "name": "UBND phường Đằng Lâm", "sites": 1, "site": 320,
                    "declared": 46, "counted": 40,
                },
                {
                    "level": "ward", "area": "ward/11413", "sector": "health",
                    "name": "Phường Đằng Lâm", "sites": 3, "site": None,
                    "declared": 17, "counted": None,
                },
            ],
            "total": {"groups": 1, "declared": 46, "counted": 40, "under_ten": 1},
            "left_out": 1,
            "no_entrance": 4,
        }
    )  # fmt: skip

    day: date
    area: str
    groups: list[StaffGroup]
    total: StaffTotal
    left_out: int
    no_entrance: int
