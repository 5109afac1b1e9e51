"""Sites, places and their codes as they stand on `sites.v1`, and producers on `producers.v1`.

Both topics are compacted; every record carries a rising `version`, an older one is ignored.
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.scan import Method, Timestamp

LocalTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Record(BaseModel):
    """Base of what people edit: frozen, unknown fields ignored (schemas grow by optional ones)."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Hours(Record):
    """Daily opening hours, Asia/Ho_Chi_Minh; `closes` at or before `opens` is the next day."""

    opens: LocalTime
    closes: LocalTime


class Status(StrEnum):
    """A closed or merged site keeps its past scans traceable."""

    ACTIVE = "active"
    CLOSED = "closed"


class Site(Record):
    """An establishment. `ward` is the code of the unit (or `unknown`), `sector` a department's.

    `merged_into`: closed because it was this other site registered again, which has its places.
    """

    id: Annotated[int, Field(ge=1, lt=2**32)]
    version: Annotated[int, Field(ge=1)] = 1
    name: str
    kind: str
    ward: str
    sector: str
    address: str | None = None
    status: Status = Status.ACTIVE
    merged_into: Annotated[int, Field(ge=1, lt=2**32)] | None = None


REVOKED_SINCE_DAYS: Final = 90  # back: how long before a code can be revoked from


class Code(Record):
    """One version of a place's code. `None` is open: without a beginning, without an end.

    `taken_back_at`: when it was revoked from before, from `revoked_at` on: what was scanned by it
    since and accepted until then does not count any more.
    """

    version: Annotated[int, Field(ge=1, lt=1024)]
    token: str
    valid_from: Timestamp | None = None
    valid_to: Timestamp | None = None
    revoked_at: Timestamp | None = None
    revoked_reason: str | None = None
    taken_back_at: Timestamp | None = None


class Trip(Record):
    """One run of a vehicle, from departure to arrival (UTC)."""

    id: str
    departs_at: Timestamp
    arrives_at: Timestamp


class Place(Record):
    """One spot of a site with a code of its own: a gate, a room, a stall row, a vehicle.

    `enclosed` (kín) and `small` (hẹp) decide the tier; `gate` marks a code that only says
    somebody came by. `usual_stay` is in minutes. `within`: the place of the same site around it,
    as a building is around a room.
    """

    id: Annotated[int, Field(ge=1, lt=2**30)]
    site: int
    version: Annotated[int, Field(ge=1)] = 1
    name: str
    kind: str
    ward: str
    sector: str
    hours: Hours | None = None
    capacity: Annotated[int, Field(ge=1)] | None = None
    enclosed: bool = False
    small: bool = False
    gate: bool = False
    usual_stay: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    within: Annotated[int, Field(ge=1, lt=2**30)] | None = None
    codes: tuple[Code, ...] = ()
    trips: tuple[Trip, ...] = ()
    status: Status = Status.ACTIVE


class Producer(Record):
    """Who may publish scans, for which places and by which methods. `None` is all of them."""

    id: str
    version: Annotated[int, Field(ge=1)] = 1
    name: str
    active: bool = True
    methods: tuple[Method, ...] | None = None
    places: tuple[int, ...] | None = None
    wards: tuple[str, ...] | None = None


def site_key(site: int) -> str:
    """Key of a site's record on `sites.v1`."""
    return f"site/{site}"


def place_key(place: int) -> str:
    """Key of a place's record on `sites.v1`."""
    return f"place/{place}"
