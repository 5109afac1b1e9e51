"""The report of retention: what is there, until when it may be, what was taken away."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from aiokafka import TopicPartition

from console.accounting.log import asked, consumer_of
from console.accounting.reading import TAKEN_BY_DAY
from schemas.settings import Settings
from schemas.topics import DAY_MS, TOPICS, Topic
from streams.clickhouse import ClickHouse
from streams.retention import gone_after, past_weeks
from streams.totals import SOURCES

_SEGMENT: Final = timedelta(days=1)


@dataclass(frozen=True)
class TableKept:
    """Rows of a table and their oldest and newest day; `until`: a row of today is gone by then."""

    table: str
    rows: int
    bytes: int
    oldest: date | None
    newest: date | None
    until: date | None
    overdue: int
    """Rows that should be gone; must be none."""


@dataclass(frozen=True)
class TopicKept:
    """A topic's records that are there and that its retention has taken."""

    topic: str
    records: int
    taken: int
    oldest: date | None
    until: date | None


@dataclass(frozen=True)
class Taken:
    """Records of a day that retention took from a table."""

    day: date
    outcome: str
    records: int


@dataclass(frozen=True)
class Report:
    """All of it, as of `at`."""

    at: datetime
    retention_days: int
    tables: list[TableKept]
    topics: list[TopicKept]
    taken: list[Taken]

    @property
    def overdue(self) -> int:
        """Rows that should be gone."""
        return sum(table.overdue for table in self.tables)


def report(settings: Settings, clickhouse: ClickHouse, now: datetime, days: int = 60) -> Report:
    """As things stand. Raises Retryable, UserError."""
    taken = clickhouse.rows(TAKEN_BY_DAY)
    first = now.astimezone(UTC).date() - timedelta(days=settings.retention_days + days)
    return Report(
        now,
        settings.retention_days,
        _tables(settings, clickhouse, now),
        asked(settings, lambda: _topics(settings, now)),
        [Taken(*row) for row in taken if row[2] and row[0] >= first],
    )


def _tables(settings: Settings, clickhouse: ClickHouse, now: datetime) -> list[TableKept]:
    days = settings.retention_days
    overdue: dict[str, int] = {}
    for week in past_weeks(clickhouse, days, now):
        overdue[week.table] = overdue.get(week.table, 0) + week.rows
    until = (now + gone_after(days)).astimezone(UTC).date() if days else None
    sizes: dict[Any, Any] = dict(
        clickhouse.rows(
            "SELECT table, sum(bytes_on_disk) FROM system.parts "
            "WHERE database = currentDatabase() AND active GROUP BY table"
        )
    )
    found = []
    for table, clock, _, _ in SOURCES:
        [(rows, oldest, newest)] = clickhouse.rows(
            f"SELECT count(), toDate(min({clock}), 'UTC'), toDate(max({clock}), 'UTC') FROM {table}"  # noqa: S608
        )
        first, last = (oldest, newest) if rows else (None, None)
        size, late = int(sizes.get(table, 0)), overdue.get(table, 0)
        found.append(TableKept(table, int(rows), size, first, last, until, late))
    return found


async def _topics(settings: Settings, now: datetime) -> list[TopicKept]:
    return [await _topic(settings, topic, now) for topic in TOPICS if topic.keeps_retention]


async def _topic(settings: Settings, topic: Topic, now: datetime) -> TopicKept:
    async with consumer_of(settings, topic.name) as consumer:
        partitions: list[TopicPartition] = sorted(consumer.assignment())
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        first = await consumer.offsets_for_times(dict.fromkeys(partitions, 0))
    times = [found.timestamp for found in first.values() if found is not None]
    oldest = datetime.fromtimestamp(min(times) / 1000, UTC).date() if times else None
    kept_ms = int(topic.config(settings.retention_days)["retention.ms"])
    until = None
    if kept_ms >= 0:
        until = (now + timedelta(days=kept_ms // DAY_MS) + _SEGMENT).astimezone(UTC).date()
    records = sum(ends[p] - begins[p] for p in partitions)
    return TopicKept(topic.name, records, sum(begins.values()), oldest, until)
