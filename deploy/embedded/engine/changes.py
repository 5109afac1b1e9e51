"""How many statements have ended that may have changed the scans, in a file beside the tables.

Who reads scans on this machine sees there, without a question, whether anything has come since
the last time: to ask takes milliseconds, and a tenth of a second while scans come. A statement is
counted before its answer goes out, so what has been acknowledged to anybody has been counted. What
the engine does by itself is not, nor what it does of a statement after its end: merges, which
change no row, the end of a row's time to live, a mutation that nobody waits for.
"""

import fcntl
import os
import re
import threading
import time
from pathlib import Path
from typing import Final

_TABLE: Final = b"scans"
_BYTES: Final = 8
_NAME: Final = rb"(?:\w+|`\w+`)"
_INTO: Final = re.compile(
    rb"\s*INSERT\s+INTO\s+(?:TABLE\s+)?(?:" + _NAME + rb"\.)?(" + _NAME + rb")(?=[\s(]|\Z)",
    re.IGNORECASE,
)
_NO_NAMES: Final = frozenset({b"FUNCTION", b"TABLE"})


class Changes:
    """`changes.<port>` in the engine's directory: eight bytes, little-endian, locked (flock) by the
    engine as long as it runs: one that is not locked is of an engine that is gone, or a copy. They
    begin with something else at each start."""

    def __init__(self, folder: Path, port: int) -> None:
        for left in folder.glob("changes.*"):
            left.unlink()
        self._path = folder / f"changes.{port}"
        self._lock = threading.Lock()
        self._count = time.time_ns()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._write()

    def ended(self, text: bytes, *, read_only: bool) -> None:
        """A statement has run, whatever came of it. Never fails: what cannot be counted ends the
        count."""
        if read_only or _goes_elsewhere(text):
            return
        with self._lock:
            self._count += 1
            self._write()

    def close(self) -> None:
        """Nobody shall believe it any more; whoever ends later may still call `ended`."""
        self._path.unlink(missing_ok=True)
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def _write(self) -> None:
        try:
            os.pwrite(self._file, self._count.to_bytes(_BYTES, "little"), 0)
        except OSError:
            self.close()


def _goes_elsewhere(text: bytes) -> bool:
    """Whether it is an INSERT into another table, named as plainly as truyvet names them."""
    into = _INTO.match(text)
    if into is None:
        return False
    name = into.group(1).strip(b"`")
    return name != _TABLE and name.upper() not in _NO_NAMES
