"""The city's scans into `scans` as workers write them, and into Parquet for the others.

Numpy to Arrow, in the order of time. Closed weeks go in in large pieces and are merged to one part
by the maintenance job's statement. The current week is left as ingest leaves it: its last rows
come in pieces of one Kafka partition, as small as a worker's at 20,000 scans a second, and the
engine merges what it will.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.trace_city import DAYS, I64, Scans, TraceCity
from streams.clickhouse import ClickHouse
from streams.maintenance import Week, weeks_of

Say = Callable[[str], None]
PIECE: Final = 1_000_000
SMALL: Final = 2_500  # eight partitions a second at 20,000
SMALL_ROWS: Final = 400_000
PARTITIONS: Final = 8
_ELSEWHERE: Final = 1_000  # no partition of the topic: the log has nothing to do with these rows
_THREADS: Final = 2
_SETTINGS: Final[dict[str, Any]] = {
    "async_insert": 0,
    "max_execution_time": 600,
    "min_insert_block_size_rows": PIECE,
    "min_insert_block_size_bytes": 0,
    "max_insert_threads": 1,
}
_MOMENT: Final = pa.timestamp("ms", "UTC")
_MERGE: Final[dict[str, Any]] = {"max_execution_time": 1800, "optimize_throw_if_noop": 0}
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_MONDAY_MS: Final = 4 * 86_400_000  # 1970-01-05, UTC
_WEEK_MS: Final = 7 * 86_400_000


def fill_scans(clickhouse: ClickHouse, city: TraceCity, files: Path | None, say: Say) -> int:
    """All days into `scans`, and one file a day into `files`; how many rows. Raises Retryable."""
    filler = _Filler(clickhouse, city)
    for number in range(DAYS):
        scans = city.day(number)
        if files is not None:
            filler.write(scans, files / f"day-{number:02}.parquet")
        filler.insert(scans, last=number == DAYS - 1)
        say(f"  {filler.rows:,} scans, day {number + 1} of {DAYS}")
    filler.finish()
    return filler.rows


def merge_weeks(clickhouse: ClickHouse, *, current: bool) -> None:
    """Merge each week to one part; the newest only if `current`. Raises Retryable."""
    weeks = weeks_of(clickhouse)
    for week in weeks if current else weeks[:-1]:
        if week.parts > 1:
            clickhouse.command(
                f"OPTIMIZE TABLE scans PARTITION ID '{week.partition_id}' FINAL", _MERGE
            )


def current_week(clickhouse: ClickHouse) -> Week:
    """The newest week that has rows."""
    return weeks_of(clickhouse)[-1]


class _Filler:
    """Two inserts at a time, while the next rows are made."""

    def __init__(self, clickhouse: ClickHouse, city: TraceCity) -> None:
        self._clickhouse, self._city = clickhouse, city
        self._pool = ThreadPoolExecutor(_THREADS, "fill")
        self._waiting: list[Future[None]] = []
        self._tables = ScanTables(city)
        self.rows = 0

    def write(self, scans: Scans, file: Path) -> None:
        table = pa.table(
            {
                "person": self._city.persons(scans.who),
                "place": scans.place,
                "ms": scans.at,
                "out": scans.out.astype(np.int8),
            }
        )
        self._submit(pq.write_table, table, file, compression="lz4")

    def insert(self, scans: Scans, *, last: bool) -> None:
        small = min(SMALL_ROWS, len(scans) // 4) if last else 0
        bounds = list(range(0, len(scans) - small, PIECE))
        for begin in bounds:
            self._piece(scans.part(begin, min(begin + PIECE, len(scans) - small)))
        if last:
            self._finish_inserts()
            for begin in range(len(scans) - small, len(scans), SMALL * PARTITIONS):
                self._second(scans.part(begin, begin + SMALL * PARTITIONS))

    def finish(self) -> None:
        self._finish_inserts()
        self._pool.shutdown()

    def _piece(self, scans: Scans) -> None:
        week = (scans.at - _MONDAY_MS) // _WEEK_MS
        for cut in np.split(np.arange(len(scans)), np.flatnonzero(np.diff(week)) + 1):
            if len(cut):
                self._insert(scans.part(int(cut[0]), int(cut[-1]) + 1))

    def _second(self, scans: Scans) -> None:
        """What eight partitions write in a second, each in an insert of its own."""
        for one in by_partition(scans):
            if len(one):
                self._insert(one)

    def _insert(self, scans: Scans) -> None:
        rows = self._tables.of(scans)
        self.rows += len(scans)
        self._submit(self._clickhouse.insert, "scans", rows, _SETTINGS)

    def _submit(self, call: Callable[..., None], *args: Any, **options: Any) -> None:
        while len(self._waiting) >= 2 * _THREADS:
            self._waiting.pop(0).result()
        self._waiting.append(self._pool.submit(call, *args, **options))

    def _finish_inserts(self) -> None:
        while self._waiting:
            self._waiting.pop(0).result()


def by_partition(scans: Scans) -> Iterator[Scans]:
    """The scans of each of eight partitions, which are those of its people."""
    for partition in range(PARTITIONS):
        yield scans.rows(np.flatnonzero(scans.who % PARTITIONS == partition))


class ScanTables:
    """Scans as rows of `scans`: what workers write, all its columns."""

    def __init__(self, city: TraceCity) -> None:
        self._city = city
        self._rng = np.random.default_rng([city.seed, city.people, DAYS])
        self._offsets = np.zeros(PARTITIONS, np.int64)

    def of(self, scans: Scans) -> pa.Table:
        """The next rows of their partitions: offsets follow those that were asked for before."""
        n, rng = len(scans), self._rng
        person = self._city.persons(scans.who)
        partition = scans.who % PARTITIONS
        producer = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array(["sim"]))
        nothing = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array([""]))
        return pa.table(
            {
                "event_id": _event_ids(scans.at, rng),
                "person": person,
                "place": scans.place.astype(np.uint32),
                "scanned_at": pa.array(scans.at, _MOMENT),
                "direction": np.where(scans.out, 2, 1).astype(np.int8),
                "method": np.ones(n, np.int8),
                "producer": producer,
                "device": _devices(person),
                "code_version": np.ones(n, np.uint16),
                "companions": np.zeros(n, np.uint8),
                "trip": nothing,
                "seat": nothing,
                "recorded_at": pa.nulls(n, _MOMENT),
                "appended_at": pa.array(scans.at + rng.integers(50, 3_000, n), _MOMENT),
                "written_at": pa.array(scans.at + 4_000, _MOMENT),
                "content_hash": rng.integers(0, 2**64, n, np.uint64),
                "kafka_partition": (partition + _ELSEWHERE).astype(np.uint16),
                "kafka_offset": self._next_offsets(partition).astype(np.uint64),
            }
        )

    def _next_offsets(self, partition: Any) -> I64:
        found = np.empty(len(partition), np.int64)
        for number in range(PARTITIONS):
            rows = np.flatnonzero(partition == number)
            found[rows] = self._offsets[number] + np.arange(len(rows))
            self._offsets[number] += len(rows)
        return found


def _event_ids(at: I64, rng: np.random.Generator) -> pa.Array:
    """UUIDs of version 7."""
    n = len(at)
    high = (at.astype(np.uint64) << np.uint64(16)) | rng.integers(0x7000, 0x8000, n, np.uint64)
    low = rng.integers(2**63, 2**63 + 2**62, n, np.uint64)
    both = np.stack([high, low], axis=1).astype(">u8")
    return pa.Array.from_buffers(pa.binary(16), n, [None, pa.py_buffer(both.tobytes())])


def _devices(person: Any) -> pa.Array:
    """`p-` and eight hexadecimal digits: one device a person."""
    digits = person.astype(np.uint32)[:, None] >> np.arange(28, -4, -4, dtype=np.uint32)
    letters = np.empty((len(person), 10), np.uint8)
    letters[:, :2] = np.frombuffer(b"p-", np.uint8)
    letters[:, 2:] = _HEX[digits & np.uint32(15)]
    ends = pa.py_buffer(np.arange(0, 10 * len(person) + 1, 10, dtype=np.int32).tobytes())
    return pa.StringArray.from_buffers(len(person), ends, pa.py_buffer(letters.tobytes()))


def files_of(directory: Path) -> Iterator[Path]:
    """The days' files, in order."""
    yield from sorted(directory.glob("day-*.parquet"))
