"""Cases on `cases.v1` and alerts on `alerts.v1`: CloudEvents 1.0 in Kafka binary mode."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from schemas.ids import PERSON_PATTERN
from schemas.places import Record
from schemas.scan import Timestamp

CASE_ID_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,31}/[A-Za-z0-9._-]{1,64}$|^[A-Za-z0-9._-]{1,64}$"

MOST_POINTS: Final = 200
MOST_PERSONS: Final = 2_000  # each of the named and the excluded: a record stays below 1 MiB
MOST_DECIDED: Final = 3_000
MOST_SAID: Final = 1_500

# Other systems write the first day of their calendar for "none": to count days from it is no date
# any more. Checked where a case comes in, and not in `Case`: what is stored must stay readable.
FIRST_DAY: Final = date(2000, 1, 1)
BEHIND_LAST_DAY: Final = date(2200, 1, 1)


def is_a_day(day: date) -> bool:
    """Whether it stands for one."""
    return FIRST_DAY <= day < BEHIND_LAST_DAY


# The tables of runs and of cases hold no more; whoever counts on from a record needs one more.
HIGHEST_VERSION: Final = 2**31 - 2

# fields of `Case`: its days, and the times that can end its window
DAYS: Final = ("onset", "sampled_on", "result_on")
MOMENTS: Final = ("isolated_at", "negative_at")
# what officers add to a case, one entry after the other: fields of `Case`
ENTERED: Final = ("points", "answers", "named", "excluded", "same")
# and what the work on its list says of contacts, persons apart
WORKED: Final = {"decided": MOST_DECIDED, "said": MOST_SAID}
LISTS: Final = (*ENTERED, *WORKED)


def system_of(case_id: str) -> str | None:
    """The other system whose case it is, as `system/abc`; None of one that is ours."""
    system, slash, _ = case_id.partition("/")
    return system if slash else None


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


class PointSource(StrEnum):
    """Where a place-time point is known from."""

    INTERVIEW = "interview"
    CAMERA = "camera"
    ROSTER = "roster"


class Point(Record):
    """A place-time point (*mốc dịch tễ*): the case was at the place from `begin` to `end`."""

    place: Annotated[int, Field(ge=1, lt=2**32)]
    begin: Timestamp
    end: Timestamp
    source: PointSource


class Answer(Record):
    """What somebody said when asked: that they were at the place from `begin` until `end`."""

    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    place: Annotated[int, Field(ge=1, lt=2**32)]
    begin: Timestamp
    end: Timestamp


class Relation(StrEnum):
    """How a contact named in the interview knows the case."""

    HOUSEHOLD = "household"
    COLLEAGUE = "colleague"
    CLASSMATE = "classmate"
    CARE = "care"
    OTHER = "other"


class NamedContact(Record):
    """A contact entered by hand: no scan shows it. `last_contact` is a local calendar day."""

    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    relation: Relation
    last_contact: date


class ExclusionReason(StrEnum):
    """Why a person is not a contact of this case, whatever the scans say."""

    NOT_THERE = "not_there"
    PROTECTED = "protected"
    SAME_PERSON = "same_person"
    OTHER = "other"


class Exclusion(Record):
    """A person whom an officer has ruled out for this case."""

    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    reason: ExclusionReason


class SamePerson(Record):
    """Two ids of one person, as a card and a phone: scans of `person` are read as those of `of`."""

    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    of: Annotated[str, Field(pattern=PERSON_PATTERN)]


class Decided(StrEnum):
    """What an officer made of a possible contact, in SORMAS's words: an F1, or none."""

    CONFIRMED = "CONFIRMED"
    NO_CONTACT = "NO_CONTACT"


class Decision(Record):
    """An officer's decision of a possible contact, as the case's list has it."""

    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    classification: Decided


class Said(Record):
    """What a contact has answered to the rule-set's questions; one not known is left out."""

    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    answers: Annotated[dict[str, Literal["yes", "no"]], Field(min_length=1, max_length=50)]


