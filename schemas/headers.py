"""What is in the headers of records, as JSON Schemas for the AsyncAPI document."""

from typing import Any, Final

from schemas import traceparent
from schemas.cases import AlertKind
from schemas.cloudevents import ALERT_PREFIX, CASE_PREFIX, NOTICE_PREFIX
from schemas.reasons import SENTENCES, Reason
from schemas.scan import TIMESTAMP_PATTERN

Document = dict[str, Any]


def pattern(form: str) -> Document:
    """A text of this form."""
    return {"type": "string", "pattern": form}


def named(texts: dict[str, Document], optional: tuple[str, ...] = ()) -> Document:
    """Headers by their names."""
    required = sorted(set(texts) - set(optional))
    return {"type": "object", "properties": texts, "required": required}


_FOLLOWED: Final = {traceparent.NAME: pattern(traceparent.PATTERN)}


def _cloudevent(types: Document) -> Document:
    """Headers of an event in CloudEvents' Kafka binary mode (UTF-8 bytes)."""
    return named(
        {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {"type": "string", "minLength": 1},
            "ce_source": {"type": "string", "minLength": 1},
            "ce_type": types,
            "ce_time": pattern(TIMESTAMP_PATTERN),
            "content-type": {"type": "string", "const": "application/json"},
            **_FOLLOWED,
        },
        optional=tuple(_FOLLOWED),
    )


NUMBER: Final = pattern(r"^\d+$")
REFUSED: Final = named(
    {
        "topic": {"type": "string", "description": "Where the original lies."},
        "partition": NUMBER,
        "offset": NUMBER,
        "timestamp": NUMBER | {"description": "The broker's, of the original; ms since 1970."},
        "reason": {
            "type": "string",
            "enum": [reason.value for reason in Reason],
            "description": " ".join(f"{r.value}: {SENTENCES[r][1]}" for r in Reason),
        },
        "detail": {"type": "string", "description": "Which field, and what is wrong with it."},
        "version": {"type": "string", "description": "Of the worker that refused it."},
        "key": {"type": "string", "description": "The original's key, where it had one."},
        "truncated": NUMBER | {"description": "Bytes of an original too large for the topic."},
    },
    optional=("key", "truncated"),
)
CASE_EVENT: Final = _cloudevent(pattern(rf"^{CASE_PREFIX.replace('.', chr(92) + '.')}[a-z_]+$"))
ALERT_EVENT: Final = _cloudevent(
    {"type": "string", "enum": [f"{ALERT_PREFIX}{kind.value}" for kind in AlertKind]}
)
NOTICE_EVENT: Final = _cloudevent({"type": "string", "const": f"{NOTICE_PREFIX}reminder"})
PERHAPS_FOLLOWED: Final = named(_FOLLOWED, optional=tuple(_FOLLOWED))
