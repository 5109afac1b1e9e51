"""Where the log and the workers' group stand, and whether the tables hold exactly the log."""

from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from schemas.kafka import librdkafka
from schemas.settings import Settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES

_TIMEOUT_S = 20


class Log:
    """Offsets of `scans.v1`. Never joins the group."""

    def __init__(self, settings: Settings) -> None:
        self._partitions = range(settings.scan_partitions)
        self._consumer: Any = Consumer({**librdkafka(settings), "group.id": settings.worker_group})

    def ranges(self) -> dict[int, tuple[int, int]]:
        """First offset and end of each partition."""
        return {
            p: self._consumer.get_watermark_offsets(
                TopicPartition(SCANS.name, p), timeout=_TIMEOUT_S
            )
            for p in self._partitions
        }

    def end(self) -> int:
        """The sum of the ends."""
        return sum(high for _, high in self.ranges().values())

    def end_of(self, topic: str) -> int:
        """Where another topic ends, which has one partition."""
        _, high = self._consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=_TIMEOUT_S)
        return int(high)

    def backlog(self) -> int:
        """Records past the committed offsets."""
        ranges = self.ranges()
        asked = [TopicPartition(SCANS.name, p) for p in self._partitions]
        committed = self._consumer.committed(asked, timeout=_TIMEOUT_S)
        return sum(
            ranges[tp.partition][1] - max(tp.offset, ranges[tp.partition][0]) for tp in committed
        )

    def close(self) -> None:
        """Let the connection go."""
        self._consumer.close()


@dataclass(frozen=True)
class Accounted:
    """What the tables hold of the log's offsets. `exact`: each of them once, and nothing else."""

    log: int
    rows: int
    missing: int
    twice: int
    beyond: int
    by_table: dict[str, int]

    @property
    def exact(self) -> bool:
        """Nothing missing, nothing twice, nothing that is not in the log."""
        return self.rows == self.log and not (self.missing or self.twice or self.beyond)


def account(clickhouse: ClickHouse, ranges: dict[int, tuple[int, int]]) -> Accounted:
    """Compare the outcome tables with the log, by partition; rows before the log are left out.

    The log must hold no transaction markers: every offset of it is a record.
    """
    rows = missing = twice = beyond = 0
    for partition, (low, high) in ranges.items():
        union = " UNION ALL ".join(
            f"SELECT kafka_offset FROM {table} WHERE kafka_partition = {partition} "  # noqa: S608
            f"AND kafka_offset >= {low}"
            for table in OUTCOMES
        )
        [(count, different, outside)] = clickhouse.rows(
            "SELECT count(), uniqExact(kafka_offset), "  # noqa: S608 (our own numbers)
            f"uniqExactIf(kafka_offset, kafka_offset >= {high}) FROM ({union})"
        )
        rows += count
        twice += count - different
        beyond += outside
        missing += high - low - (different - outside)
    return Accounted(
        log=sum(high - low for low, high in ranges.values()),
        rows=rows,
        missing=missing,
        twice=twice,
        beyond=beyond,
        by_table={t: clickhouse.rows(f"SELECT count() FROM {t}")[0][0] for t in OUTCOMES},  # noqa: S608
    )
