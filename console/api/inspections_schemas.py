"""What goes in and out of the routes of inspections."""

from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from console.api.schemas import ApiModel, Sentence, example
from console.inspections.ahead import Turn
from console.inspections.life import Aside
from console.inspections.steps import (
    AnyContent,
    Checked,
    Closed,
    Decided,
    Opened,
    Ordered,
    Referred,
    Replied,
)
from console.inspections.visits import Reason
from issuer.standing import Standing
from schemas.inspections import Authority, Kind, Result, Stage
from schemas.scan import EVENT_ID_PATTERN, Timestamp

ID: Final = "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77"
_EVENT: Final = "0190f5a4-9a02-7c11-8a40-1f6d2b9c3e54"
_AT: Final = "2026-11-23T02:10:00.000Z"

Id = Annotated[
    str,
    Field(pattern=EVENT_ID_PATTERN, description="A UUID made once, where the step is taken."),
    AfterValidator(str.lower),
]
Place = Annotated[int, Field(ge=1, lt=2**30, description="Needed with the first step.")]
Moment = Annotated[
    Timestamp, Field(description="When it happened; at most two minutes ahead, a year back.")
]
Officers = Annotated[Opened | Checked | Ordered | Referred | Closed, Field(discriminator="kind")]


class _Sent(ApiModel):
    event_id: Id
    occurred_at: Moment
    place: Place | None = None


class SendStep(_Sent):
    """A step of an officer; the same again changes nothing, other content under its id is 409."""

    model_config = example(
        {
            "event_id": _EVENT,
            "occurred_at": _AT,
            "place": 4711,
            "step": {
                "kind": "checked",
                "result": "defects",
                "posted": True,
                "visible": False,
                "guided": False,
                "scanned": "HTTPS://TRUYVET.VN/C/00004K7027S3TFJ5QD",
                "team": [{"agency": "health_station", "role": "leader"}],
                "note": "che khuất sau tủ hàng",
            },
        }
    )

    step: Officers


class SendReply(_Sent):
    """What the owner says; an officer writes it down for them, until owners have accounts."""

    model_config = example(
        {
            "event_id": _EVENT,
            "occurred_at": _AT,
            "step": {"says": "asks_time", "until": "2026-11-30", "note": "chờ in lại áp phích"},
        }
    )

    step: Replied


class SendDecision(_Sent):
    """What the authority decided; recorded by an account at its level or above."""

    model_config = example(
        {
            "event_id": _EVENT,
            "occurred_at": _AT,
            "step": {"by": "ward_chair", "outcome": "reminded", "document": "12/TB-UBND"},
        }
    )

    step: Decided


class SeenSaid(ApiModel):
    """What the system saw at a check. `here`: a code of this place. Null: not scanned, not known.

    `current`: whether it is this place's code in force, by the scan, else as the inspector said.
    """

    standing: Standing | None
    sentence: Sentence | None
    here: bool | None
    version: int | None
    current: bool | None
    scans: Annotated[int | None, Field(description="Of the place, in the seven days before.")]


class StepSaid(ApiModel):
    """A step as it was sent, when it arrived, and whether it counts where it stands."""

    event_id: str
    kind: Kind
    occurred_at: Timestamp
    recorded_at: Timestamp
    by: str
    counts: bool
    aside: Aside | None
    sentence: Annotated[Sentence | None, Field(description="Why it does not count.")]
    content: AnyContent
    seen: SeenSaid | None


class AheadSaid(ApiModel):
    """Whose turn it is and what is proposed; a person does it, or does not."""

    turn: Turn
    proposed: list[Kind]
    due_on: date | None
    overdue: bool
    refer_to: Authority | None


_LINE: Final[dict[str, Any]] = {
    "id": ID,
    "number": 37,
    "place": 4711,
    "place_name": "Cổng chính",
    "site": 320,
    "site_name": "Chợ An Dương",
    "address": "Số 2 đường Tôn Đức Thắng",
    "ward": "11413",
    "sector": "industry_trade",
    "version": 1,
    "stage": "checked",
    "result": "defects",
    "begun_at": _AT,
    "planned_on": None,
    "checked_at": _AT,
    "due_on": None,
}


class LineSaid(ApiModel):
    """An inspection in a list."""

    model_config = example(_LINE)

    id: str
    number: int
    place: int
    place_name: str
    site: int
    site_name: str
    address: str | None
    ward: str
    sector: str
    version: int
    stage: Stage | None
    result: Result | None
    begun_at: Timestamp | None
    planned_on: date | None
    checked_at: Timestamp | None
    due_on: date | None


class InspectionSaid(LineSaid):
    """An inspection whole. `photos_missing`: named by a check, not yet sent."""

    model_config = example(
        _LINE
        | {
            "ahead": {
                "turn": "officer",
                "proposed": ["ordered"],
                "due_on": None,
                "overdue": False,
                "refer_to": None,
            },
            "steps": [
                {
                    "event_id": _EVENT,
                    "kind": "checked",
                    "occurred_at": _AT,
                    "recorded_at": "2026-11-23T09:40:00.000Z",
                    "by": "key/7",
                    "counts": True,
                    "aside": None,
                    "sentence": None,
                    "content": {"kind": "checked", "result": "defects", "posted": False},
                    "seen": {
                        "standing": None,
                        "sentence": None,
                        "here": None,
                        "version": None,
                        "current": None,
                        "scans": 0,
                    },
                }
            ],
            "photos_missing": [],
        }
    )

    ahead: AheadSaid
    steps: list[StepSaid]
    photos_missing: list[str]


class InspectionLines(ApiModel):
    """The newest first. `after`: ask for more with it; null: that was all."""

    model_config = example({"inspections": [_LINE], "after": None})

    inspections: list[LineSaid]
    after: int | None


class VisitSaid(ApiModel):
    """A place to go to, and why. `since`: the day that has passed, or of the last look."""

    place: int
    place_name: str
    site_name: str
    address: str | None
    reason: Reason
    sentence: Sentence
    since: date | None
    inspection: str | None


class RoundSaid(ApiModel):
    """The ward's next visits, the most pressing first, else in the order of a walk."""

    model_config = example(
        {
            "ward": "11413",
            "day": "2026-11-24",
            "visits": [
                {
                    "place": 4711,
                    "place_name": "Cổng chính",
                    "site_name": "Chợ An Dương",
                    "address": "Số 2 đường Tôn Đức Thắng",
                    "reason": "overdue",
                    "sentence": {"vi": "quá hạn khắc phục", "en": "past the day to mend"},
                    "since": "2026-11-20",
                    "inspection": ID,
                }
            ],
            "total": 1,
            "limit": 100,
            "offset": 0,
        }
    )

    ward: str
    day: date
    visits: list[VisitSaid]
    total: int
    limit: int
    offset: int


class PhotoKept(ApiModel):
    """The file is kept under this hash."""

    model_config = example({"sha256": "9f" * 32, "media_type": "image/jpeg", "bytes": 184223})

    sha256: str
    media_type: str
    bytes: int
