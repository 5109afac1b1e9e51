"""What goes in and out of the routes of a case's entries and its history."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from console.api.schemas import ApiModel, example
from schemas.cases import (
    MOST_PERSONS,
    MOST_POINTS,
    Answer,
    Exclusion,
    NamedContact,
    Point,
    SamePerson,
)
from schemas.scan import Timestamp


class NamedHere(NamedContact):
    """A named contact as it comes in: of any day, so that a wrong one is refused in words."""

    last_contact: date


def _as_kept(named: NamedHere) -> NamedContact:
    return NamedContact.model_construct(**dict(named))


class Entries(ApiModel):
    """Place-time points; answers to *when did you leave?*; named contacts; exclusions;
    other ids of one person, as a card and a phone."""

    points: Annotated[tuple[Point, ...], Field(max_length=MOST_POINTS)] = ()
    answers: Annotated[tuple[Answer, ...], Field(max_length=MOST_PERSONS)] = ()
    named: Annotated[
        tuple[Annotated[NamedHere, AfterValidator(_as_kept)], ...], Field(max_length=MOST_PERSONS)
    ] = ()
    excluded: Annotated[tuple[Exclusion, ...], Field(max_length=MOST_PERSONS)] = ()
    same: Annotated[tuple[SamePerson, ...], Field(max_length=MOST_PERSONS)] = ()


class ChangeEntries(ApiModel):
    """Entries to add and to remove, all of them or none. `note` stays with the case's history.

    `version`: the version the change was made on; if the case has moved on, nothing is changed.
    """

    model_config = example(
        {
            "version": 2,
            "add": {
                "points": [
                    {
                        "place": 42,
                        "begin": "2026-11-22T01:00:00.000Z",
                        "end": "2026-11-22T02:30:00.000Z",
                        "source": "interview",
                    }
                ],
                "named": [
                    {
                        "person": "8KS5H5E7SNRGN",
                        "relation": "household",
                        "last_contact": "2026-11-23",
                    }
                ],
            },
            "note": "interview of 23 November",
        }
    )

    version: Annotated[int, Field(ge=1)] | None = None
    add: Entries = Entries()
    remove: Entries = Entries()
    note: Annotated[str, Field(max_length=2000)] | None = None


class CaseChange(ApiModel):
    """One version of a case: who made it, when, what the fields became."""

    version: int
    at: Timestamp
    by: str
    changes: dict[str, Any]
    note: str | None


class VenueSteps(ApiModel):
    """Who entered a place in words, and who took it back or made a point of it; not its words."""

    number: int
    entered_at: Timestamp
    entered_by: str
    removed_at: Timestamp | None
    removed_by: str | None
    became_place: int | None


class CaseHistory(ApiModel):
    """The versions after the first, the first one first; and what became of places in words, of
    which a case's versions say nothing."""

    model_config = example(
        {
            "case": "C-2026-000123",
            "history": [
                {
                    "version": 2,
                    "at": "2026-11-23T09:00:00.000Z",
                    "by": "key/1",
                    "changes": {"onset": "2026-11-19"},
                    "note": None,
                }
            ],
            "venues": [],
        }
    )

    case: str
    history: list[CaseChange]
    venues: list[VenueSteps]
