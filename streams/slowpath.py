"""One record at a time, through pydantic: the definition of a scan, and the words of a refusal."""

import re
from typing import Any, Final

import orjson
from pydantic import ValidationError

from schemas.ids import PERSON_PATTERN, person_bits
from schemas.reasons import Reason
from schemas.scan import (
    EVENT_ID_PATTERN,
    MAX_SCAN_BYTES,
    PRODUCER_PATTERN,
    SCAN_FIELDS,
    Scan,
)
from streams.batch import Rejected

_ID_FIELDS = ("event_id", "person")
_FORMS: Final = {
    "event_id": re.compile(EVENT_ID_PATTERN, re.ASCII),
    "person": re.compile(PERSON_PATTERN, re.ASCII),
    "producer": re.compile(PRODUCER_PATTERN, re.ASCII),
}


def judge(index: int, value: bytes | None) -> bytes | Rejected:
    """The canonical JSON of an accepted scan, or why it is refused."""
    if value is None or not value.strip():
        return Rejected(index, Reason.NOT_JSON, "the record is empty")
    if len(value) > MAX_SCAN_BYTES:
        return Rejected(
            index, Reason.TOO_LARGE, f"{len(value)} bytes, at most {MAX_SCAN_BYTES} are allowed"
        )
    try:
        scan = Scan.model_validate_json(value)
    except ValidationError as error:
        return _refusal(index, value, error)
    return scan.model_dump_json(exclude_none=True).encode()


def _refusal(index: int, value: bytes, error: ValidationError) -> Rejected:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if any(p["type"] == "json_invalid" for p in problems):
        return Rejected(index, Reason.NOT_JSON, problems[0]["msg"])
    # the first problem in the schema's order names the reason; a missing field is always schema
    fields = [str(p["loc"][0]) if p["loc"] else "record" for p in problems]
    malformed = [
        field in _ID_FIELDS and p["type"] != "missing"
        for field, p in zip(fields, problems, strict=True)
    ]
    reason = Reason.MALFORMED_ID if all(malformed) else Reason.WRONG_SCHEMA
    detail = "; ".join(f"{f}: {p['msg']}" for f, p in zip(fields, problems, strict=True))
    event_id, person, producer = _what_can_be_read(value)
    return Rejected(index, reason, detail[:500], event_id, person, producer)


def _what_can_be_read(value: bytes) -> tuple[tuple[int, int] | None, int | None, str]:
    """Event id, person and producer of a refused record, where each is in its form by itself.

    So that the producer can ask what became of it.
    """
    try:
        record: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None, None, ""
    if not isinstance(record, dict):
        return None, None, ""
    return (
        _alone(record, "event_id", uuid_halves),
        _alone(record, "person", person_bits),
        _alone(record, "producer", str) or "",
    )


def _alone(record: dict[str, Any], field: str, read: Any) -> Any:
    value = record.get(field)
    if not isinstance(value, str) or not _FORMS[field].fullmatch(value):
        return None
    return read(value)


def uuid_halves(text: str) -> tuple[int, int]:
    """High and low 64 bits of a UUID in its 36 characters."""
    number = int(text.replace("-", ""), 16)
    return number >> 64, number & (2**64 - 1)


def count_unknown_fields(values: list[bytes]) -> int:
    """How many fields of these records the schema does not name (records that are objects)."""
    total = 0
    for value in values:
        try:
            record = orjson.loads(value)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            total += sum(name not in SCAN_FIELDS for name in record)
    return total
