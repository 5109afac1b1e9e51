"""One at a time, across processes: a lock that its holder's death releases.

SQLite is one machine: the kernel's lock on a file beside the database. PostgreSQL: an advisory
lock of a session. Neither has an expiry: a holder that is stopped and goes on later cannot find
that another took over while it was away.
"""

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

_PAUSE_S = 0.05


class ExclusiveLock:
    """A named lock on the database of `engine`. Not for use from two threads at once."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._file: IO[bytes] | None = None
        self._session: Connection | None = None

    def try_acquire(self) -> bool:
        """Whether this process holds it now (it may have held it before)."""
        if self._engine.dialect.name == "sqlite":
            return self._try_file()
        return self._try_session()

    def _try_file(self) -> bool:
        if self._file is not None:
            return True
        database = self._engine.url.database
        assert database is not None
        file = Path(f"{database}.{self._name}.lock").open("ab")  # noqa: SIM115 (kept open)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _try_session(self) -> bool:
        if self._session is not None:
            try:
                self._session.execute(text("SELECT 1"))
                return True
            except SQLAlchemyError:
                self.release()
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if session.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._number()}):
            self._session = session
            return True
        session.close()
        return False

    def _number(self) -> int:
        digest = hashlib.sha256(f"truyvet/{self._name}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def release(self) -> None:
        """Let it go, if held."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._session is not None:
            # the session itself goes, and with it the lock: it must not return to the pool
            self._session.invalidate()
            self._session.close()
            self._session = None


@contextmanager
def exclusive(engine: Engine, name: str, timeout_s: float) -> Iterator[None]:
    """Hold the lock inside the block. Raises TimeoutError if another holds it for too long."""
    lock = ExclusiveLock(engine, name)
    deadline = time.monotonic() + timeout_s
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            raise TimeoutError(f"another process holds the lock {name!r}")
        time.sleep(_PAUSE_S)
    try:
        yield
    finally:
        lock.release()
