"""The rows of an insert into `scans`, handed on to those on this machine who hold scans.

They have them from a file as they came, and need not ask the engine for what it has just been
given: to read it back costs it more than to take it. Only what is certain to be in the table, as
it came, and once: an insert that was answered well, under a token that was not seen before (a
second one with the same token would bring nothing). Whoever finds no file, asks.
"""

import os
import re
import shutil
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from deploy.embedded.engine.execute import Answer, Work
from deploy.embedded.engine.protocol import Call

MOST_BYTES: Final = 8 << 20  # of one insert; three times what a city sends in a second
OLD_S: Final = 60.0
_MOST_FILES: Final = 32
_MOST_TOKENS: Final = 10_000  # ten times as many as the table itself remembers
_INTO_SCANS: Final = re.compile(
    rb"\s*(?i:INSERT\s+INTO)\s+(?:scans|`scans`)\s*\(([\w\s,`]+)\)\s*\Z"
)
_PLAIN: Final = re.compile(r"\w+\Z")
# What its readers read: a column that is not named would have the table's default.
_READ: Final = frozenset(
    b"person place scanned_at direction method producer companions trip appended_at "
    b"kafka_partition kafka_offset".split()
)


class Given(NamedTuple):
    """A copy of what an insert brought, not yet under its number."""

    file: Path
    rows: int
    database: str


class Handed:
    """`handed/<start of the engine>.<number of the change>.<rows>.<alone>.<database>`, each an
    Arrow stream, the newest 32; `alone` 1: no other insert was under way. Nothing here fails: what
    cannot be kept is not handed on."""

    def __init__(self, folder: Path, run: int) -> None:
        self._folder, self._run = folder, run
        self._kept: deque[Path] = deque()
        self._kept_at = 0.0
        shutil.rmtree(folder, ignore_errors=True)

    def keep(self, number: int, given: Given, *, alone: bool) -> None:
        """Under the number of its change."""
        name = f"{self._run}.{number}.{given.rows}.{alone:d}.{given.database}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            given.file.rename(self._folder / name)
        except OSError:
            removed(given.file)
            return
        self._kept.append(self._folder / name)
        self._kept_at = time.monotonic()
        while len(self._kept) > _MOST_FILES:
            removed(self._kept.popleft())

    def clear(self) -> None:
        """Whoever has not read them by now will have to ask."""
        while self._kept:
            removed(self._kept.popleft())

    def clear_if_old(self) -> None:
        """Copies of scans are not left lying when no more come."""
        if time.monotonic() - self._kept_at > OLD_S:
            self.clear()


def removed(file: Path) -> None:
    """Take it away, if that can be done."""
    with suppress(OSError):
        file.unlink()


class Tokens:
    """Those of the newest inserts since the engine began, whatever they were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, None] = {}

    def is_new(self, call: Call) -> bool:
        """Whether an insert is certain to be no repetition of another."""
        token = call.settings.get("insert_deduplication_token", "")
        with self._lock:
            if not token or token in self._seen:
                return False
            self._seen[token] = None
            if len(self._seen) > _MOST_TOKENS:
                del self._seen[next(iter(self._seen))]
        return True


def may_be_handed(call: Call, work: Work, tokens: Tokens) -> bool:
    """Whether the rows of a statement that is about to run can be handed on if it goes well."""
    is_new = work.verb == "INSERT" and tokens.is_new(call)
    if work.insert is None or work.data is None:
        return False
    into = _INTO_SCANS.match(work.insert.target)
    return (
        is_new
        and work.insert.format == "ArrowStream"
        and not work.insert.settings
        and into is not None
        and set(into.group(1).replace(b"`", b" ").replace(b",", b" ").split()) >= _READ
        and _PLAIN.match(call.database or "default") is not None
        and call.settings.get("async_insert", "0") == "0"
        and os.stat(work.data).st_size <= MOST_BYTES
    )


def given_by(call: Call, work: Work, answer: Answer, copy: Path) -> Given | None:
    """What the insert brought, in `copy`. None if that cannot be made."""
    assert work.data is not None
    try:
        copy.touch(mode=0o600)
        shutil.copyfile(work.data, copy)
        return Given(copy, int(answer.summary["written_rows"]), call.database or "default")
    except (OSError, KeyError, ValueError):
        removed(copy)
        return None
