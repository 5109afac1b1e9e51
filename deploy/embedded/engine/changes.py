"""How many statements have ended that may have changed the scans, in a file beside the tables.

Who reads scans on this machine sees there, without a question, whether anything has come since
the last time: to ask takes milliseconds, and a tenth of a second while scans come. A statement is
counted before its answer goes out, so what has been acknowledged to anybody has been counted. What
the engine does by itself is not, nor what it does of a statement after its end: merges, which
change no row, the end of a row's time to live, a mutation that nobody waits for.

What an insert brought is handed on beside it (`handed`), under the number it has here.
"""

import fcntl
import os
import re
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

from deploy.embedded.engine.handed import Given, Handed, removed

_TABLE: Final = b"scans"
_WORD: Final = 8  # bytes
_ENDED_SHIFT, _BEGUN_SHIFT = 32, 8
_ENDED_MASK, _BEGUN_MASK, _OPEN_MASK = (1 << 32) - 1, (1 << 24) - 1, (1 << 8) - 1
_NAME: Final = rb"(?:\w+|`\w+`)"
_INTO: Final = re.compile(
    rb"\s*INSERT\s+INTO\s+(?:TABLE\s+)?(?:" + _NAME + rb"\.)?(" + _NAME + rb")(?=[\s(]|\Z)",
    re.IGNORECASE,
)
_NO_NAMES: Final = frozenset({b"FUNCTION", b"TABLE"})


class Begun(NamedTuple):
    """An insert that may be handed on: which, and whether no other was under way."""

    number: int
    alone: bool


class Changes:
    """`changes.<port>` in the engine's directory, locked (flock) by the engine as long as it runs:
    one that is not locked is of an engine that is gone, or a copy. Two words of eight bytes,
    little-endian, each written at once: one that each start makes anew; and, from its highest bits,
    how many statements have ended (32), how many inserts that may be handed on have begun (24) and
    how many of them are under way (8)."""

    def __init__(self, folder: Path, port: int) -> None:
        for left in folder.glob("changes.*"):
            left.unlink()
        self._path = folder / f"changes.{port}"
        self._lock = threading.RLock()  # what cannot be written closes it
        run = time.time_ns()
        self._ended = self._begun = self._open = 0
        self.believed = True
        self._handed = Handed(folder / "handed", run)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._write_word(run, 0)
        self._write()

    def insert_begins(self) -> Begun:
        """One that may be handed on; `ended` must be told of its end."""
        with self._lock:
            self._begun += 1
            self._open += 1
            self._write()
            return Begun(self._begun, alone=self._open == 1)

    def ended(
        self,
        text: bytes,
        *,
        read_only: bool,
        begun: Begun | None = None,
        given: Given | None = None,
    ) -> None:
        """A statement has run, whatever came of it. Never fails: what cannot be counted ends the
        count.

        `begun`: what `insert_begins` said of it; `given`: it did bring these scans, once, and has
        changed nothing else.
        """
        counted = not (read_only or _goes_elsewhere(text))
        with self._lock:
            self._open -= begun is not None
            self._ended += counted
            if given is not None and begun is not None and counted and self.believed:
                alone = begun.alone and begun.number == self._begun
                self._handed.keep(self._ended & _ENDED_MASK, given, alone=alone)
            elif given is not None:
                removed(given.file)
            elif counted:
                self._handed.clear()  # what came before it is of no use to anybody
            if counted or begun is not None:
                self._write()

    def close(self) -> None:
        """Nobody shall believe it any more; whoever ends later may still call `ended`."""
        with self._lock:
            self.believed = False
            fcntl.flock(self._file, fcntl.LOCK_UN)
            removed(self._path)
            self._handed.clear()

    def tidy(self) -> None:
        """What nobody has taken in a minute, nobody will."""
        with self._lock:
            self._handed.clear_if_old()

    def _write(self) -> None:
        word = (self._ended & _ENDED_MASK) << _ENDED_SHIFT
        word |= (self._begun & _BEGUN_MASK) << _BEGUN_SHIFT
        self._write_word(word | min(self._open, _OPEN_MASK), _WORD)

    def _write_word(self, word: int, at: int) -> None:
        try:
            os.pwrite(self._file, word.to_bytes(_WORD, "little"), at)
        except OSError:
            self.close()


def _goes_elsewhere(text: bytes) -> bool:
    """Whether it is an INSERT into another table, named as plainly as truyvet names them."""
    into = _INTO.match(text)
    if into is None:
        return False
    name = into.group(1).strip(b"`")
    return name != _TABLE and name.upper() not in _NO_NAMES
