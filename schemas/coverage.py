"""What is required and what is put up, as it stands on `coverage.v1` (compacted).

Every record carries a rising `version`, an older one is ignored. What a place is, and whether a
code of it is in force, is said by `sites.v1`; here is what people did with the code.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.places import Record
from schemas.scan import Timestamp

PlaceId = Annotated[int, Field(ge=1, lt=2**30)]
SiteId = Annotated[int, Field(ge=1, lt=2**32)]
CodeVersion = Annotated[int, Field(ge=1, lt=1024)]


class Fact(StrEnum):
    """What can be known of a place on its way to being scanned."""

    DUTY = "duty"
    PRINTED = "printed"
    POSTED = "posted"
    INSPECTED = "inspected"


class Posting(Record):
    """What is known of a place's poster. None: not known. Times are the newest of their fact.

    `duty_at`: a duty person was named (who, stands in the identity vault, never here).
    `posted_at`: the owner or an inspector said that it hangs. `inspected_good`: whether the last
    inspection found a poster of this place that can be used. `…_version`: of the code, where known.
    """

    place: PlaceId
    version: Annotated[int, Field(ge=1)] = 1
    duty_at: Timestamp | None = None
    printed_at: Timestamp | None = None
    printed_version: CodeVersion | None = None
    posted_at: Timestamp | None = None
    posted_version: CodeVersion | None = None
    inspected_at: Timestamp | None = None
    inspected_version: CodeVersion | None = None
    inspected_good: bool | None = None


class RequiredList(Record):
    """A list of establishments that must have codes: whose it is and of which day.

    `withdrawn`: no longer counts, because its keeper took it back or a newer one replaced it.
    """

    id: str
    version: Annotated[int, Field(ge=1)] = 1
    name: str
    keeper: str
    as_of: date
    entries: Annotated[int, Field(ge=0)]
    withdrawn: bool = False


class Requirement(Record):
    """One establishment of such a list. `site`: the one registered for it. `exempt`: a person
    said that it needs no code (closed for good, not there, listed twice)."""

    list: str
    entry: str
    version: Annotated[int, Field(ge=1)] = 1
    ward: str
    kind: str
    sector: str
    site: SiteId | None = None
    exempt: bool = False


def posting_key(place: int) -> str:
    """Key of a place's record on `coverage.v1`."""
    return f"posting/{place}"


def required_list_key(list_id: str) -> str:
    """Key of a list's record on `coverage.v1`."""
    return f"list/{list_id}"


def requirement_key(list_id: str, entry: str) -> str:
    """Key of an entry's record on `coverage.v1`."""
    return f"required/{list_id}/{entry}"
