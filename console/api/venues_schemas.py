"""What goes in and out of the routes of a case's venues: place-time points in words."""

from typing import Annotated

from pydantic import Field

from console.api.schemas import ApiModel, example
from console.wordings import Written
from schemas.cases import PointSource
from schemas.scan import Timestamp

_VENUE = {
    "venue": "quán phở đầu ngõ 12 Lạch Tray",
    "begin": "2026-11-22T01:00:00.000Z",
    "end": "2026-11-22T02:30:00.000Z",
    "source": "interview",
}
_ENTERED = {"number": 1, "entered_at": "2026-11-23T09:00:00.000Z", "entered_by": "key/1"}


class NewVenue(ApiModel):
    """Where the case was, at a place that the register does not have. No phone numbers and no
    names of people: those belong to the interview."""

    model_config = example(_VENUE)

    venue: Annotated[str, Field(min_length=1, max_length=200), Written]
    begin: Timestamp
    end: Timestamp
    source: PointSource = PointSource.INTERVIEW


class Venue(ApiModel):
    """One that stands."""

    model_config = example(_VENUE | _ENTERED)

    number: int
    venue: str
    begin: Timestamp
    end: Timestamp
    source: PointSource
    entered_at: Timestamp
    entered_by: str


class Venues(ApiModel):
    """Those of a case, by time."""

    model_config = example({"case": "C-2026-000123", "venues": [_VENUE | _ENTERED]})

    case: str
    venues: list[Venue]


class AtPlace(ApiModel):
    """The place of the register that it is."""

    model_config = example({"place": 42})

    place: Annotated[int, Field(ge=1, lt=2**32)]
