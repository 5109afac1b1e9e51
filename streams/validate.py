"""Step 2, validate: times against the broker's clock, and who may publish.

Age and skew are judged against the broker's timestamp, never the wall clock, so that a
re-read gives the same verdict.
"""

from schemas.reasons import Reason
from schemas.scan import FUTURE_SKEW_SECONDS
from streams.batch import Verdicts
from streams.directory import Directory

DAY_MS = 86_400_000


def validate(verdicts: Verdicts, directory: Directory, retention_days: int) -> None:
    """Refuse what is in the future, too old, or not its producer's to report."""
    scans = verdicts.scans
    age = verdicts.raw.appended[scans.index] - scans.scanned
    ahead = age < -FUTURE_SKEW_SECONDS * 1000
    old = (age > retention_days * DAY_MS) & (retention_days > 0)
    allowed = directory.allowed()
    producer = allowed.numbers(scans.producers)[scans.producer]
    barred = ~(ahead | old) & ~allowed.by_method(producer, scans.method)
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
