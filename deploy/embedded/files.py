"""Files that are whole or not there, and locks that die with their holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Never half a file, never a moment with looser rights than `mode`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log, whatever its bytes; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock and hold it; the kernel frees it if this process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class AlreadyRunning(RuntimeError):
    """The data directory belongs to a living supervisor."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        self.data_dir = data_dir
        self.pid = pid
        who = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"{data_dir} is already in use by {who}: one stack runs on a data directory at a "
            "time. Stop that one first, or give another data directory."
        )


class DataDirLock:
    """One supervisor for one data directory: flock, with the holder's pid inside the file."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "run" / "supervisor.lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        assert self._descriptor is None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        # `holder` looks with a shared lock for an instant: that is no reason to refuse a start.
        for attempt in range(5):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 4:
                    os.close(descriptor)
                    raise AlreadyRunning(self.data_dir, self._written_pid()) from None
                time.sleep(0.05)
        self._descriptor = descriptor
        self.sign()

    def sign(self) -> None:
        """Write this process's pid; once more after a fork, which keeps the lock."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _written_pid(self) -> int | None:
        try:
            return int(self.path.read_text())
        except (OSError, ValueError):
            return None

    def held(self) -> bool:
        """Does a living process hold it (this one counts)?"""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> int | None:
        """The pid of the living holder, or None."""
        return self._written_pid() if self.held() else None
