"""Back to work on a new, empty Kafka, while ClickHouse and the relational database live.

Rows say at which offset their record was, and a new log begins at 0: so it is first moved on to
behind the last row (docs/adr/0017). What producers sent too early lies at offsets of old rows: it
is sent again behind them. Then the compacted topics are made from the relational database, and
every open case is traced again. Stopped anywhere, the same command does it again: what is done
twice is recognised.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from console.accounting.log import asked, consumer_of
from console.accounting.reading import accounted, engine_away, read_counts
from console.backup.topics import (
    bounds,
    bring_to,
    delete_before,
    fill_to,
    go_on_from,
    producing,
)
from console.broker import KafkaPublisher, Record
from console.store.engine import Store, utc_now
from console.store.locks import exclusive
from console.store.outbox import Entry
from console.store.records import all_cases, everything
from schemas.cases import OPEN_STATUSES, Case, TraceAgain
from schemas.errors import Fatal, Retryable, UserError
from schemas.settings import Settings
from schemas.topics import SCANS, TRACES
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES
from streams.migrate import migrate
from streams.present import end_attempts
from streams.samelog import strange_partitions

Told = Callable[[str, int, int], None]  # what is being done, how far it is, of how much
_LOCK_S: Final = 5.0
_AT_ONCE: Final = 5_000
_POLL_MS: Final = 500
_ATTEMPTS: Final = f"truyvet/{SCANS.name}/"
_LAST_OFFSETS: Final = " UNION ALL ".join(
    f"SELECT kafka_partition, max(kafka_offset) FROM {table} GROUP BY kafka_partition"  # noqa: S608 (our own names)
    for table in OUTCOMES
)
_LAST_REQUEST: Final = (
    "SELECT max(toUInt64OrZero(substring(cause, 6)) + 1) FROM trace_runs "
    "WHERE startsWith(cause, 'scan/')"
)


@dataclass
class Renewed:
    """What was done. `ends`: where the new logs begin, by partition."""

    ends: dict[int, int] = field(default_factory=dict)
    moved: int = 0
    early: int = 0
    """Records that came before the log was moved on, and were sent again."""
    records: dict[str, int] = field(default_factory=dict)
    """Published on each compacted topic."""
    cases: int = 0
    """Open cases that are traced again."""
    elsewhere: list[str] = field(default_factory=list)
    """Cases that only their own system can publish again."""
    missing: int = 0
    """Scans before the new begin that are in no table: Kafka had acknowledged them."""


class Renewal:
    """One renewal."""

    def __init__(self, settings: Settings, store: Store, told: Told) -> None:
        self._settings, self._store, self._told = settings, store, told
        self._clickhouse = ClickHouse(settings, timeout_s=600)
        self._renewed = Renewed()

    def run(self) -> Renewed:
        """All of it. Raises UserError where it must not be, or something does not answer."""
        migrate(self._settings)
        try:
            with self._alone():
                self._check()
                self._renewed.ends = ends = self._ends()
                self._logs(ends)
                self._topics()
                self._cases()
                # the last step: from here on the log is the tables' own, and workers may start
                asked(self._settings, lambda: delete_before(self._settings, SCANS.name, ends))
        except (KafkaError, OSError) as error:
            raise UserError(
                "Dừng giữa chừng: chạy lại đúng lệnh này. / Stopped in the middle "
                f"({error!r}): the same command does it again."
            ) from error
        except (Retryable, Fatal) as error:
            raise engine_away(self._settings, error) from error
        finally:
            self._clickhouse.close()
        self._renewed.missing = read_counts(self._settings).missing
        return self._renewed

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            with exclusive(self._store.engine, "relay", _LOCK_S):
                yield
        except TimeoutError:
            raise UserError(
                "Hãy dừng bảng điều khiển trước: nó đang phát hành thay đổi. / Stop the consoles "
                "first: one of them is publishing changes."
            ) from None

    def _check(self) -> None:
        if not asked(self._settings, lambda: strange_partitions(self._settings, self._clickhouse)):
            raise UserError(
                f"Nhật ký {SCANS.name} đúng là nhật ký của các bảng: không có gì phải làm. / "
                f"{SCANS.name} is the log that the tables' rows are of: there is nothing to renew."
            )

    def _ends(self) -> dict[int, int]:
        """Of each log that still has its beginning: behind the last row, and behind as many
        records as there ever were."""
        end_attempts(self._clickhouse, _ATTEMPTS)  # of workers that died: nothing may come after
        ends = accounted(self._clickhouse)
        for partition, last in self._clickhouse.rows(_LAST_OFFSETS):
            ends[int(partition)] = max(ends.get(int(partition), 0), int(last) + 1)
        there = asked(self._settings, lambda: bounds(self._settings, SCANS.name))
        return {p: end for p, end in ends.items() if there.get(p, (0, 0))[0] == 0}

    def _logs(self, ends: dict[int, int]) -> None:
        settings, total = self._settings, sum(ends.values())

        def told(done: int) -> None:
            self._told("logs", done, total)

        # first of all the place of the workers: it says whether any of them runs
        places = {TopicPartition(SCANS.name, p): end for p, end in ends.items()}
        asked(settings, lambda: go_on_from(settings, places))
        moved = asked(settings, lambda: fill_to(settings, SCANS.name, ends, told))
        self._renewed.moved = sum(moved.values())
        self._renewed.early = asked(settings, lambda: _sent_again(settings, ends))
        requests = {0: int(self._clickhouse.rows(_LAST_REQUEST)[0][0])}
        asked(settings, lambda: bring_to(settings, TRACES.name, requests, lambda _: None))

    def _topics(self) -> None:
        asked(self._settings, lambda: self._publish(everything(self._store, utc_now())))

    def _cases(self) -> None:
        """Requests to trace again that died with the old log: one for each open case."""
        cases = all_cases(self._store)
        still_open = [case for case in cases if case.status in OPEN_STATUSES]
        asked(self._settings, lambda: self._publish(map(_again, still_open)))
        self._renewed.records.pop(TRACES.name, None)
        self._renewed.cases = len(still_open)
        known = {case.id for case in cases}
        runs = self._clickhouse.rows("SELECT DISTINCT case_id FROM trace_runs ORDER BY case_id")
        self._renewed.elsewhere = [case for (case,) in runs if case not in known]

    async def _publish(self, entries: Iterable[Entry]) -> None:
        publisher = KafkaPublisher(self._settings)
        counted = self._renewed.records
        some: list[Record] = []
        try:
            for entry in entries:
                headers = tuple((name, text.encode()) for name, text in entry.headers.items())
                some.append(Record(entry.topic, entry.key.encode(), entry.value, headers))
                counted[entry.topic] = counted.get(entry.topic, 0) + 1
                if len(some) == _AT_ONCE:
                    await publisher.send(some)
                    self._told("topics", sum(counted.values()), 0)
                    some = []
            if some:
                await publisher.send(some)
        finally:
            await publisher.close()


async def _sent_again(settings: Settings, ends: dict[int, int]) -> int:
    """Records before these ends that nobody here made, behind them; how many.

    They keep their partition, key, value and headers; their time is the broker's of now.
    """
    again = 0
    async with consumer_of(settings, SCANS.name) as consumer, producing(settings) as producer:
        partitions = [TopicPartition(SCANS.name, p) for p in sorted(ends)]
        begins = await consumer.beginning_offsets(partitions)
        consumer.pause(*(tp for tp in consumer.assignment() if tp.partition not in ends))
        for tp in partitions:
            consumer.seek(tp, begins[tp])
        while any([await consumer.position(tp) < ends[tp.partition] for tp in partitions]):
            batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_AT_ONCE)
            acks = [
                await producer.send(
                    SCANS.name, record.value, record.key, tp.partition, headers=record.headers
                )
                for tp, records in batches.items()
                for record in records
                if record.offset < ends[tp.partition] and not _empty(record)
            ]
            await asyncio.gather(*acks)
            again += len(acks)
    return again


def _empty(record: Any) -> bool:
    """What only moves the log on."""
    return record.key is None and not record.value


def _again(case: Case) -> Entry:
    request = TraceAgain(case=case.id, adds=True, appended_at=utc_now())
    return Entry(TRACES.name, case.id, request.model_dump_json().encode())
