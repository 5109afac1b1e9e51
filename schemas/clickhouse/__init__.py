"""ClickHouse tables as numbered, append-only SQL files, and the reader that fills them in.

A file holds one or more statements separated by `;` at a line's end. `${TTL:column}` becomes
the table's time to live (retention + 8 days, whole parts only) or nothing when retention is
off. What runs them is `schemas.migrate`.
"""

import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

TTL_MARGIN_DAYS: Final = 8
_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_TTL = re.compile(r"\$\{TTL:(\w+)\}")


@dataclass(frozen=True)
class Migration:
    """One numbered file, its statements filled in."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations(retention_days: int) -> list[Migration]:
    """All migrations in order, for a retention in days (0: kept for ever)."""
    found = []
    for file in resources.files(__package__).iterdir():
        if match := _FILE.match(file.name):
            text = fill_in(file.read_text("utf-8"), retention_days)
            found.append(Migration(int(match[1]), match[2], _statements(text)))
    found.sort(key=lambda migration: migration.number)
    assert [m.number for m in found] == list(range(1, len(found) + 1)), "numbers have no gaps"
    return found


def fill_in(text: str, retention_days: int) -> str:
    """`text` with its time to live: retention + 8 days after the column, or none."""
    if retention_days == 0:
        return _TTL.sub("", text).replace("${TTL_PARTS}", "")
    days = retention_days + TTL_MARGIN_DAYS
    ttl = _TTL.sub(rf"TTL toDateTime(\1) + INTERVAL {days} DAY DELETE", text)
    return ttl.replace("${TTL_PARTS}", ", ttl_only_drop_parts = 1")


def _statements(text: str) -> tuple[str, ...]:
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    parts = re.split(r";[ \t]*(?:\n|$)", "\n".join(lines))
    return tuple(part.strip() for part in parts if part.strip())
