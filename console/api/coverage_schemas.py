"""What the routes of coverage take and answer."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from console.coverage.stages import Stage
from schemas.coverage import Fact, Posting


class StageCount(BaseModel):
    """How many have reached a stage. `sites`: establishments of which all places have; `required`:
    those of them that are on a list; `places`: codes' places."""

    sites: int
    required: int
    places: int


class FunnelLine(BaseModel):
    """`key`: the ward, kind, sector or day; empty for the whole. `required`: establishments on the
    lists, registered or not; 0 where no list names any. `scans`: in the days of `scanned_days`."""

    key: list[str]
    name: str
    required: int
    stages: dict[Stage, StageCount]
    scans: int


class ListAge(BaseModel):
    """A list that `required` is counted from: whose it is and of which day."""

    id: str
    name: str
    keeper: str
    as_of: date
    entries: int
    counted: int
    linked: int
    withdrawn: bool


class CoverageAnswer(BaseModel):
    """`at`: when it was counted, a minute ago at most while a console runs."""

    at: datetime
    area: str
    scanned_days: int
    inspected_days: int
    lines: list[FunnelLine]
    lists: list[ListAge]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-11-26T08:15:00Z",
                    "area": "ward/11413",
                    "scanned_days": 7,
                    "inspected_days": 90,
                    "lines": [
                        {
                            "key": ["11413"],
                            "name": "Phường Đằng Lâm",
                            "required": 420,
                            "stages": {
                                "registered": {"sites": 398, "required": 391, "places": 1204},
                                "code": {"sites": 398, "required": 391, "places": 1204},
                                "duty": {"sites": 120, "required": 118, "places": 370},
                                "printed": {"sites": 350, "required": 346, "places": 1100},
                                "posted": {"sites": 300, "required": 297, "places": 960},
                                "inspected": {"sites": 80, "required": 80, "places": 240},
                                "scanned": {"sites": 260, "required": 255, "places": 801},
                            },
                            "scans": 18344,
                        }
                    ],
                    "lists": [
                        {
                            "id": "so-cong-thuong",
                            "name": "Cơ sở kinh doanh quý 3",
                            "keeper": "Sở Công Thương",
                            "as_of": "2026-10-01",
                            "entries": 420,
                            "counted": 420,
                            "linked": 391,
                            "withdrawn": False,
                        }
                    ],
                }
            ]
        }
    )


class BehindPlace(BaseModel):
    """A place that has not reached a stage. `opening_days`: of the days in which a scan counts,
    those on which a site of its kind is usually open, since its first code; holidays and what a
    place does on its own are not known."""

    place: int
    place_name: str
    site: int
    site_name: str
    ward: str
    kind: str
    sector: str
    required: bool
    since: datetime | None
    opening_days: int
    printed: bool
    posted: bool
    inspected_at: datetime | None
    last_scan: datetime | None


class BehindAnswer(BaseModel):
    """Places by ward, site and place; `after`: what to ask for next, null at the end."""

    at: datetime
    stage: Stage
    places: list[BehindPlace]
    after: str | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-11-26T08:15:00Z",
                    "stage": "scanned",
                    "places": [
                        {
                            "place": 4711,
                            "place_name": "Cổng chính",
                            "site": 320,
                            "site_name": "Chợ Lương Văn Can",
                            "ward": "11413",
                            "kind": "market",
                            "sector": "industry_trade",
                            "required": True,
                            "since": "2026-11-01T00:00:00Z",
                            "opening_days": 7,
                            "printed": True,
                            "posted": True,
                            "inspected_at": None,
                            "last_scan": None,
                        }
                    ],
                    "after": None,
                }
            ]
        }
    )


class ReportedFact(BaseModel):
    """What somebody says of a place's poster. Without `at`: now."""

    model_config = ConfigDict(extra="forbid")

    fact: Fact
    at: Annotated[datetime | None, Field(description="When; with its zone.")] = None
    code_version: Annotated[int | None, Field(ge=1, lt=1024)] = None


class ReportPoster(BaseModel):
    """`duty`: a duty person was named (who, is not said here); `printed`; `posted`. An inspection
    is recorded as one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"facts": [{"fact": "posted", "code_version": 2}]}]},
    )

    facts: Annotated[list[ReportedFact], Field(min_length=1, max_length=10)]


class PosterState(BaseModel):
    """What is known of a place's poster."""

    posting: Posting

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "posting": {
                        "place": 4711,
                        "version": 2,
                        "printed_at": "2026-11-20T03:00:00.000Z",
                        "printed_version": 1,
                        "posted_at": "2026-11-21T02:10:00.000Z",
                    }
                }
            ]
        }
    )
