"""Parse and validate one scan with msgspec: the fastest typed JSON there is for Python.

For the peers that take a record at a time, so that none of them loses by a slow validator. It
checks types, enumerations, the shapes of ids and of times; of the codes only their length.
"""

# What it imports is installed in its own environment only.
# mypy: disable-error-code="import-not-found"

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Person = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F][0-9A-HJKMNP-TV-Z]{12}$")]
Note = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class Scan(msgspec.Struct):  # type: ignore[misc, unused-ignore]
    """The fields of a scan; what it does not name is left out."""

    event_id: UUID
    person: Person
    code: Text
    direction: Literal["in", "out", "pass"]
    scanned_at: datetime
    method: Literal["self", "staff", "card", "typed"]
    producer: Note
    device: Text
    companions: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    trip: Note | None = None
    seat: Note | None = None
    recorded_at: datetime | None = None


parse: Any = msgspec.json.Decoder(Scan).decode
Invalid: Any = (msgspec.ValidationError, msgspec.DecodeError)
