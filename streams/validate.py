"""Step 2, validate: times against the broker's clock, and who may publish.

Age and skew are judged against the broker's timestamp, never the wall clock, so that a
re-read gives the same verdict.
"""

import numpy as np

from schemas.reasons import Reason
from schemas.scan import FUTURE_SKEW_SECONDS, Method
from streams.batch import Scans, Verdicts
from streams.columns import Mask
from streams.directory import Directory

DAY_MS = 86_400_000
_METHOD_NUMBERS = {method: number for number, method in enumerate(Method, start=1)}


def validate(verdicts: Verdicts, directory: Directory, retention_days: int) -> None:
    """Refuse what is in the future, too old, or not its producer's to report."""
    scans = verdicts.scans
    age = verdicts.raw.appended[scans.index] - scans.scanned
    ahead = age < -FUTURE_SKEW_SECONDS * 1000
    old = (age > retention_days * DAY_MS) & (retention_days > 0)
    barred = ~(ahead | old) & ~_allowed(scans, directory)
    for rows, reason, detail in (
        (
            ahead,
            Reason.IN_FUTURE,
            f"scanned_at is more than {FUTURE_SKEW_SECONDS} s after the broker's time",
        ),
        (
            old,
            Reason.TOO_OLD,
            f"scanned_at is more than {retention_days} days before the broker's time",
        ),
        (
            barred,
            Reason.PRODUCER_NOT_ALLOWED,
            "the producer is not registered, not active, or may not use this method",
        ),
    ):
        verdicts.note(rows, reason, detail)
    verdicts.scans = scans.keep(~(ahead | old | barred))


def _allowed(scans: Scans, directory: Directory) -> Mask:
    """Which scans come from a registered, active producer by a method it may use."""
    allowed = np.zeros((len(scans.producers), len(Method) + 1), dtype=bool)
    for number, name in enumerate(scans.producers):
        producer = directory.producer(name)
        if producer is not None and producer.active:
            methods = producer.methods if producer.methods is not None else Method
            allowed[number, [_METHOD_NUMBERS[method] for method in methods]] = True
    result: Mask = allowed[scans.producer, scans.method]
    return result
