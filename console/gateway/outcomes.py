"""What became of a scan, as the tables say. A producer learns only about its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from console.api.schemas import Sentence
from console.gateway.schemas import ScanOutcome
from schemas.ids import person_bits
from schemas.reasons import SENTENCES, Reason
from streams.clickhouse import ClickHouse

# The first two go by the projection `by_person`, which has no producer; then the row itself,
# by the table's own order.
_WRITTEN: Final = """
SELECT place, toUnixTimestamp64Milli(scanned_at), kafka_partition, kafka_offset FROM scans
WHERE person = {person:UInt64} AND event_id = {event:UUID}
  AND scanned_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY kafka_partition, kafka_offset LIMIT 1
"""
_PRODUCER: Final = """
SELECT producer FROM scans
WHERE place = {place:UInt32} AND person = {person:UInt64}
  AND scanned_at = fromUnixTimestamp64Milli({at:Int64}, 'UTC')
  AND kafka_partition = {partition:UInt16} AND kafka_offset = {offset:UInt64} LIMIT 1
"""
_DUPLICATES: Final = """
SELECT producer, count() FROM duplicates
WHERE person = {person:UInt64} AND event_id = {event:UUID} GROUP BY producer
"""
_REJECTS: Final = """
SELECT producer, reason, detail FROM rejects
WHERE person = {person:UInt64} AND event_id = {event:UUID}
ORDER BY appended_at DESC LIMIT 20
"""

_WORDS: Final = {
    "written": ("Lượt quét đã được ghi nhận.", "The scan is recorded."),
    "duplicate": (
        "Nguồn khác đã gửi lượt quét này trước; nó được ghi nhận một lần.",
        "Another producer sent this scan first; it is recorded once.",
    ),
    "came_before": (
        "Lượt quét này đã đến trước đó; nó được ghi nhận một lần.",
        "This scan had come before; it is recorded once.",
    ),
    "pending": (
        "Đã nhận lượt quét, đang chờ ghi nhận.",
        "The scan has been taken and waits to be recorded.",
    ),
}


@dataclass(frozen=True)
class Question:
    """Which scan, and who asks: a producer about its own, or None for anyone's."""

    person: str
    event_id: str
    producer: str | None
    since: datetime


def outcome(clickhouse: ClickHouse, question: Question) -> ScanOutcome | None:
    """What the tables know; None if nothing. Blocking. Raises Retryable."""
    what = {
        "person": person_bits(question.person),
        "event": question.event_id.lower(),
        "since": int(question.since.timestamp() * 1000),
    }
    own = question.producer
    duplicates = {str(p): int(n) for p, n in clickhouse.rows(_DUPLICATES, what)}
    rejects = [row for row in clickhouse.rows(_REJECTS, what) if own in (None, row[0])]
    reason, detail = (Reason(rejects[0][1]), str(rejects[0][2])) if rejects else (None, None)
    again = sum(duplicates.values()) if own is None else duplicates.get(own, 0)
    first = _first_producer(clickhouse, what)
    if first is not None and own in (None, first):
        return _told("written", again, reason, detail)
    if again:
        # whose the first was is not known once its row is older than the retention, or erased
        words = "duplicate" if first is not None else "came_before"
        return _told("duplicate", again, reason, detail, words)
    if reason is not None:
        vi, en = SENTENCES[reason]
        return ScanOutcome(
            state="rejected", reason=reason, detail=detail, sentence=Sentence(vi=vi, en=en)
        )
    return None


def pending() -> ScanOutcome:
    """The broker has it; the tables do not say yet."""
    return _told("pending", 0, None, None)


def _first_producer(clickhouse: ClickHouse, what: dict[str, Any]) -> str | None:
    found = clickhouse.rows(_WRITTEN, what)
    if not found:
        return None
    place, at, partition, offset = found[0]
    where = {"place": place, "at": at, "partition": partition, "offset": offset}
    rows = clickhouse.rows(_PRODUCER, {**what, **where})
    return str(rows[0][0]) if rows else None


def _told(
    state: Any, again: int, reason: Reason | None, detail: str | None, words: str | None = None
) -> ScanOutcome:
    vi, en = _WORDS[words or state]
    return ScanOutcome(
        state=state, duplicates=again, reason=reason, detail=detail, sentence=Sentence(vi=vi, en=en)
    )
