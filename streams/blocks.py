"""A partition's fetched records as columns, without an object for each.

aiokafka's own way makes a `ConsumerRecord` of every record, which costs more than reading it.
Here a block is what the record batches of one fetch hold: offsets, timestamps, keys and values,
side by side. Record batches are taken whole: the broker's compression is undone for all of one
at once anyway.

Reads aiokafka's private fetch results (0.12 to 0.14) and follows `Fetcher.fetched_records` and
`PartitionRecords._unpack_records` step by step: aborted transactions, control batches, holes that
compaction left, and a position in the middle of a batch.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException

I64 = npt.NDArray[np.int64]
_LOG_APPEND_TIME: Final = 1
_NONE: Final = np.zeros(0, dtype=np.int64)
_HEADERS: Final = attrgetter("headers")
_MOST_MARKS: Final = 32  # of one block
_MOST_LOOKS: Final = 1_000  # into the headers of one record batch


# What the headers of a record say of it that is to be known beside its key and value, if anything.
Reading = Callable[[list[tuple[str, bytes | None]]], str | None]


class Mark(NamedTuple):
    """A record whose headers say something: its offset, timestamp (ms since 1970 UTC), and what."""

    offset: int
    timestamp: int
    context: str


class Record(NamedTuple):
    """One record of a block; `timestamp` in ms since 1970 UTC, `context` of its mark."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    context: str | None = None


class Block:
    """Consecutive records of one partition, in offset order; `marks`, if they were asked for.

    One without records says that the log went on with what is never delivered: markers of
    transactions and aborted records.
    """

    __slots__ = (
        "_offsets",
        "_timestamps",
        "behind",
        "keys",
        "marks",
        "next_offset",
        "partition",
        "topic",
        "values",
    )

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.next_offset = 0  # where the log goes on behind it, markers passed
        self.behind = 0  # offsets between the last record and the log's end, when it was fetched
        self._offsets: list[I64] = []
        self._timestamps: list[I64] = []
        self.keys: list[bytes | None] = []
        self.values: list[bytes | None] = []
        self.marks: list[Mark] = []

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Record]:
        columns = zip(
            self.offsets.tolist(), self.timestamps.tolist(), self.keys, self.values, strict=True
        )
        contexts = {mark.offset: mark.context for mark in self.marks}
        for offset, timestamp, key, value in columns:
            context = contexts.get(offset)
            yield Record(self.topic, self.partition, offset, timestamp, key, value, context)

    @property
    def offsets(self) -> I64:
        """Of each record, rising."""
        return np.concatenate(self._offsets or [_NONE])

    @property
    def timestamps(self) -> I64:
        """Of each record, ms since 1970 UTC."""
        return np.concatenate(self._timestamps or [_NONE])

    @property
    def first(self) -> int:
        """The first record's offset."""
        return int(self._offsets[0][0])

    @property
    def last(self) -> int:
        """The last record's offset."""
        return int(self._offsets[-1][-1])

    @property
    def first_timestamp(self) -> int:
        """The first record's timestamp, ms since 1970 UTC."""
        return int(self._timestamps[0][0])

    @property
    def last_timestamp(self) -> int:
        """The last record's timestamp, ms since 1970 UTC."""
        return int(self._timestamps[-1][-1])

    def before(self, end: int) -> "Block":
        """The records before this offset; itself if that is all of them."""
        if self.next_offset <= end:
            return self
        offsets = self.offsets
        count = int(np.searchsorted(offsets, end))
        block = Block(self.topic, self.partition)
        block.next_offset, block.behind = end, self.behind + len(offsets) - count
        block._offsets, block._timestamps = [offsets[:count]], [self.timestamps[:count]]
        block.keys, block.values = self.keys[:count], self.values[:count]
        return block

    def add(self, batch: Any, first: int, reading: Reading | None = None) -> None:
        """The records of one of aiokafka's record batches, from the offset `first` on.

        With `reading` the first records that have headers are asked for marks: 15 ns for each
        record that has none.
        """
        records = list(batch)
        if records and records[0].offset < first:  # fetched from the middle of a batch
            records = [r for r in records if r.offset >= first]
        if not records:
            return
        n, begin = len(records), records[0].offset
        if records[-1].offset - begin + 1 == n:
            offsets = np.arange(begin, begin + n, dtype=np.int64)
        else:
            offsets = np.fromiter((r.offset for r in records), np.int64, n)
        if batch.timestamp_type == _LOG_APPEND_TIME:  # one for the whole batch
            timestamps = np.full(n, records[0].timestamp, dtype=np.int64)
        else:
            timestamps = np.fromiter((r.timestamp for r in records), np.int64, n)
        self.next_offset = int(offsets[-1]) + 1
        self._offsets.append(offsets)
        self._timestamps.append(timestamps)
        self.keys.extend([r.key for r in records])
        self.values.extend([r.value for r in records])
        if reading is not None:
            self._mark(records, reading)

    def _mark(self, records: list[Any], reading: Reading) -> None:
        for record in islice(filter(_HEADERS, records), _MOST_LOOKS):
            if len(self.marks) == _MOST_MARKS:
                return
            if (context := reading(record.headers)) is not None:
                self.marks.append(Mark(record.offset, record.timestamp, context))


