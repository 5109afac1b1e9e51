"""Step 5, write: each record's row once, whatever dies in between (DESIGN §5).

The usual case is a plain insert and a reading back of the range. Anything ambiguous, an error
or a range that does not read as expected, is settled: end the attempt, read which offsets are
present, insert exactly the absent ones under a fresh token, and again until equal.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import structlog

from schemas import metrics as m
from schemas.clock import now_ms
from schemas.errors import Fatal, Retryable
from schemas.meters import Metrics
from streams.clickhouse import ClickHouse
from streams.columns import U64
from streams.convert import OUTCOMES, Rows, expire, offsets, without
from streams.gathered import whole
from streams.present import (
    Fingerprints,
    Present,
    attempt_mark,
    end_attempts,
    fingerprint,
    present_fingerprints,
    present_offsets,
    present_rows,
)
from streams.standing import Standing, standing

log = structlog.get_logger()

# A week is a partition; an insert may touch a hundred (max_partitions_per_insert_block).
_WEEKS_PER_INSERT: Final = 50
_WEEK_MS: Final = 7 * 86_400_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0

# Until when this worker may write to the partition (monotonic seconds); waits while it cannot be
# sure, and raises NotOurs when the partition is lost.
Permit = Callable[[], float]


class NotOurs(Exception):
    """The partition is, or may be, another worker's by now: drop the batch, acknowledge nothing."""


@dataclass(frozen=True)
class Written:
    """What became of a batch: its rows by table, less those present before, and when the last
    insert was acknowledged and the first begun (Unix ms)."""

    rows: Rows
    acknowledged_ms: int
    began_ms: int


@dataclass(frozen=True)
class Batch:
    """Rows of one partition; offsets that the tables had when it was taken over; its permit; and
    since when it is to be written (Unix ms)."""

    rows: Rows
    present: U64
    permit: Permit
    since_ms: int = field(default_factory=now_ms)


