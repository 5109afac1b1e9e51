"""The shapes of working a case's list."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from console.api.schemas import ApiModel, RegisterCase, example
from console.worklist.axes import (
    Answer,
    Category,
    Classification,
    FollowUp,
    Reachability,
    Status,
    VisitResult,
)
from schemas.cases import Symptoms
from schemas.scan import Timestamp

Note = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="For those who work the case; kept in its history and nowhere else.",
    ),
]
Version = Annotated[int, Field(ge=0, description="Only if the contact is still at this version.")]
AreaText = Annotated[str, Field(min_length=1, max_length=64, examples=["ward/11413", "city/01"])]

WORK_EXAMPLE: Final[dict[str, Any]] = {
    "case": "C-2026-000123",
    "person": "2C9V0A7NJ5X1T",
    "in_run": True,
    "version": 2,
    "classification": "CONFIRMED",
    "status": "ACTIVE",
    "follow_up": "FOLLOW_UP",
    "category": "HIGH_RISK",
    "answers": {"masks": "no"},
    "assigned_to": "key/7",
    "reachability": "CALL",
    "responsible": "ward/11413",
    "converted_to": None,
    "is_case": None,
    "duplicate_of": None,
    "excluded": None,
    "changed_at": "2026-11-24T02:10:00.000Z",
    "changed_by": "key/7",
    "rule_set": "vn-2021-12-29",
    "proposal": {
        "classification": "CONFIRMED",
        "clauses": [
            {"clause": "b", "verdict": "excluded", "ground": "answers", "ask": []},
            {"clause": "c", "verdict": "fulfilled", "ground": "answers", "ask": []},
        ],
        "ask": ["touch"],
    },
    "plan": {
        "state": "due",
        "until": "2026-12-06",
        "days": [{"number": 1, "day": "2026-11-23", "state": "done"}],
        "missed": 0,
        "unreached": 0,
        "symptoms": False,
    },
    "possible": {"rank": 1, "tier": "same_small_enclosed", "minutes": 95.0},
    "named": None,
}


class ClauseSaid(ApiModel):
    """What the answers say of one clause.

    `ground`: `answers`; `scan`, its duration or kind of place; `not_known`, read its text.
    """

    clause: str
    verdict: Literal["fulfilled", "excluded", "open"]
    ground: Literal["answers", "scan", "not_known"]
    ask: tuple[str, ...]


class ProposalSaid(ApiModel):
    """What the program proposes; null: the rule-set defines no F1. An officer decides."""

    classification: Classification | None
    clauses: tuple[ClauseSaid, ...]
    ask: tuple[str, ...]


class PlanDay(ApiModel):
    """One of the fourteen days."""

    number: int
    day: date
    state: Literal["done", "due", "overdue", "ahead", "before"]


class PlanSaid(ApiModel):
    """The follow-up as it stands today (Asia/Ho_Chi_Minh)."""

    state: Literal["none", "due", "overdue", "done_today", "not_begun", "over"]
    until: date | None
    days: tuple[PlanDay, ...]
    missed: int
    unreached: int
    symptoms: bool | None


class WorkContact(ApiModel):
    """A possible contact, and what is decided of it: SORMAS's four axes, kept apart.

    `in_run` false: the newest run no longer has it. `possible`: the tracer's document as stored;
    `named`: what the interview said. `is_case`: the person is this open case, of those that may be
    seen.
    """

    model_config = example(WORK_EXAMPLE)

    case: str
    person: str
    in_run: bool
    version: int
    classification: Classification
    status: Status
    follow_up: FollowUp | None
    category: Category | None
    answers: dict[str, Answer]
    assigned_to: str | None
    reachability: Reachability | None
    responsible: str
    converted_to: str | None
    is_case: str | None
    duplicate_of: str | None
    excluded: str | None
    changed_at: Timestamp | None
    changed_by: str | None
    rule_set: str | None
    proposal: ProposalSaid | None
    plan: PlanSaid
    possible: dict[str, Any] | None
    named: dict[str, Any] | None


class WorkList(ApiModel):
    """A case's list, by the tracer's rank; those no scan shows, and those withdrawn, at its end."""

    model_config = example(
        {
            "case": "C-2026-000123",
            "run": 1,
            "rule_set": "vn-2021-12-29",
            "contacts": [WORK_EXAMPLE],
            "total": 1,
            "limit": 100,
            "offset": 0,
        }
    )

    case: str
    run: int | None
    rule_set: str | None
    contacts: list[WorkContact]
    total: int
    limit: int
    offset: int


class ChangeContact(ApiModel):
    """What an officer decides; only what is named changes, null takes away what can be empty."""

    model_config = example(
        {"answers": {"masks": "no"}, "classification": "CONFIRMED", "follow_up": "FOLLOW_UP"}
    )

    version: Version | None = None
    classification: Classification | None = None
    status: Literal["ACTIVE", "DROPPED"] | None = None
    follow_up: FollowUp | None = None
    category: Category | None = None
    reachability: Reachability | None = None
    answers: Annotated[dict[str, Answer | None], Field(max_length=50)] | None = None
    note: Note | None = None


class RecordVisit(ApiModel):
    """One day's visit. A person who was seen says whether there are symptoms."""

    model_config = example({"result": "COOPERATIVE", "symptoms": False, "temperature": 36.7})

    result: VisitResult
    symptoms: bool | None = None
    temperature: Annotated[float | None, Field(ge=30, le=45, description="°C, to a tenth.")] = None
    note: Note | None = None


