"""What the routes of erasure take and say."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from console.store.erasures import State
from schemas.ids import PERSON_PATTERN

_ASK: Final[dict[str, Any]] = {"person": "7ZK3M9QX2B4CD", "reason": "Đơn ngày 20/11/2026, số 17"}
_SAID: Final[dict[str, Any]] = {
    "id": 17,
    "state": "waiting",
    "before": "2026-11-26T03:04:05.678Z",
    "removed": {"scans": 41, "duplicates": 2},
    "kept_for": ["C-2026-000123"],
    "kept_until": "each case is closed or voided",
    "still": [
        {
            "what": "topic scans.v1",
            "has_vi": "bản ghi lượt quét",
            "has_en": "scans as they were sent",
            "gone_by": "2026-12-18",
        }
    ],
    "finished_at": None,
}


class EraseAsked(BaseModel):
    """A person, by their id or by the event id of one of their scans; and why."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_ASK]})

    person: Annotated[str, Field(pattern=PERSON_PATTERN)] | None = None
    event_id: UUID | None = None
    reason: Annotated[str, Field(min_length=3, max_length=1_000)]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.person is None) == (self.event_id is None):
            raise ValueError(
                "hãy cho person hoặc event_id, chỉ một / give person or event_id, one of them"
            )
        return self


class StillThere(BaseModel):
    """What ages out by itself; `gone_by` is the first local day without it, null if never."""

    what: str
    has_vi: str
    has_en: str
    gone_by: date | None


class EraseSaid(BaseModel):
    """How far a request is. It says nothing of who it is about."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SAID]})

    id: int
    state: State
    before: datetime
    removed: dict[str, int]
    kept_for: list[str]
    kept_until: str
    still: list[StillThere]
    finished_at: datetime | None


class ErasuresListed(BaseModel):
    """Requests, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"erasures": [_SAID]}]})

    erasures: list[EraseSaid]