class Writer:
    """Writes batches of one topic's partitions. Thread-safe; blocking."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        metrics: Metrics,
        *,
        topic: str,
        run: str,
        retention_days: int,
        insert_timeout_s: int,
        same_log: Callable[[int], None] | None = None,
    ) -> None:
        self._clickhouse = clickhouse
        self._metrics = metrics
        self._topic = topic
        self._run = run
        self._retention_days = retention_days
        self._timeout_s = insert_timeout_s
        self._same_log = same_log
        self._away: set[int] = set()  # partitions that wait for ClickHouse
        self._saying = threading.Lock()

    def take_over(self, partition: int, first: int, permit: Permit) -> Present:
        """End whoever wrote here before; the offsets from `first` on that are already present.

        Raises NotOurs when the partition was lost, Fatal when the rows are of another log.
        """
        mark = attempt_mark(self._topic, partition)
        for pause in _pauses():
            self._ours(permit, partition)
            try:
                end_attempts(self._clickhouse, mark)
                present = present_rows(self._clickhouse, partition, first)
                self.answers(partition)
                if len(present) and self._same_log is not None:
                    self._same_log(partition)
                return present
            except Retryable as error:
                self._failed(error, partition)
                time.sleep(pause)
        raise AssertionError("unreachable")

    def away(self, *partitions: int) -> None:
        """Say that ClickHouse does not do what these wait for."""
        with self._saying:
            self._away.update(partitions)
            self._metrics.gauge(m.ENGINE_AWAY).set(1)

    def answers(self, partition: int) -> None:
        """Say that it did, or that nobody here waits for it any more."""
        with self._saying:
            self._away.discard(partition)
            self._metrics.gauge(m.ENGINE_AWAY).set(int(bool(self._away)))

    def _ours(self, permit: Permit, partition: int) -> None:
        """Raises NotOurs; then nobody here waits."""
        try:
            permit()
        except NotOurs:
            self.answers(partition)
            raise

    def standing(self, partition: int, present: Present, first: int, last: int) -> Standing:
        """What the tables say of those present from `first` to `last`. Raises Retryable."""
        return standing(self._clickhouse, partition, present, first, last)

    def write(self, rows: Rows, present: U64, permit: Permit) -> Written:
        """Every row of `rows` whose offset is not in `present`, once.

        Returns when all of them read back. Raises NotOurs when the partition was lost, Fatal
        when the tables are not what they should be.
        """
        batch = Batch(rows, present, permit)
        [written] = self.attempt([batch])
        return written or self.settle(batch)

    def attempt(self, batches: Sequence[Batch]) -> list[Written | None]:
        """The usual case: the batches, of different partitions, in one insert that reads back.

        None for one of which that is not sure, or that is not ours any more: it is to be settled.
        """
        with self._metrics.cpu(m.STEP_CPU, "insert"):
            return self._attempt(batches)

    def _attempt(self, batches: Sequence[Batch]) -> list[Written | None]:
        todo = [_absent(batch) for batch in batches]
        try:
            inserted = self._insert(todo, lambda: min(batch.permit() for batch in batches))
        except NotOurs:  # one of them: each finds out for itself
            return [None] * len(batches)
        there = self._there([batch.rows for batch in batches]) if inserted else {}
        sure = [
            there.get(batch.rows.partition) == fingerprint(offsets(batch.rows)) for batch in batches
        ]
        if not all(sure):
            self._metrics.counter(m.INSERT_RETRIES).inc()
        return [
            self._written(batch) if there else None
            for batch, there in zip(batches, sure, strict=True)
        ]

    def settle(self, batch: Batch) -> Written:
        """A batch whose attempt has not surely written it. Returns and raises as `write`."""
        self._settle(batch.rows, offsets(batch.rows), batch.permit)
        return self._written(batch)

    def _written(self, batch: Batch) -> Written:
        self.answers(batch.rows.partition)
        acknowledged_ms = now_ms()
        rows = expire(_absent(batch), acknowledged_ms, self._retention_days)
        return Written(rows, acknowledged_ms, batch.since_ms)

    def _settle(self, rows: Rows, wanted: U64, permit: Permit) -> None:
        mine = self._comment([rows])
        for pause in _pauses():
            self._ours(permit, rows.partition)
            try:
                end_attempts(self._clickhouse, mine)
                there = present_offsets(self._clickhouse, rows.partition, rows.first, rows.last)
                if np.array_equal(there, wanted):
                    log.info("batch_settled", **_about(rows))
                    return
                if len(np.unique(there)) != len(there):
                    raise Fatal(
                        f"partition {rows.partition}: an offset from {rows.first} to {rows.last} "
                        "is in the tables twice; writing on would hide it"
                    )
                if not self._insert([without(rows, there)], permit):
                    time.sleep(pause)
            except Retryable as error:
                self._failed(error, rows.partition)
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _there(self, several: Sequence[Rows]) -> Fingerprints:
        """What the tables have of the offsets of these; nothing if they cannot say."""
        spans = [(rows.partition, rows.first, rows.last) for rows in several]
        try:
            return present_fingerprints(self._clickhouse, spans)
        except Retryable as error:
            self._failed(error, *(rows.partition for rows in several))
            return {}

    def _insert(self, several: Sequence[Rows], permit: Permit) -> bool:
        """One attempt; whether each insert was answered well."""
        moment_ms = now_ms()
        final = [expire(rows, moment_ms, self._retention_days).tables for rows in several]
        comment = self._comment(several)
        try:
            for name in OUTCOMES:
                if some := [t[name] for t in final if name in t and t[name].num_rows]:
                    for piece in _pieces(name, whole(some)):
                        self._insert_piece(name, piece, comment, permit)
        except Retryable as error:
            self._failed(error, *(rows.partition for rows in several))
            return False
        return True

    def _insert_piece(self, name: str, piece: pa.Table, comment: str, permit: Permit) -> None:
        until = permit()
        deadline = until - 1.0
        limit_s = min(self._timeout_s, until - time.monotonic())
        if name == "scans":
            stamp = pa.array(np.full(piece.num_rows, now_ms()), pa.timestamp("ms", "UTC"))
            piece = piece.append_column("written_at", stamp)
        settings: dict[str, Any] = {
            "async_insert": 0,
            "insert_deduplicate": 1,
            "insert_deduplication_token": str(uuid.uuid4()),
            "max_execution_time": max(1, int(limit_s)),
            "max_insert_block_size": 2_000_000,
            "min_insert_block_size_rows": 0,
            "min_insert_block_size_bytes": 0,
            "input_format_arrow_allow_missing_columns": 1,
            "log_comment": comment,
        }
        with self._metrics.histogram(m.INSERT_SECONDS, name).time():
            self._clickhouse.insert(name, piece, settings, deadline)

    def _comment(self, several: Sequence[Rows]) -> str:
        """By which whoever takes one of the partitions over finds and ends the attempt."""
        return "".join(
            f"{attempt_mark(self._topic, rows.partition)}{self._run}/{rows.first}-{rows.last}/"
            for rows in several
        )

    def _failed(self, error: Retryable, *partitions: int) -> None:
        self.away(*partitions)
        for partition in partitions:
            log.warning("clickhouse_away", partition=partition, detail=str(error))


def _absent(batch: Batch) -> Rows:
    return without(batch.rows, batch.present) if len(batch.present) else batch.rows


def _pieces(name: str, table: pa.Table) -> Iterator[pa.Table]:
    """The table, cut where one insert would touch too many weeks."""
    if table.num_rows == 0:
        return
    if name != "scans":
        yield table
        return
    weeks = table.column("scanned_at").cast(pa.int64()).to_numpy() // _WEEK_MS
    different = np.unique(weeks)
    for begin in range(0, len(different), _WEEKS_PER_INSERT):
        some = different[begin : begin + _WEEKS_PER_INSERT]
        if len(some) == len(different):
            yield table
        else:
            yield table.filter(pa.array(np.isin(weeks, some)))


def _pauses() -> Iterator[float]:
    """Seconds to wait before trying again: doubling, without end."""
    pause = _FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _about(rows: Rows) -> dict[str, int]:
    return {"partition": rows.partition, "first": rows.first, "last": rows.last}
