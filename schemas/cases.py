"""Cases on `cases.v1` and alerts on `alerts.v1`: CloudEvents 1.0 in Kafka binary mode."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from schemas.ids import PERSON_PATTERN
from schemas.places import Record
from schemas.scan import Timestamp

CASE_ID_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,31}/[A-Za-z0-9._-]{1,64}$|^[A-Za-z0-9._-]{1,64}$"


class CaseStatus(StrEnum):
    """Registered as suspected or confirmed; closed when followed to its end; voided if wrong."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    VOIDED = "voided"


class Symptoms(StrEnum):
    """Whether the case has any; `unknown` if nobody could say."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


OPEN_STATUSES: Final = (CaseStatus.SUSPECTED, CaseStatus.CONFIRMED)


class Case(Record):
    """A case as it stands. Dates are calendar days in Asia/Ho_Chi_Minh.

    `onset` is None for a case without symptoms; then `sampled_on`, the sampling date of the
    positive test, starts the window. `isolated_at` or `negative_at` end it. `symptoms` None is
    as before there was this field: yes with an onset, no without.
    """

    id: Annotated[str, Field(pattern=CASE_ID_PATTERN)]
    version: Annotated[int, Field(ge=1)] = 1
    status: CaseStatus
    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    symptoms: Symptoms | None = None
    onset: date | None = None
    sampled_on: date | None = None
    isolated_at: Timestamp | None = None
    negative_at: Timestamp | None = None
    ward: str
    rule_set: str | None = None
    registered_at: Timestamp
    registered_by: str


class AlertKind(StrEnum):
    """What officers are told.

    Of a case's first run each possible contact to call; of later ones only what changed.
    """

    POSSIBLE_CONTACT = "possible_contact"
    CONTACT_CHANGED = "contact_changed"
    CONTACT_WITHDRAWN = "contact_withdrawn"
    RUN_COMPLETED = "run_completed"
    SCAN_IN_WINDOW = "scan_in_window"


class Alert(Record):
    """For officers, never for the public: pseudonyms and places, no name and no phone."""

    kind: AlertKind
    case: str
    case_version: int
    at: Timestamp
    run: int | None = None
    person: Annotated[str, Field(pattern=PERSON_PATTERN)] | None = None
    place: int | None = None
    scanned_at: Timestamp | None = None
    tier: str | None = None
    clauses: tuple[str, ...] = ()
    minutes: float | None = None
    confidence: str | None = None
    reasons: tuple[str, ...] = ()
    contacts: int | None = None
    contacts_by_tier: dict[str, int] | None = None
    changes: dict[str, int] | None = None
