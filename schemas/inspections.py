"""Steps of inspections on `inspections.v1`: what was found, ordered, answered and decided, where.

A step says only what can be ticked off in a list, so that no name of a person can be in it; notes,
photos and what was scanned stay in the console.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.coverage import CodeVersion, PlaceId
from schemas.places import Record
from schemas.scan import EVENT_ID_PATTERN, Timestamp

EventId = Annotated[str, Field(pattern=EVENT_ID_PATTERN)]


class Kind(StrEnum):
    """What a step is, in the order in which two of one moment follow each other."""

    OPENED = "opened"
    CHECKED = "checked"
    ORDERED = "ordered"
    REPLIED = "replied"
    REFERRED = "referred"
    DECIDED = "decided"
    CLOSED = "closed"


class Stage(StrEnum):
    """Where an inspection stands."""

    PLANNED = "planned"
    CHECKED = "checked"
    ORDERED = "ordered"
    REPLIED = "replied"
    REFERRED = "referred"
    DECIDED = "decided"
    CLOSED = "closed"


class Ground(StrEnum):
    """Why somebody goes there."""

    ROUND = "round"
    REPORT = "report"
    INSTRUCTION = "instruction"


class Result(StrEnum):
    """What the inspectors concluded; `not_possible`: nobody there, closed, not found."""

    PASSED = "passed"
    DEFECTS = "defects"
    NOT_POSSIBLE = "not_possible"


class Agency(StrEnum):
    """Whose member of a joint team somebody is."""

    COMMITTEE = "committee"
    POLICE = "police"
    HEALTH_STATION = "health_station"
    HEALTH_CENTRE = "health_centre"
    MARKET_BOARD = "market_board"
    DEPARTMENT = "department"
    NEIGHBOURHOOD = "neighbourhood"
    SITE = "site"
    OTHER = "other"


class TeamRole(StrEnum):
    """What they do in it."""

    LEADER = "leader"
    MEMBER = "member"
    SECRETARY = "secretary"
    WITNESS = "witness"
    REPRESENTATIVE = "representative"


class Mend(StrEnum):
    """What is to be mended."""

    PUT_UP = "put_up"
    SHOW = "show"
    REPLACE = "replace"
    NAME_GUIDE = "name_guide"
    URGE = "urge"
    OTHER = "other"


class Says(StrEnum):
    """What the owner answers."""

    MENDED = "mended"
    ASKS_TIME = "asks_time"
    DISPUTES = "disputes"
    COMMENTS = "comments"


class Authority(StrEnum):
    """Who can decide what an inspector cannot."""

    WARD_CHAIR = "ward_chair"
    DISTRICT_CHAIR = "district_chair"
    CITY_CHAIR = "city_chair"
    SECTOR_DEPARTMENT = "sector_department"
    HEALTH_INSPECTORATE = "health_inspectorate"


class Outcome(StrEnum):
    """What that authority decided."""

    NO_ACTION = "no_action"
    REMINDED = "reminded"
    MORE_TIME = "more_time"
    MEASURE = "measure"


class Ending(StrEnum):
    """Why an inspection is closed."""

    MENDED = "mended"
    DECIDED = "decided"
    GONE = "gone"
    MISTAKE = "mistake"


class Member(Record):
    """Somebody of the joint team, by agency and role; who it was stands on the signed paper."""

    agency: Agency
    role: TeamRole = TeamRole.MEMBER


class InspectionStep(Record):
    """One step as it was recorded; the fields of its kind are there, the others are not.

    `inspection` and `event_id` are made by whoever takes the step and kept when it is sent again.
    `occurred_at` can be long before `recorded_at`: phones send when they have a network. `version`
    rises with each step of the inspection; `stage` and `due_on` are as they stand after it, by the
    order of `occurred_at`: a late step changes what others led to, and `counts` is false for one
    that nothing which has arrived leads to yet. A check's `scans` are those of the place in the
    seven days before it. None: nobody looked, or it could not be known.
    """

    event_id: EventId
    inspection: EventId
    place: PlaceId
    version: Annotated[int, Field(ge=1)]
    kind: Kind
    occurred_at: Timestamp
    recorded_at: Timestamp
    stage: Stage | None = None
    due_on: date | None = None
    counts: bool = True

    ground: Ground | None = None
    planned_on: date | None = None

    result: Result | None = None
    posted: bool | None = None
    visible: bool | None = None
    current: bool | None = None
    guided: bool | None = None
    code_version: CodeVersion | None = None
    scans: Annotated[int, Field(ge=0)] | None = None
    team: tuple[Member, ...] | None = None
    photos: Annotated[int, Field(ge=0)] | None = None

    mend: tuple[Mend, ...] | None = None
    mend_by: date | None = None

    says: Says | None = None
    authority: Authority | None = None
    outcome: Outcome | None = None
    until: date | None = None
    ending: Ending | None = None


def inspection_key(place: int) -> str:
    """Key of a place's steps on `inspections.v1`."""
    return str(place)
