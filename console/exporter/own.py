"""What each console finds out for itself: its outbox, its disk, the certificates it watches."""

import math
import shutil
from datetime import datetime
from pathlib import Path

from console.exporter.certificates import not_after
from console.exporter.probe import Found
from console.store import outbox
from console.store.engine import Store
from schemas.meters import Labels
from schemas.metrics import (
    CERTIFICATE_EXPIRY,
    DISK_FREE,
    DISK_SIZE,
    OUTBOX_OLDEST,
    OUTBOX_PENDING,
)


def outbox_now(store: Store, now: datetime) -> Found:
    """How much waits for the relay, and for how long. Raises SQLAlchemyError."""
    oldest = outbox.oldest_pending(store)
    waited = (now - oldest).total_seconds() if oldest is not None else 0.0
    return {
        OUTBOX_PENDING: {(): outbox.count_pending(store)},
        OUTBOX_OLDEST: {(): max(0.0, waited)},
    }


def disk_of(directory: Path) -> Found:
    """The disk that the console's own data lies on. Raises OSError."""
    usage = shutil.disk_usage(directory)
    return {DISK_FREE: {("data",): usage.free}, DISK_SIZE: {("data",): usage.total}}


def certificates(files: tuple[Path, ...]) -> Found:
    """When each of them ends; 0 for one that cannot be read, which is as bad as one that ended."""
    ends: dict[Labels, float] = {}
    for file in files:  # of two with one name, the first to end
        ends[file.name,] = min(_end(file), ends.get((file.name,), math.inf))
    return {CERTIFICATE_EXPIRY: ends}


def _end(file: Path) -> float:
    try:
        return not_after(file.read_text("ascii")).timestamp()
    except (OSError, ValueError):
        return 0.0
