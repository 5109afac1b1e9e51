"""Whether the table may have changed, as the embedded engine says beside its tables.

See `deploy.embedded.engine.changes`. A server elsewhere says nothing, and has to be asked.
"""

from pathlib import Path
from urllib.parse import urlsplit

from schemas.security import is_here
from schemas.settings import Settings


class Changes:
    """The count of an engine; a file that is not there is no engine's."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file

    def count(self) -> bytes | None:
        """It changes before a change is acknowledged to anybody. None: not known."""
        try:
            return None if self.file is None else self.file.read_bytes()
        except OSError:
            return None


def changes_of(settings: Settings) -> Changes:
    """Of the engine that these settings name, if it is this data directory's."""
    url = urlsplit(settings.clickhouse_url)
    if not is_here(url.hostname) or url.port is None:
        return Changes()
    return Changes(settings.data_dir / "engine" / f"changes.{url.port}")
