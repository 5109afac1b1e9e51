"""What the routes of lists of required establishments take and answer."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from console.api.coverage_schemas import ListAge
from console.api.site_lists_schemas import ComparedSite, RefusedRow


class RequiredListAnswer(BaseModel):
    """What a list would say, or said. `entries`: establishments, however many rows each has;
    `changed`: how many of them were new or different; `linked`: found in the register by
    themselves. Both are null where nothing was imported."""

    list: str
    applied: bool
    columns: dict[str, str | None]
    rows: int
    refused: Sequence[RefusedRow]
    refused_count: int
    entries: int
    by_kind: dict[str, int]
    changed: int | None
    linked: int | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "list": "so-cong-thuong",
                    "applied": True,
                    "columns": {"Tên cơ sở": "name", "Phường": "ward"},
                    "rows": 420,
                    "refused": [],
                    "refused_count": 0,
                    "entries": 420,
                    "by_kind": {"restaurant": 420},
                    "changed": 420,
                    "linked": 391,
                }
            ]
        }
    )


class RequiredLists(BaseModel):
    """All lists, each with whose it is, of which day, and how many entries have a site."""

    lists: list[ListAge]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
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
                    ]
                }
            ]
        }
    )


class RequiredEntry(BaseModel):
    """An establishment of a list. `likely`: a registered site that may be it; a person decides."""

    list: str
    entry: str
    name: str
    address: str | None
    ward: str
    kind: str
    sector: str
    site: int | None
    exempt_reason: str | None
    likely: ComparedSite | None = None
    likeness: int | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "list": "so-cong-thuong",
                    "entry": "5f2b0c",
                    "name": "Quán Phở Thìn",
                    "address": "16 Cát Bi",
                    "ward": "11413",
                    "kind": "restaurant",
                    "sector": "industry_trade",
                    "site": 320,
                    "exempt_reason": None,
                }
            ]
        }
    )


class RequiredEntries(BaseModel):
    """Entries without a site, by list and entry; `after`: what to ask for next, null at the end."""

    entries: list[RequiredEntry]
    after: str | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entries": [
                        {
                            "list": "so-cong-thuong",
                            "entry": "5f2b0c",
                            "name": "Quán Phở Thìn",
                            "address": "16 Cát Bi",
                            "ward": "11413",
                            "kind": "restaurant",
                            "sector": "industry_trade",
                            "site": None,
                            "exempt_reason": None,
                            "likely": {
                                "name": "Phở Thìn Hà Nội",
                                "address": "16 Cát Bi",
                                "ward": "11413",
                                "row": None,
                                "site": 320,
                            },
                            "likeness": 88,
                        }
                    ],
                    "after": None,
                }
            ]
        }
    )


class ListedEntries(BaseModel):
    """A list's entries in their order; `after`: what to ask for next, null at the end."""

    entries: list[RequiredEntry]
    after: str | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entries": [
                        {
                            "list": "so-cong-thuong",
                            "entry": "5f2b0c",
                            "name": "Quán Phở Thìn",
                            "address": "16 Cát Bi",
                            "ward": "11413",
                            "kind": "restaurant",
                            "sector": "industry_trade",
                            "site": 320,
                            "exempt_reason": None,
                        }
                    ],
                    "after": "5f2b0c",
                }
            ]
        }
    )


class DecideEntry(BaseModel):
    """Exactly one: `site`, the one registered for it (null: none after all); or `exempt_reason`,
    why it needs no code (null: it needs one after all)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"site": 320}]})

    site: Annotated[int | None, Field(ge=1, lt=2**32)] = None
    exempt_reason: Annotated[str | None, Field(min_length=1, max_length=500)] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "Nêu site hoặc exempt_reason, chỉ một trong hai. / "
                "Name site or exempt_reason, and not both."
            )
        return self
