"""Whether the table may have changed, as the embedded engine says beside its tables.

See `deploy.embedded.engine.changes`. A server elsewhere says nothing, and has to be asked.
"""

import fcntl
from pathlib import Path
from urllib.parse import urlsplit

from schemas.settings import Settings


class Changes:
    """The count of an engine, in a file."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file

    def count(self) -> bytes | None:
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
                    return opened.read()
        except OSError:
            pass
        return None


def changes_of(settings: Settings) -> Changes:
    """Of the engine that these settings name, if it can be this data directory's."""
    url = urlsplit(settings.clickhouse_url)
    if url.scheme != "http" or url.hostname != "127.0.0.1" or url.port is None:
        return Changes()
    return Changes(settings.data_dir / "engine" / f"changes.{url.port}")
