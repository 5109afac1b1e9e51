"""Whether the table may have changed, as the embedded engine says beside its tables.

See `deploy.embedded.engine.changes`. A server elsewhere says nothing, and has to be asked.
"""

import fcntl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.settings import Settings

_ENDED_SHIFT, _BEGUN_SHIFT, _OPEN_MASK = 32, 8, 0xFF
_WORDS = 16  # bytes


class Count(NamedTuple):
    """What an engine has counted since a start of its own (`run`): statements that have ended,
    inserts that have begun, and those of them that are under way."""

    run: int
    ended: int
    inserts: int = 0
    open: int = 0

    def same(self, other: "Count") -> bool:
        """Whether nothing has ended between the two."""
        return (self.run, self.ended) == (other.run, other.ended)

    def quiet_until(self, later: "Count | None") -> bool:
        """Whether no insert was under way at any moment from here to the later count."""
        return (
            later is not None
            and self.open == 0
            and (self.run, self.inserts) == (later.run, later.inserts)
        )


class Changes:
    """The count of an engine, in a file; its scans are those of this database."""

    def __init__(self, file: Path | None = None, database: str = "default") -> None:
        self.file, self.database = file, database

    def count(self) -> Count | None:
        """It changes before a change is acknowledged to anybody. None: not known.

        The engine holds the file locked: what can be locked is nobody's.
        """
        if self.file is None:
            return None
        try:
            with self.file.open("rb", buffering=0) as opened:
                try:
                    fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return _count_of(opened.read(_WORDS))
        except OSError:
            pass
        return None


def _count_of(words: bytes) -> Count | None:
    if len(words) != _WORDS:
        return None
    run, word = (int.from_bytes(words[at : at + 8], "little") for at in (0, 8))
    inserts = word >> _BEGUN_SHIFT & (1 << (_ENDED_SHIFT - _BEGUN_SHIFT)) - 1
    return Count(run, word >> _ENDED_SHIFT, inserts, word & _OPEN_MASK)


def changes_of(settings: Settings) -> Changes:
    """Of the engine that these settings name, if it can be this data directory's."""
    url = urlsplit(settings.clickhouse_url)
    if url.scheme != "http" or url.hostname != "127.0.0.1" or url.port is None:
        return Changes()
    file = settings.data_dir / "engine" / f"changes.{url.port}"
    return Changes(file, settings.clickhouse_database)
