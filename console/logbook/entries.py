"""A line of a log: what it says, whose it is, and which are asked for. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

LEVELS: Final = ("debug", "info", "warning", "error")
_KEPT: Final = frozenset({"event", "level", "timestamp", "logger"})
# Kafka's own: 2026-11-26T16:39:35.224Z INFO  k.s.KafkaRaftServer [KafkaRaftServer nodeId=1] …
_JAVA: Final = re.compile(r"(\d{4}-\S+Z) (DEBUG|INFO|WARN|ERROR|FATAL) +(\S+) (.*)")
_JAVA_LEVELS: Final = {"WARN": "warning", "FATAL": "error"}


@dataclass(frozen=True)
class Entry:
    """One line. `event` is a name of ours, or the words of a library (then `logger` is set)."""

    at: datetime
    level: str
    component: str
    event: str
    logger: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        about = {"at": self.at.isoformat(), "level": self.level, "component": self.component}
        named = {"logger": self.logger} if self.logger else {}
        return {**about, "event": self.event, **named, **self.fields}


@dataclass(frozen=True)
class Wanted:
    """Which lines: all that are given must hold. `level`: this and worse ones."""

    level: str = "debug"
    component: str | None = None
    event: str | None = None
    case: str | None = None
    since: datetime | None = None

    def __call__(self, entry: Entry) -> bool:
        """Whether it is one of them."""
        return (
            LEVELS.index(entry.level) >= LEVELS.index(self.level)
            and (self.component is None or entry.component.startswith(self.component))
            and (self.event is None or entry.event == self.event)
            and (self.case is None or entry.fields.get("case") == self.case)
            and (self.since is None or entry.at >= self.since)
        )


def read_lines(lines: Iterable[str], component: str) -> Iterator[Entry]:
    """Entries in their order; what is neither JSON nor Kafka's (a stack trace) is left out."""
    for line in lines:
        entry = parse(line.strip(), component)
        if entry is not None:
            yield entry


def parse(line: str, component: str) -> Entry | None:
    """One line, or None if it is none of ours or Kafka's."""
    if java := _JAVA.fullmatch(line):
        at, level, logger, words = java.groups()
        known = _JAVA_LEVELS.get(level, level.lower())
        return _entry(at, known, component, words, logger, {})
    if not line.startswith("{"):
        return None
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    rest = {name: value for name, value in said.items() if name not in _KEPT}
    at, level, event = (str(said.get(name, "")) for name in ("timestamp", "level", "event"))
    return _entry(at, "error" if level == "critical" else level, component, event,
                  said.get("logger"), rest)  # fmt: skip


def _entry(
    at: str, level: str, component: str, event: str, logger: str | None, fields: dict[str, Any]
) -> Entry | None:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    if level not in LEVELS:
        return None
    utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Entry(utc, level, component, event, logger, fields)
