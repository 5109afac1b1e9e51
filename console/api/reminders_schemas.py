"""What the routes of reminders take and answer."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from console.api.schemas import ApiModel, example
from console.reminders.texts import Channel, Reason
from console.store.reminder_rows import Message, Sent, State
from console.wordings import Written

_MESSAGE: Final[dict[str, Any]] = {
    "id": 41,
    "to": "site/320",
    "ward": "11413",
    "state": "proposed",
    "title": None,
    "body": "UBND phường Đằng Lâm kính gửi Chợ An Dương. …",
    "tries": 0,
    "changed_at": "2026-11-26T01:05:00.000Z",
    "note": None,
}
_BATCH: Final[dict[str, Any]] = {
    "id": 7,
    "area": "ward/11413",
    "reason": "posted",
    "channel": "zalo",
    "text": "zalo",
    "lang": "vi",
    "sector": None,
    "kind": None,
    "reply_by": "2026-11-29",
    "as_of": "2026-11-26T01:04:30.000Z",
    "behind": 34,
    "told": 3,
    "too_new": 2,
    "state": "proposed",
    "count": 12,
    "needs_second": False,
    "messages": {"proposed": 12},
    "proposed_at": "2026-11-26T01:05:00.000Z",
    "proposed_by": "key/3",
    "confirmed_by": None,
    "ended_at": None,
    "ended_by": None,
}


class ProposeReminders(ApiModel):
    """Who is to be told what. Without `area`, all of the key's; without `text`, the channel's
    first; without `reply_by`, three days from now. Proposed again, the earlier one is withdrawn."""

    model_config = example({"area": "ward/11413", "reason": "posted", "channel": "zalo"})

    area: Annotated[str, Field(max_length=32)] | None = None
    reason: Reason
    channel: Channel
    sector: Annotated[str, Field(max_length=64)] | None = None
    kind: Annotated[str, Field(max_length=64)] | None = None
    text: Annotated[str, Field(max_length=32)] | None = None
    lang: Literal["vi", "en"] = "vi"
    reply_by: date | None = None


class ReleaseReminders(ApiModel):
    """`count`: the messages that you saw. Another number is refused."""

    model_config = example({"count": 12})

    count: Annotated[int, Field(ge=1)]


class SayUndelivered(ApiModel):
    """Why a message reached nobody; no names and no telephone numbers."""

    model_config = example({"reason": "số Zalo không còn dùng"})

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S"), Written]


class ReminderMessage(ApiModel):
    """A message. `to`: a site, an establishment that is not registered, or a ward for a
    loudspeaker. `body`: what was said; of a proposal, what will be, of the first few only."""

    model_config = example(_MESSAGE)

    id: int
    to: str
    ward: str
    state: Sent
    title: str | None
    body: str | None
    tries: int
    changed_at: datetime
    note: str | None

    @classmethod
    def of(cls, message: Message) -> "ReminderMessage":
        """What is shown of it."""
        return cls(**{name: getattr(message, name) for name in cls.model_fields})


class ReminderBatch(ApiModel):
    """A batch and the rule it was found by: places `behind` as of the round `as_of`, of them so
    many `told` before and so many left out as `too_new`. `count`: what a release must name."""

    model_config = example(_BATCH)

    id: int
    area: str
    reason: Reason
    channel: Channel
    text: str
    lang: Literal["vi", "en"]
    sector: str | None
    kind: str | None
    reply_by: date
    as_of: datetime
    behind: int
    told: int
    too_new: int
    state: State
    count: int
    needs_second: bool
    messages: dict[Sent, int]
    proposed_at: datetime
    proposed_by: str
    confirmed_by: str | None
    ended_at: datetime | None
    ended_by: str | None


class ReminderBatchWhole(ReminderBatch):
    """A batch with its messages: of a proposal the first few, with the words they will have."""

    model_config = example(_BATCH | {"shown": [_MESSAGE]})

    shown: list[ReminderMessage]


class ReminderBatches(ApiModel):
    """The newest first; `before`: what to ask for next, null at the end."""

    model_config = example({"batches": [_BATCH], "before": None})

    batches: list[ReminderBatch]
    before: int | None


class TextEffect(ApiModel):
    """What became of those who were told one thing in one text. `in_time`: caught up within the
    days; `not_yet`: the days are over; `open`: they are not. `share`: in time, of those decided."""

    model_config = example({"reason": "posted", "channel": "zalo", "text": "zalo", "lang": "vi"})

    reason: Reason
    channel: Channel
    text: str
    lang: Literal["vi", "en"]
    told: int
    in_time: int
    later: int
    not_yet: int
    open: int
    closed: int
    undelivered: int
    share: float | None


class ReminderEffects(ApiModel):
    """Of the last ninety days. It says what happened afterwards, not what caused it: places that
    nobody told catch up, too."""

    model_config = example(
        {
            "area": "ward/11413",
            "days": 7,
            "effects": [
                {
                    "reason": "posted", "channel": "zalo", "text": "zalo", "lang": "vi",
                    "told": 34, "in_time": 21, "later": 2, "not_yet": 6, "open": 4, "closed": 1,
                    "undelivered": 0, "share": 0.72,
                }
            ],
        }
    )  # fmt: skip

    area: str
    days: int
    effects: list[TextEffect]


class UrgingText(ApiModel):
    """Ready words with which a ward urges people to scan."""

    model_config = example(
        {
            "ward": "11413",
            "channel": "poster",
            "lang": "vi",
            "text": "Quét mã khi vào và khi ra: mười giây của bạn giúp cả phường Đằng Lâm.",
        }
    )

    ward: str
    channel: str
    lang: Literal["vi", "en"]
    text: str
