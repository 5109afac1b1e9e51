"""What each step of an inspection says: the content that is sent, kept and never changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from console.wordings import Written
from issuer.delivered import MAX_TEXT
from issuer.standing import Standing
from schemas.inspections import (
    Agency,
    Authority,
    Ending,
    Ground,
    Kind,
    Mend,
    Outcome,
    Result,
    Says,
    TeamRole,
)

MOST_PHOTOS: Final = 6
MOST_TEAM: Final = 20

Note = Annotated[
    str,
    Field(min_length=1, max_length=1000, pattern=r"\S", description="No names of persons."),
    Written,
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
DocumentNumber = Annotated[
    str,
    Field(min_length=1, max_length=64, description="Of the decision on paper."),
    Written,
]


def _wrong(vi: str, en: str) -> PydanticCustomError:
    return PydanticCustomError("contradiction", f"{vi} / {en}")


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    note: Note | None = None


class TeamMember(BaseModel):
    """Somebody of the joint team: never a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agency: Agency
    role: TeamRole = TeamRole.MEMBER


class Opened(_Content):
    """Somebody is to go there. An inspection may as well begin with its check."""

    kind: Literal[Kind.OPENED] = Kind.OPENED
    ground: Ground = Ground.ROUND
    planned_on: date | None = None


class Checked(_Content):
    """What was found at the place, and what the inspectors concluded; null: nobody looked.

    `scanned` is what the inspector's phone read off the poster: then the system says whether it
    is this place's code in force, and `current` need not be given.
    """

    kind: Literal[Kind.CHECKED] = Kind.CHECKED
    result: Result
    posted: bool | None = None
    visible: bool | None = None
    current: bool | None = None
    guided: bool | None = None
    scanned: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)] | None = None
    team: Annotated[tuple[TeamMember, ...], Field(max_length=MOST_TEAM)] = ()
    photos: Annotated[
        tuple[Digest, ...], Field(max_length=MOST_PHOTOS, description="SHA-256 of each file.")
    ] = ()

    @model_validator(mode="after")
    def _together(self) -> Self:
        passed = self.result is Result.PASSED
        if self.result is not Result.NOT_POSSIBLE and self.posted is None:
            raise _wrong("Cần nói áp phích có được dán hay không.", "Say whether it is posted.")
        if self.posted is False and (self.visible or self.current or self.scanned):
            raise _wrong(
                "Không dán thì không thể dễ thấy, đúng mã hay quét được.",
                "What is not posted is not visible, not current and cannot be scanned.",
            )
        if passed and not (self.posted and self.visible and self.current is not False):
            raise _wrong(
                "Đạt thì áp phích phải được dán, dễ thấy và đúng phiên bản.",
                "To pass, the poster must be posted, visible and the current one.",
            )
        return self


class Ordered(_Content):
    """What the owner is to mend, by the end of which day (Asia/Ho_Chi_Minh)."""

    kind: Literal[Kind.ORDERED] = Kind.ORDERED
    mend: Annotated[tuple[Mend, ...], Field(min_length=1, max_length=len(Mend))]
    by: date


class Replied(_Content):
    """What the owner says to it. `until`: the day until which they ask for time."""

    kind: Literal[Kind.REPLIED] = Kind.REPLIED
    says: Says
    until: date | None = None


class Referred(_Content):
    """Handed to who may decide: a person does it, the system at most proposes it."""

    kind: Literal[Kind.REFERRED] = Kind.REFERRED
    to: Authority


class Decided(_Content):
    """What the authority it was referred to decided. `until`: with `more_time`, the new day."""

    kind: Literal[Kind.DECIDED] = Kind.DECIDED
    by: Authority
    outcome: Outcome
    until: date | None = None
    document: DocumentNumber | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.outcome is Outcome.MORE_TIME) != (self.until is not None):
            raise _wrong(
                "until: chỉ và luôn đi cùng more_time.", "until: with more_time, and only then."
            )
        return self


class Closed(_Content):
    """Nothing is left to do, and why."""

    kind: Literal[Kind.CLOSED] = Kind.CLOSED
    ending: Ending


Content = Opened | Checked | Ordered | Replied | Referred | Decided | Closed
AnyContent = Annotated[Content, Field(discriminator="kind")]


@dataclass(frozen=True)
class Seen:
    """What the system saw at a check: what the scanned code is, and the scans of seven days.

    `here`: whether the code is one of this very place. None: nothing was scanned, or not known.
    """

    standing: Standing | None = None
    here: bool | None = None
    version: int | None = None
    scans: int | None = None


@dataclass(frozen=True)
class Step:
    """One step: made once by whoever takes it, however often and late it is sent."""

    event_id: str
    occurred_at: datetime
    content: Content
    seen: Seen = Seen()


_RANK: Final = {kind: rank for rank, kind in enumerate(Kind)}


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Each step once, as they happened: by time, then by what follows what, then by id."""
    once = {step.event_id: step for step in steps}
    return sorted(once.values(), key=lambda s: (s.occurred_at, _RANK[s.content.kind], s.event_id))


def is_current(check: Checked, seen: Seen) -> bool | None:
    """Whether the poster is this place's code in force: by the scan, else as the inspector says."""
    if seen.standing is not None:
        return bool(seen.here) and seen.standing is Standing.VALID
    return check.current


def is_good(check: Checked, seen: Seen) -> bool:
    """Whether a poster of this place hangs there that people can see and use."""
    return bool(check.posted and check.visible) and is_current(check, seen) is not False
