"""A scan as it crosses the boundary: one JSON object on `scans.v1`, about 200 bytes.

This model is the definition: the columnar path of `streams/` accepts exactly what it accepts
(a property test holds them together) and the JSON Schema is generated from it.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas.ids import PERSON_PATTERN

MAX_SCAN_BYTES: Final = 4096
FUTURE_SKEW_SECONDS: Final = 120
MAX_COMPANIONS: Final = 20

TIMESTAMP_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"
# RFC 9562: the variant bits are 10, the version 1 to 8; hex digits in either case.
EVENT_ID_PATTERN: Final = (
    r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[1-8][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$"
)
PRODUCER_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,31}$"
# most characters, all of them visible ASCII
MAX_CODE: Final = 64
MAX_DEVICE: Final = 64
MAX_NOTE: Final = 32  # trip and seat
CODE_PATTERN: Final = rf"^[!-~]{{1,{MAX_CODE}}}$"
DEVICE_PATTERN: Final = rf"^[!-~]{{1,{MAX_DEVICE}}}$"
NOTE_PATTERN: Final = rf"^[!-~]{{1,{MAX_NOTE}}}$"

_TIMESTAMP = re.compile(TIMESTAMP_PATTERN, re.ASCII)


class Direction(StrEnum):
    """`pass`: seen at a gate, which way unknown."""

    IN = "in"
    OUT = "out"
    PASS = "pass"  # noqa: S105 (a direction, not a password)


class Method(StrEnum):
    """How the scan was made: by the visitor, by staff, from a card, typed from paper."""

    SELF = "self"
    STAFF = "staff"
    CARD = "card"
    TYPED = "typed"


def parse_timestamp(text: object) -> datetime:
    """Exactly `YYYY-MM-DDTHH:MM:SS.mmmZ`, UTC: libraries disagree on every other form."""
    if isinstance(text, datetime):  # a model built in Python, already parsed
        if text.utcoffset() is None:
            raise PydanticCustomError("timestamp", "a time needs a time zone")
        return text.astimezone(UTC)
    if not isinstance(text, str) or not _TIMESTAMP.fullmatch(text) or text.startswith("0000"):
        raise PydanticCustomError("timestamp", "must be exactly YYYY-MM-DDTHH:MM:SS.mmmZ")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("timestamp", "is not a time of the calendar") from None


def format_timestamp(moment: datetime) -> str:
    """The one written form of a time, UTC, whole milliseconds (truncated)."""
    utc = moment.astimezone(UTC)
    # %Y does not pad years before 1000
    return f"{utc.year:04d}-{utc:%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


Timestamp = Annotated[
    datetime,
    BeforeValidator(parse_timestamp),
    PlainSerializer(format_timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": TIMESTAMP_PATTERN, "format": "date-time"}),
]


class Scan(BaseModel):
    """One scan. `event_id` is made once by the producer and kept in retries."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    event_id: Annotated[str, Field(pattern=EVENT_ID_PATTERN)]
    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    code: Annotated[str, Field(pattern=CODE_PATTERN)]
    direction: Annotated[Direction, Field(strict=False)]
    scanned_at: Timestamp
    method: Annotated[Method, Field(strict=False)]
    producer: Annotated[str, Field(pattern=PRODUCER_PATTERN)]
    device: Annotated[str, Field(pattern=DEVICE_PATTERN)]
    companions: Annotated[int, Field(ge=0, le=MAX_COMPANIONS)] | None = None
    trip: Annotated[str, Field(pattern=NOTE_PATTERN)] | None = None
    seat: Annotated[str, Field(pattern=NOTE_PATTERN)] | None = None
    recorded_at: Timestamp | None = None


SCAN_FIELDS: Final = tuple(Scan.model_fields)
