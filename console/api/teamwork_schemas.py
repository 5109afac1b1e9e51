"""The shapes of what a team does together: the day's list, hand-overs, doubles, conversions."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from console.api.schemas import CASE_EXAMPLE, ApiModel, Sentence, example
from console.api.worklist_schemas import WORK_EXAMPLE, AreaText, Note, PlanSaid, WorkContact
from console.store.handovers import HandoverState
from schemas.cases import Case
from schemas.ids import PERSON_PATTERN
from schemas.scan import Timestamp

_HANDOVER: Final = {
    "id": 3,
    "case": "C-2026-000123",
    "person": "2C9V0A7NJ5X1T",
    "from": "ward/11413",
    "to": "city/01",
    "state": "pending",
    "asked_at": "2026-11-24T02:10:00.000Z",
    "asked_by": "key/7",
    "answered_at": None,
    "answered_by": None,
}
PersonId = Annotated[str, Field(pattern=PERSON_PATTERN)]


class TriageRow(ApiModel):
    """One person to call today. `cases`: all that they are a possible contact of."""

    number: int
    person: str
    case: str
    cases: list[str]
    tier: str
    minutes: float
    last_exposure: Timestamp | None
    band: str
    confidence: float
    setting: str
    assigned_to: str | None


class LeftOutRow(ApiModel):
    """How many are not on it, for one reason, of one tier and confidence."""

    reason: str
    sentence: Sentence
    tier: str
    band: str
    count: int


class TriageSaid(ApiModel):
    """The list cut at the day's capacity: the same lists give the same cut."""

    model_config = example(
        {
            "capacity": 1,
            "cases": ["C-2026-000123"],
            "today": [
                {
                    "number": 1,
                    "person": "2C9V0A7NJ5X1T",
                    "case": "C-2026-000123",
                    "cases": ["C-2026-000123"],
                    "tier": "same_small_enclosed",
                    "minutes": 95.0,
                    "last_exposure": "2026-11-22T09:00:00.000Z",
                    "band": "high",
                    "confidence": 0.9,
                    "setting": "every_day",
                    "assigned_to": None,
                }
            ],
            "left_out": [
                {
                    "reason": "over_capacity",
                    "sentence": {"vi": "quá sức của ngày", "en": "over the day's capacity"},
                    "tier": "same_place",
                    "band": "low",
                    "count": 14,
                }
            ],
        }
    )

    capacity: int
    cases: list[str]
    today: list[TriageRow]
    left_out: list[LeftOutRow]


class FollowedContact(ApiModel):
    """One contact that is followed, and what is due."""

    case: str
    person: str
    version: int
    assigned_to: str | None
    reachability: str | None
    plan: PlanSaid


class FollowedPage(ApiModel):
    """By case and person; `next` goes into `after` for the page that follows, null at the end."""

    model_config = example({"day": "2026-11-24", "contacts": [], "next": None})

    day: date
    contacts: list[FollowedContact]
    next: str | None


class Summary(ApiModel):
    """A case's list in numbers. `reachability`: of those on the call list, with its share.

    `call_list`: to be called by the newest run or named in the interview, and not ruled out.
    """

    model_config = example(
        {
            "case": "C-2026-000123",
            "contacts": 24,
            "call_list": 15,
            "touched": 6,
            "classification": {"CONFIRMED": 2, "NO_CONTACT": 1, "UNCONFIRMED": 21},
            "status": {"ACTIVE": 24},
            "follow_up": {"FOLLOW_UP": 2},
            "category": {"HIGH_RISK": 2},
            "reachability": [
                {"how": "CALL", "count": 4, "share": 0.2667},
                {"how": "NOT_TRIED", "count": 11, "share": 0.7333},
            ],
            "handed_over": 0,
        }
    )

    class Reach(ApiModel):
        """How many can be reached so."""

        how: str
        count: int
        share: float

    case: str
    contacts: int
    call_list: int
    touched: int
    classification: dict[str, int]
    status: dict[str, int]
    follow_up: dict[str, int]
    category: dict[str, int]
    reachability: list[Reach]
    handed_over: int


class AskHandover(ApiModel):
    """To whom: a ward, a district or a province."""

    model_config = example({"to": "city/01", "note": "về quê từ hôm qua"})

    to: AreaText
    note: Note | None = None


class AnswerHandover(ApiModel):
    """Why, for the contact's history."""

    model_config = example({"note": "không có người này ở đây"})

    note: Note | None = None


class HandoverSaid(ApiModel):
    """One contact from one area to another, and where that stands."""

    model_config = example(_HANDOVER)

    id: int
    case: str
    person: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    state: HandoverState
    asked_at: Timestamp
    asked_by: str
    answered_at: Timestamp | None
    answered_by: str | None


class Handovers(ApiModel):
    """From the key's area and to it, the newest first."""

    model_config = example({"hand_overs": [_HANDOVER], "limit": 100, "offset": 0})

    hand_overs: list[HandoverSaid]
    limit: int
    offset: int


class SuggestionSaid(ApiModel):
    """Two that may be one. `methods`: how each was scanned; `same_phone` null: no vault to ask."""

    first: str
    second: str
    together: int
    of: int
    methods: dict[str, list[str]]
    same_phone: bool | None
    reason: Sentence


class DecidedPair(ApiModel):
    """What a person decided of two."""

    first: str
    second: str
    same: bool


class Duplicates(ApiModel):
    """Suggestions, the likeliest first, and what was decided. `note`: what could not be asked."""

    model_config = example(
        {
            "case": "C-2026-000123",
            "suggestions": [
                {
                    "first": "2C9V0A7NJ5X1T",
                    "second": "4C9V0A7NJ5X1T",
                    "together": 4,
                    "of": 4,
                    "methods": {"2C9V0A7NJ5X1T": ["card"], "4C9V0A7NJ5X1T": ["self"]},
                    "same_phone": None,
                    "reason": {
                        "vi": "4 trong 4 lần đến cùng nơi, cách nhau không quá 12 giây.",
                        "en": "4 of 4 times at the same place within 12 seconds.",
                    },
                }
            ],
            "decided": [],
            "note": {"vi": "Kho định danh chưa có.", "en": "There is no identity vault yet."},
        }
    )

    case: str
    suggestions: list[SuggestionSaid]
    decided: list[DecidedPair]
    note: Sentence | None


class DecidePair(ApiModel):
    """Whether `other` is the same person as `keep`, who is worked in its place."""

    model_config = example({"keep": "2C9V0A7NJ5X1T", "other": "4C9V0A7NJ5X1T", "same": True})

    keep: PersonId
    other: PersonId
    same: bool
    note: Note | None = None


class PairDecided(ApiModel):
    """The contacts among them as they stand then, `keep` first."""

    model_config = example({"contacts": [WORK_EXAMPLE]})

    contacts: list[WorkContact]


class Converted(ApiModel):
    """The contact's case, and the case that the contact became."""

    model_config = example(
        {
            "contact_of": "C-2026-000120",
            "person": "7ZK3M9QX2B4CD",
            "status": "CONVERTED",
            "case": CASE_EXAMPLE,
        }
    )

    contact_of: str
    person: str
    status: Literal["CONVERTED"]
    case: Case