class Case(Record):
    """A case as it stands. Dates are calendar days in Asia/Ho_Chi_Minh.

    `onset` is None for a case without symptoms; then `sampled_on`, the sampling date of the
    positive test, starts the window. `result_on`, the day of its result, is on record and decides
    nothing. `isolated_at` or `negative_at` end it. `symptoms` None is as before there was this
    field: yes with an onset, no without. Without a `person` it is
    place-time points alone: everyone who was at a market that morning.
    """

    id: Annotated[str, Field(pattern=CASE_ID_PATTERN)]
    version: Annotated[int, Field(ge=1)] = 1
    status: CaseStatus
    person: Annotated[str, Field(pattern=PERSON_PATTERN)] | None = None
    symptoms: Symptoms | None = None
    onset: date | None = None
    sampled_on: date | None = None
    result_on: date | None = None
    isolated_at: Timestamp | None = None
    negative_at: Timestamp | None = None
    ward: str
    rule_set: str | None = None
    registered_at: Timestamp
    registered_by: str
    points: Annotated[tuple[Point, ...], Field(max_length=MOST_POINTS)] = ()
    answers: Annotated[tuple[Answer, ...], Field(max_length=MOST_PERSONS)] = ()
    named: Annotated[tuple[NamedContact, ...], Field(max_length=MOST_PERSONS)] = ()
    excluded: Annotated[tuple[Exclusion, ...], Field(max_length=MOST_PERSONS)] = ()
    same: Annotated[tuple[SamePerson, ...], Field(max_length=MOST_PERSONS)] = ()
    decided: Annotated[tuple[Decision, ...], Field(max_length=MOST_DECIDED)] = ()
    said: Annotated[tuple[Said, ...], Field(max_length=MOST_SAID)] = ()

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.person is None and not self.points:
            raise ValueError(
                "points: ca không có người thì cần ít nhất một mốc dịch tễ. / "
                "points: a case without a person needs at least one place-time point."
            )
        for name in ("named", "excluded", "same", *WORKED):
            entries = getattr(self, name)
            persons = [entry.person for entry in entries]
            if len(set(persons)) != len(persons):
                raise ValueError(
                    f"{name}: một người có mặt hai lần. / {name}: a person is there twice."
                )
        if both := {n.person for n in self.named} & {e.person for e in self.excluded}:
            raise ValueError(
                f"excluded: {min(both)} cũng được nêu là người tiếp xúc. / "
                f"excluded: {min(both)} is also named as a contact."
            )
        joined = {entry.person for entry in self.same}
        if wrong := joined & ({entry.of for entry in self.same} | {self.person}):
            raise ValueError(
                f"same: {min(wrong)} vừa được gộp vào người khác vừa là người được gộp vào. / "
                f"same: {min(wrong)} is joined to another and cannot be joined to."
            )
        for name, times in (("points", self.points), ("answers", self.answers)):
            for time in times:
                if time.begin >= time.end:
                    raise ValueError(
                        f"{name}: tại điểm {time.place}, begin phải trước end. / "
                        f"{name}: at place {time.place} begin must be before end."
                    )
        return self


class TraceAgain(Record):
    """Between workers: a scan that has been written may change what this case's run found.

    `adds`: it may add somebody, and not only end a stay otherwise. `moved`: it is the case's own,
    and where the case is watched has changed, on every worker. `version`: it is this version of
    the case that may, by what officers have decided or contacts answered, and no scan.
    """

    case: Annotated[str, Field(pattern=CASE_ID_PATTERN)]
    adds: bool
    appended_at: Timestamp
    version: int = 0
    moved: bool = False


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
    """For officers, never for the public: pseudonyms and places, no name and no phone.

    `clauses`: those that could apply; `questions`: what is still to ask; `proposed`: what the
    answers leave, where they leave one thing. An officer decides.
    """

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
    questions: tuple[str, ...] = ()
    proposed: Decided | None = None
    minutes: float | None = None
    confidence: str | None = None
    reasons: tuple[str, ...] = ()
    contacts: int | None = None
    contacts_by_tier: dict[str, int] | None = None
    changes: dict[str, int] | None = None
