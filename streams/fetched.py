"""What aiokafka's fetcher holds, as blocks. Record batches are taken whole: the broker's
compression is undone for all of one at once anyway.

Reads aiokafka's private fetch results (0.12 to 0.14) and follows `Fetcher.fetched_records` and
`PartitionRecords._unpack_records` step by step: aborted transactions, control batches, holes that
compaction left, and a position in the middle of a batch.
"""

import asyncio
import struct
import time
from collections.abc import Collection, Iterator
from typing import Any, Final

from aiokafka.consumer import fetcher as fetcher_module
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords

from streams.blocks import HEADER, Block, Header, Piece
from streams.marks import Reading
from streams.unfold import unfold
from streams.waiting import PIECE_BYTES

# Where things stand in a record batch. Source: Apache Kafka, "Record Batch".
SIZE_AT, SIZE = 8, struct.Struct(">i")
MAGIC_AT, COLUMNS_SINCE = 16, 2
HEADER_AT: Final = 21


class Fetched(MemoryRecords):  # type: ignore[misc]  # aiokafka's own is untyped
    """What a broker answered of one partition: aiokafka's record batches, and their bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data = data
        self._batch = self._next = 0
        self.open: tuple[int, Iterator[Piece]] | None = None  # a batch: where it ends, what is left

    def next_batch(self) -> Any:
        """The next record batch."""
        batch = super().next_batch()
        if batch is not None:
            self._batch, (size,) = self._next, SIZE.unpack_from(self._data, self._next + SIZE_AT)
            self._next += SIZE_AT + SIZE.size + size
        return batch

    def pieces(self, batch: Any, reading: Reading | None = None) -> Iterator[Piece]:
        """The records of the batch that came last, as `unfold` gives them."""
        if self._data[self._batch + MAGIC_AT] < COLUMNS_SINCE:
            return iter((Piece.of_records(list(batch)),))
        header = Header(*HEADER.unpack_from(self._data, self._batch + HEADER_AT))
        begin = self._batch + HEADER_AT + HEADER.size
        return unfold(
            batch.base_offset, header, memoryview(self._data)[begin : self._next], reading
        )


# aiokafka's fetcher takes each answer into an object of this name; ours is that and keeps the bytes
fetcher_module.MemoryRecords = Fetched


async def fetched_blocks(
    fetcher: Any,
    partitions: Collection[Any],
    timeout: float,
    max_records: int | None,
    reading: Reading | None = None,
) -> dict[Any, Block]:
    """What aiokafka's fetcher holds for these partitions, as blocks; waits up to `timeout` s.

    Stops adding record batches once there are `max_records` or PIECE_BYTES. With `reading` their
    records that have headers are asked for marks. Raises what the fetch met, such as a topic that
    may not be read.
    """
    deadline = time.monotonic() + timeout
    while True:
        if fetcher._subscriptions.reassignment_in_progress:
            await fetcher._subscriptions.wait_for_assignment()
        drained, passing = _drain(fetcher, partitions, max_records, reading)
        left = deadline - time.monotonic()
        if drained or left <= 0:
            return drained
        if passing:
            await asyncio.sleep(0)  # heartbeats go on
            continue
        waiter = fetcher._create_fetch_waiter()
        done, _ = await asyncio.wait([waiter], timeout=left)
        if not done or fetcher._closed:
            waiter.cancel()
            return {}
        waiter.result()


def _drain(
    fetcher: Any, partitions: Collection[Any], max_records: int | None, reading: Reading | None
) -> tuple[dict[Any, Block], bool]:
    """The blocks, and whether a large batch was passed over that nothing is wanted of as yet."""
    drained: dict[Any, Block] = {}
    passing = False
    room, size = max_records, 0
    for tp in list(fetcher._records):
        if partitions and tp not in partitions:
            if not fetcher._subscriptions.is_assigned(tp):
                del fetcher._records[tp]
            continue
        result = fetcher._records[tp]
        if type(result) is not FetchResult:
            if drained:  # the error is for the next call
                return drained, passing
            _forget(fetcher, tp)
            result.check_raise()
            continue
        try:
            block = _take(result, tp, room, reading)
        except BaseException:
            _forget(fetcher, tp)
            raise
        if not result.has_more():
            _forget(fetcher, tp)
        elif not block.next_offset:
            passing = True
        if block.next_offset:
            drained[tp] = block
            if room is not None:
                room, size = room - len(block), size + block.bytes
                if room <= 0 or size >= PIECE_BYTES:
                    break
    return drained, passing


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
    records = size = 0
    state = result._assignment.state_value(tp)
    try:
        for piece in _pieces(fetched, reading):
            block.add(piece, fetched.next_fetch_offset)
            fetched.next_fetch_offset = max(fetched.next_fetch_offset, block.next_offset)
            records, size = records + len(piece.offsets), size + len(piece.values.data)
            if room is not None and (records >= room or size >= PIECE_BYTES):
                break
        else:
            result._partition_records = None
    except CorruptRecordException:
        # what is not read yet is fetched again
        result._partition_records = None
        if fetched.next_fetch_offset == begin:
            raise
    except BaseException:
        result._partition_records = None  # or the rest of its batch would be passed over
        raise
    state.consumed_to(fetched.next_fetch_offset)
    if fetched.next_fetch_offset > begin:
        block.next_offset = fetched.next_fetch_offset
        block.behind = max(0, (state.highwater or 0) - block.next_offset)
    return block


def _pieces(fetched: Any, reading: Reading | None) -> Iterator[Piece]:
    """Of the batch of which something is left, then of the others."""
    its = fetched._records
    while True:
        if its.open is None:
            batch = next(_committed_batches(fetched), None)
            if batch is None:
                return
            its.open = batch.next_offset, its.pieces(batch, reading)
        next_offset, pieces = its.open
        for piece in pieces:  # noqa: UP028 (`yield from` would end it where its reader breaks off)
            yield piece
        its.open, fetched.next_fetch_offset = None, next_offset


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