class VisitSaid(ApiModel):
    """A visit as it is kept."""

    day: date
    result: VisitResult
    symptoms: bool | None
    temperature: float | None


class Visits(ApiModel):
    """A contact's visits, by day."""

    model_config = example(
        {
            "visits": [
                {
                    "day": "2026-11-23",
                    "result": "COOPERATIVE",
                    "symptoms": False,
                    "temperature": 36.7,
                }
            ]
        }
    )

    visits: list[VisitSaid]


class Assign(ApiModel):
    """Who works it: an account as records name it, never a person's name. Null: nobody."""

    model_config = example({"to": "key/7"})

    to: Annotated[str, Field(pattern=r"^key/[1-9][0-9]{0,8}$")] | None
    note: Note | None = None


class StepSaid(ApiModel):
    """One change: of each field, what it was and what it became."""

    version: int
    at: Timestamp
    by: str
    what: str
    changes: dict[str, Any]
    note: str | None


class History(ApiModel):
    """Every change of a contact, the first first."""

    model_config = example(
        {
            "steps": [
                {
                    "version": 1,
                    "at": "2026-11-24T02:10:00.000Z",
                    "by": "key/7",
                    "what": "decide",
                    "changes": {"classification": ["UNCONFIRMED", "CONFIRMED"]},
                    "note": None,
                }
            ]
        }
    )

    steps: list[StepSaid]


class ConvertContact(ApiModel):
    """The contact became a case: `case`, registered already, or the fields to register one."""

    model_config = example({"sampled_on": "2026-11-24", "status": "confirmed"})

    case: Annotated[str, Field(min_length=1, max_length=97)] | None = None
    symptoms: Symptoms | None = None
    onset: date | None = None
    sampled_on: date | None = None
    result_on: date | None = None
    isolated_at: Timestamp | None = None
    negative_at: Timestamp | None = None
    ward: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    status: Literal["suspected", "confirmed"] = "confirmed"
    rule_set: Annotated[str, Field(max_length=64)] | None = None
    note: Note | None = None

    def to_register(self, person: str, ward: str) -> RegisterCase:
        """The case that these fields are, in the contact's case's ward unless one is named."""
        shared = set(ConvertContact.model_fields) & set(RegisterCase.model_fields)
        fields = {name: getattr(self, name) for name in shared}
        return RegisterCase(**(fields | {"person": person, "ward": self.ward or ward}))
