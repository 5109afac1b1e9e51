"""A service's log: appended to by the service itself, kept small by the supervisor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024
KEEP = 2


def log_path(data_dir: Path, name: str) -> Path:
    return data_dir / "logs" / f"{name}.log"


def rotate(path: Path, *, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> bool:
    """Copy and truncate: the service holds the file open for appending and need not be told.

    Lines written between the copy and the truncation are lost; a pipe through the supervisor
    would lose none, and would stop every service when the supervisor is stopped.
    """
    try:
        if path.stat().st_size < max_bytes:
            return False
    except FileNotFoundError:
        return False
    for number in range(keep - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    with path.open("r+b") as file:
        file.truncate(0)
    return True


def rotate_all(data_dir: Path, rotate_one: Callable[[Path], bool] = rotate) -> None:
    for path in (data_dir / "logs").glob("*.log"):
        rotate_one(path)
