"""Rejects as the table holds them: a page of them, and how many by reason and hour.

Never the person nor the original bytes: whoever asks sees why, when and where in the log.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from console.api.schemas import Sentence
from console.gateway.schemas import Reject, RejectCount
from schemas.reasons import SENTENCES, Reason
from streams.clickhouse import ClickHouse

# `since` leaves whole weeks out; a question that would still take too long is ended
_WHICH: Final = """
FROM rejects
WHERE appended_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND ({anyone:UInt8} OR producer IN {producers:Array(String)})
  AND ({reason:String} = '' OR reason = {reason:String})
"""
_PAGE: Final = f"""
SELECT toUnixTimestamp64Milli(appended_at) AS at, reason, detail, event_id, producer,
       kafka_partition, kafka_offset
{_WHICH}
  AND (appended_at, kafka_partition, kafka_offset) > (
      fromUnixTimestamp64Milli({{after_at:Int64}}, 'UTC'),
      {{after_partition:Int32}}, {{after_offset:Int64}})
ORDER BY appended_at, kafka_partition, kafka_offset LIMIT {{limit:UInt32}}
SETTINGS max_execution_time = 4
"""
_SUMMARY: Final = f"""
SELECT toUnixTimestamp(toStartOfHour(appended_at)) AS hour, reason, count()
{_WHICH}
GROUP BY hour, reason ORDER BY hour, reason
SETTINGS max_execution_time = 4
"""

Position = tuple[int, int, int]  # when it was appended (ms), partition, offset
START: Final[Position] = (0, -1, -1)


@dataclass(frozen=True)
class Which:
    """Whose rejects (None: anyone's), from when, and for which reason (None: any)."""

    producers: tuple[str, ...] | None
    since: datetime
    reason: Reason | None = None

    def parameters(self) -> dict[str, Any]:
        """For the query."""
        return {
            "since": int(self.since.timestamp() * 1000),
            "anyone": int(self.producers is None),
            "producers": list(self.producers or ()),
            "reason": self.reason.value if self.reason else "",
        }


def page(
    clickhouse: ClickHouse, which: Which, after: Position, limit: int
) -> tuple[list[Reject], Position | None]:
    """The next rejects in the order of the broker's time, and where to go on if there are more.

    Blocking. Raises Retryable.
    """
    at, partition, offset = after
    where = {"after_at": at, "after_partition": partition, "after_offset": offset}
    rows = clickhouse.rows(_PAGE, {**which.parameters(), **where, "limit": limit + 1})
    shown = rows[:limit]
    more = len(rows) > limit
    last = (int(shown[-1][0]), int(shown[-1][5]), int(shown[-1][6])) if more else None
    return [_reject(row) for row in shown], last


def summary(clickhouse: ClickHouse, which: Which) -> list[RejectCount]:
    """Counts by hour (UTC, of the broker's time) and reason. Blocking. Raises Retryable."""
    return [
        RejectCount(
            hour=datetime.fromtimestamp(int(hour), UTC), reason=Reason(reason), rejects=int(count)
        )
        for hour, reason, count in clickhouse.rows(_SUMMARY, which.parameters())
    ]


def cursor(position: Position) -> str:
    """A position as the answer's `next` and the question's `after`."""
    return "-".join(str(part) for part in position)


def position(text: str) -> Position:
    """The position behind a cursor of the right form."""
    at, partition, offset = (int(part) for part in text.split("-"))
    return at, partition, offset


def _reject(row: tuple[Any, ...]) -> Reject:
    at, reason, detail, event_id, producer, partition, offset = row
    vi, en = SENTENCES[Reason(reason)]
    return Reject(
        appended_at=datetime.fromtimestamp(int(at) / 1000, UTC),
        reason=Reason(reason),
        detail=str(detail),
        sentence=Sentence(vi=vi, en=en),
        event_id=str(event_id) if event_id is not None else None,
        producer=str(producer),
        partition=int(partition),
        offset=int(offset),
    )
