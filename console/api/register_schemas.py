"""What goes in and out of the routes that edit sites and places."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from console.api.schemas import ApiModel, example
from console.wordings import Written
from schemas.places import Hours, Place, Site, Status

SITE_EXAMPLE: Final[dict[str, Any]] = {
    "id": 320,
    "version": 2,
    "name": "Chợ An Dương",
    "kind": "market",
    "ward": "11413",
    "sector": "industry_trade",
    "address": "Số 2 đường Tôn Đức Thắng",
    "status": "active",
    "merged_into": None,
}
PLACE_EXAMPLE: Final[dict[str, Any]] = {
    "id": 4711,
    "site": 320,
    "version": 3,
    "name": "Cổng chính",
    "kind": "gate",
    "ward": "11413",
    "sector": "industry_trade",
    "hours": {"opens": "05:00", "closes": "18:00"},
    "capacity": None,
    "enclosed": False,
    "small": False,
    "gate": True,
    "usual_stay": 1,
    "status": "active",
}

Name = Annotated[str, Field(min_length=1, max_length=240, pattern=r"\S"), Written]
Note = Annotated[str, Field(min_length=1, max_length=500, description="For the history."), Written]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=500, pattern=r"\S", description="Why; no names of persons."),
    Written,
]
OnVersion = Annotated[
    int, Field(ge=1, description="The record's version the change was made on; else 409.")
]


class EditPlace(ApiModel):
    """What is to change of a place; null takes a field away, one that is not named stays."""

    model_config = example({"version": 2, "name": "Cổng chính", "capacity": 40})

    version: OnVersion | None = None
    note: Note | None = None
    name: Name | None = None
    kind: str | None = None
    hours: Hours | None = None
    capacity: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    enclosed: bool | None = None
    small: bool | None = None
    gate: bool | None = None
    usual_stay: Annotated[int, Field(ge=1, le=24 * 60, description="Minutes.")] | None = None
    within: Annotated[int, Field(ge=1, lt=2**30, description="The place around it.")] | None = None
    sector: str | None = None


class EditSite(ApiModel):
    """What is to change of a site; null takes a field away, one that is not named stays.

    The places go with it to another ward, and those of its sector to another sector.
    """

    model_config = example({"version": 1, "address": "Số 2 đường Tôn Đức Thắng"})

    version: OnVersion | None = None
    note: Note | None = None
    name: Name | None = None
    kind: str | None = None
    ward: str | None = None
    sector: str | None = None
    address: Annotated[str, Field(min_length=1, max_length=500), Written] | None = None


class EndRecord(ApiModel):
    """Why it is closed, for the history."""

    model_config = example({"reason": "đã chuyển đi nơi khác"})

    reason: Reason


class MergeSite(ApiModel):
    """The site that this one is a double of, and why."""

    model_config = example({"into": 318, "reason": "đăng ký hai lần"})

    into: Annotated[int, Field(ge=1, lt=2**32)]
    reason: Reason


class PlaceRecord(ApiModel):
    """A place as it stands, without its codes."""

    model_config = example(PLACE_EXAMPLE)

    id: int
    site: int
    version: int
    name: str
    kind: str
    ward: str
    sector: str
    hours: Hours | None
    capacity: int | None
    enclosed: bool
    small: bool
    gate: bool
    usual_stay: int | None
    within: int | None
    status: Status

    @classmethod
    def of(cls, place: Place) -> "PlaceRecord":
        """What is shown of it."""
        return cls(**{name: getattr(place, name) for name in cls.model_fields})


class SiteRecord(ApiModel):
    """A site as it stands. `merged_into`: closed as a double of that one."""

    model_config = example(SITE_EXAMPLE)

    id: int
    version: int
    name: str
    kind: str
    ward: str
    sector: str
    address: str | None
    status: Status
    merged_into: int | None

    @classmethod
    def of(cls, site: Site) -> "SiteRecord":
        """What is shown of it."""
        return cls(**{name: getattr(site, name) for name in cls.model_fields})


class SiteLine(SiteRecord):
    """A site of a list, and how many places it has that are not closed."""

    model_config = example(SITE_EXAMPLE | {"places": 3})

    places: int


class SiteLines(ApiModel):
    """Sites of the key's area by number. `after`: ask for more with it; null: that was all."""

    model_config = example({"sites": [SITE_EXAMPLE | {"places": 3}], "after": None})

    sites: list[SiteLine]
    after: int | None


class SiteWhole(ApiModel):
    """A site with its places, those that are closed too; no codes."""

    model_config = example({"site": SITE_EXAMPLE, "places": [PLACE_EXAMPLE]})

    site: SiteRecord
    places: list[PlaceRecord]


class Change(ApiModel):
    """One change: who (the key), when, each field that differs before and after, and the note."""

    version: int
    at: datetime
    by: str
    what: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str | None


class History(ApiModel):
    """All changes since the registration, the oldest first."""

    model_config = example(
        {
            "changes": [
                {
                    "version": 2,
                    "at": "2026-11-20T01:00:00Z",
                    "by": "key/7",
                    "what": "edit",
                    "before": {"capacity": None},
                    "after": {"capacity": 40},
                    "note": "đo lại",
                }
            ]
        }
    )

    changes: list[Change]
