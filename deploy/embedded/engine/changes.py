"""How many statements have ended that may have changed the scans, in a file beside the tables.

Who reads scans on this machine sees there, without a question, whether anything has come since
the last time: to ask takes milliseconds, and a tenth of a second while scans come. A statement is
counted before its answer goes out, so what has been acknowledged to anybody has been counted. What
the engine does by itself is not: merges, which change no row, and the end of a row's time to live.
"""

import os
import threading
import time
from pathlib import Path
from typing import Final

from deploy.embedded.engine import statement

_TABLE: Final = b"scans"
_BYTES: Final = 8


class Changes:
    """`changes.<port>` in the engine's directory: eight bytes, little-endian. They begin with
    something else at each start, and are gone when the engine is."""

    def __init__(self, folder: Path, port: int) -> None:
        for left in folder.glob("changes.*"):
            left.unlink()
        self._path = folder / f"changes.{port}"
        self._lock = threading.Lock()
        self._count = time.time_ns()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._write()

    def ended(self, text: bytes, *, read_only: bool) -> None:
        """A statement has run, whatever came of it."""
        if read_only or (statement.verb(text) == "INSERT" and _TABLE not in text):
            return
        with self._lock:
            self._count += 1
            self._write()

    def close(self) -> None:
        """Nobody shall believe it any more."""
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        os.pwrite(self._file, self._count.to_bytes(_BYTES, "little"), 0)
