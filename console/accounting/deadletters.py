"""Reading `scans.v1.dlq`: what was refused, why, and its original bytes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from console.accounting.log import records_of
from schemas.scan import format_timestamp
from schemas.settings import Settings
from schemas.topics import DLQ, ERASURES
from streams.erasures import Erasures, list_key

_SHOWN_BYTES: Final = 8_192


@dataclass(frozen=True)
class DeadLetter:
    """One refused record as it came. `key` is where it was: topic/partition/offset."""

    key: str
    topic: str
    partition: int
    offset: int
    appended: datetime
    reason: str
    detail: str
    version: str
    original: bytes
    original_key: bytes | None
    truncated: bool = False
    """Whether only its beginning fitted the topic; `rejects` has all of it."""

    def document(self, whole: bool = False) -> dict[str, Any]:
        """As JSON; with `whole`, the original too, as text where it is text."""
        found: dict[str, Any] = {
            "key": self.key,
            "reason": self.reason,
            "detail": self.detail,
            "appended_at": format_timestamp(self.appended),
            "version": self.version,
            "bytes": len(self.original),
            "original_key": shown(self.original_key) if self.original_key is not None else None,
        }
        if whole:
            found |= {"original": shown(self.original), "original_hex": self.original.hex()}
        return found


async def dead_letters(settings: Settings) -> AsyncIterator[DeadLetter]:
    """Every dead letter there is now, each once, in the order of the topic.

    A worker that did a batch again published its letters again: a key seen before is left out. So
    are letters of persons who were erased, until the topic has none of them any more.
    """
    erasures = Erasures(list_key(settings.person_key.get_secret_value()))
    async for record in records_of(settings, ERASURES.name):
        erasures.record(record)
    seen: set[str] = set()
    async for record in records_of(settings, DLQ.name):
        key = (record.key or b"").decode("utf-8", "replace")
        if record.value is None or key in seen:
            continue
        seen.add(key)
        letter = letter_of(key, record)
        moment = int(letter.appended.timestamp() * 1000)
        if not erasures.in_text((letter.original, letter.original_key), moment):
            yield letter


def letter_of(key: str, record: Any) -> DeadLetter:
    """From a record of the topic; headers that are not there are empty."""
    headers = dict(record.headers)

    def text(name: str) -> str:
        return bytes(headers.get(name) or b"").decode("utf-8", "replace")

    def whole(name: str) -> int:
        return int(text(name)) if text(name).isdecimal() else 0

    return DeadLetter(
        key=key,
        topic=text("topic"),
        partition=whole("partition"),
        offset=whole("offset"),
        appended=datetime.fromtimestamp(whole("timestamp") / 1000, UTC),
        reason=text("reason"),
        detail=text("detail"),
        version=text("version"),
        original=record.value,
        original_key=headers.get("key"),
        truncated="truncated" in headers,
    )


def shown(data: bytes) -> str:
    """Bytes as text that is safe on any terminal: what cannot be printed is written `\\x00`."""
    text = data[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    more = len(data) - _SHOWN_BYTES
    return safe + (f"… (+{more} bytes)" if more > 0 else "")