async def fetched_blocks(
    fetcher: Any,
    partitions: Collection[Any],
    timeout: float,
    max_records: int | None,
    reading: Reading | None = None,
) -> dict[Any, Block]:
    """What aiokafka's fetcher holds for these partitions, as blocks; waits up to `timeout` s.

    Stops adding record batches once there are `max_records`. `reading`: see `Block.add`. Raises
    what the fetch met, such as a topic that may not be read.
    """
    deadline = time.monotonic() + timeout
    while True:
        if fetcher._subscriptions.reassignment_in_progress:
            await fetcher._subscriptions.wait_for_assignment()
        drained = _drain(fetcher, partitions, max_records, reading)
        left = deadline - time.monotonic()
        if drained or left <= 0:
            return drained
        waiter = fetcher._create_fetch_waiter()
        done, _ = await asyncio.wait([waiter], timeout=left)
        if not done or fetcher._closed:
            waiter.cancel()
            return {}
        waiter.result()


def _drain(
    fetcher: Any, partitions: Collection[Any], max_records: int | None, reading: Reading | None
) -> dict[Any, Block]:
    drained: dict[Any, Block] = {}
    room = max_records
    for tp in list(fetcher._records):
        if partitions and tp not in partitions:
            if not fetcher._subscriptions.is_assigned(tp):
                del fetcher._records[tp]
            continue
        result = fetcher._records[tp]
        if type(result) is not FetchResult:
            if drained:  # the error is for the next call
                return drained
            _forget(fetcher, tp)
            result.check_raise()
            continue
        block = _take(result, tp, room, reading)
        if not result.has_more():
            _forget(fetcher, tp)
        if block.next_offset:
            drained[tp] = block
            if room is not None:
                room -= len(block)
                if room <= 0:
                    break
    return drained


def _forget(fetcher: Any, tp: Any) -> None:
    del fetcher._records[tp]
    fetcher._notify(fetcher._wait_consume_future)


def _take(result: Any, tp: Any, room: int | None, reading: Reading | None = None) -> Block:
    """Record batches of one fetch result until `room` is used up; moves the position on."""
    block = Block(tp.topic, tp.partition)
    if not result.check_assignment(tp) or not result.has_more():
        return block
    fetched = result._partition_records
    # it and its own iterator, which nobody uses here, would keep each other and the bytes of the
    # fetch alive until the garbage collector comes by
    fetched._records_iterator = None
    begin = fetched.next_fetch_offset
    state = result._assignment.state_value(tp)
    try:
        for batch in _committed_batches(fetched):
            block.add(batch, fetched.next_fetch_offset, reading)
            fetched.next_fetch_offset = batch.next_offset
            if room is not None and len(block) >= room:
                break
        else:
            result._partition_records = None
    except CorruptRecordException:
        # what is not read yet is fetched again
        result._partition_records = None
        if fetched.next_fetch_offset == begin:
            raise
    state.consumed_to(fetched.next_fetch_offset)
    if fetched.next_fetch_offset > begin:
        block.next_offset = fetched.next_fetch_offset
        block.behind = max(0, (state.highwater or 0) - block.next_offset)
    return block


def _committed_batches(fetched: Any) -> Iterator[Any]:
    """Batches of data, less those of aborted transactions where the reader wants none."""
    committed_only = fetched._isolation_level == READ_COMMITTED
    while fetched._records.has_next():
        batch = fetched._records.next_batch()
        if fetched._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"invalid checksum - {fetched._tp}")
        aborted = False
        if committed_only and batch.producer_id is not None:
            fetched._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and fetched._contains_abort_marker(batch):
                fetched._aborted_producers.discard(batch.producer_id)
            aborted = batch.is_transactional and batch.producer_id in fetched._aborted_producers
        if aborted or batch.is_control_batch:
            fetched.next_fetch_offset = batch.next_offset
        else:
            yield batch
