"""In which way a record is wrong: two of one shape get the same refusal, word for word.

What pydantic says of a field depends on whether it is right, on its type if it is not, and on
nothing else, but for numbers and for times that look like times. Where a record has such a field
it has no shape, and pydantic is asked. A property test holds the words to pydantic's own.
"""

import re
from datetime import datetime
from typing import Any, Final

from schemas.ids import PERSON_PATTERN
from schemas.scan import (
    CODE_PATTERN,
    DEVICE_PATTERN,
    EVENT_ID_PATTERN,
    MAX_COMPANIONS,
    NOTE_PATTERN,
    PRODUCER_PATTERN,
    SCAN_FIELDS,
    TIMESTAMP_PATTERN,
    Direction,
    Method,
)

Shape = tuple[object, ...]
_FINE: Final = True
_ABSENT: Final = object()
_UNSURE: Final = object()
_TEXTS: Final = {
    "event_id": EVENT_ID_PATTERN,
    "person": PERSON_PATTERN,
    "code": CODE_PATTERN,
    "direction": "|".join(Direction),
    "scanned_at": TIMESTAMP_PATTERN,
    "method": "|".join(Method),
    "producer": PRODUCER_PATTERN,
    "device": DEVICE_PATTERN,
    "trip": NOTE_PATTERN,
    "seat": NOTE_PATTERN,
    "recorded_at": TIMESTAMP_PATTERN,
}
_TIMES: Final = ("scanned_at", "recorded_at")
_FIELDS: Final = tuple(
    (
        name,
        re.compile(_TEXTS[name], re.ASCII).fullmatch if name in _TEXTS else None,
        name in _TIMES,
    )
    for name in SCAN_FIELDS
)


def shape(record: Any) -> Shape | None:
    """Of a record as its JSON says; None if it has none."""
    if type(record) is not dict:
        return (type(record),)
    found: list[object] = []
    for name, matches, is_time in _FIELDS:
        value = record.get(name, _ABSENT)
        what: object = type(value)
        if what is str and matches is not None:
            if matches(value):
                what = _moment(value) if is_time else _FINE
        elif what is int and matches is None:
            what = _FINE if 0 <= value <= MAX_COMPANIONS else _UNSURE
        elif what is float and matches is None:
            what = _UNSURE
        if what is _UNSURE:
            return None
        found.append(what)
    return tuple(found)


def _moment(text: str) -> object:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return _UNSURE
    return _FINE
