"""A partition's fetched records as columns, without an object for each.

aiokafka's own way makes a `ConsumerRecord` of every record, which costs more than reading it.
Here a block is what the record batches of one fetch hold (`streams.fetched`): offsets, timestamps,
and where keys and values stand in the bytes that the broker sent.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from aiokafka.errors import CorruptRecordException

from streams.kernels import records
from streams.marks import MOST, Mark, Reading, marks_of
from streams.texts import Texts

I64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
# A record batch's header from its attributes on. Source: Apache Kafka, "Record Batch".
HEADER: Final = struct.Struct(">hiqqqhii")
LOG_APPEND_TIME: Final = 8  # of the attributes


def corrupt(base_offset: int) -> CorruptRecordException:
    """Of a record batch that is not what its header says."""
    return CorruptRecordException(f"the record batch at offset {base_offset} is corrupt")


class Header(NamedTuple):
    """Of a record batch, from its attributes on."""

    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: int


class Record(NamedTuple):
    """One record of a block; `timestamp` in ms since 1970 UTC, `context` of its mark."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    context: str | None = None


class Piece(NamedTuple):
    """Records whose keys and values lie in one piece of bytes. Offsets, and timestamps in ms since
    1970 UTC, of shape (n,); `marks`, where they were asked for."""

    offsets: I64
    timestamps: I64
    keys: Texts
    values: Texts
    marks: tuple[Mark, ...] = ()

    def cut(self, begin: int, end: int) -> "Piece":
        """The records from `begin` to before `end`, counted."""
        part = slice(begin, end)
        offsets = self.offsets[part]
        marks = tuple(mark for mark in self.marks if mark.offset in offsets)
        return Piece(offsets, self.timestamps[part], self.keys[part], self.values[part], marks)

    @classmethod
    def of_batch(
        cls, base_offset: int, header: "Header", payload: Any, reading: Reading | None = None
    ) -> "Piece":
        """Of a record batch's bytes behind its header. Raises CorruptRecordException."""
        data = np.frombuffer(payload, dtype=np.uint8)
        # a record has seven bytes at least: a count that cannot be true is not believed
        if not 0 <= header.records <= len(data):
            raise corrupt(base_offset)
        found = np.empty((records.LINES, header.records), dtype=np.int64)
        if records.walk(data, 0, len(data), found) != (header.records, len(data)):
            raise corrupt(base_offset)
        return cls.of_found(base_offset, header, data, found, reading)

    @classmethod
    def of_found(
        cls, base_offset: int, header: "Header", data: Bytes, found: I64, reading: Reading | None
    ) -> "Piece":
        """Of what `records.walk` found in the bytes of a batch."""
        timestamps = found[records.TIMESTAMP] + header.first_timestamp
        if header.attributes & LOG_APPEND_TIME:  # one for the whole batch
            timestamps = np.full(found.shape[1], header.max_timestamp, dtype=np.int64)
        offsets = found[records.OFFSET] + base_offset
        values = Texts(data, found[records.VALUE], found[records.VALUE_LENGTH])
        return cls(
            offsets,
            timestamps,
            Texts(data, found[records.KEY], found[records.KEY_LENGTH]),
            values,
            () if reading is None else marks_of(offsets, timestamps, values, reading),
        )

    @classmethod
    def of_records(cls, found: Sequence[Any]) -> "Piece":
        """Of records one by one: those of the message formats before version 2, and of tests."""
        n = len(found)
        texts = Texts.of([*(r.key for r in found), *(r.value for r in found)])
        return cls(
            np.array([r.offset for r in found], dtype=np.int64),
            np.array([r.timestamp for r in found], dtype=np.int64),
            texts[:n],
            texts[n:],
        )


class Block:
    """Consecutive records of one partition, in offset order.

    One without records says that the log went on with what is never delivered: markers of
    transactions and aborted records.
    """

    __slots__ = ("behind", "next_offset", "partition", "pieces", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.next_offset = 0  # where the log goes on behind it, markers passed
        self.behind = 0  # offsets between the last record and the log's end, when it was fetched
        self.pieces: list[Piece] = []

    def __len__(self) -> int:
        return sum(len(piece.offsets) for piece in self.pieces)

    def __iter__(self) -> Iterator[Record]:
        contexts = {mark.offset: mark.context for mark in self.marks}
        for piece in self.pieces:
            numbers = piece.offsets.tolist(), piece.timestamps.tolist()
            for offset, timestamp, key, value in zip(
                *numbers, piece.keys, piece.values, strict=True
            ):
                context = contexts.get(offset)
                yield Record(self.topic, self.partition, offset, timestamp, key, value, context)

    @property
    def bytes(self) -> int:
        """Of the pieces that its records lie in: what it keeps in memory."""
        return sum(len(piece.values.data) for piece in self.pieces)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The first of its pieces'."""
        return tuple(islice(chain.from_iterable(piece.marks for piece in self.pieces), MOST))

    @property
    def first(self) -> int:
        """The first record's offset."""
        return int(self.pieces[0].offsets[0])

    @property
    def last(self) -> int:
        """The last record's offset."""
        return int(self.pieces[-1].offsets[-1])

    @property
    def first_timestamp(self) -> int:
        """The first record's timestamp, ms since 1970 UTC."""
        return int(self.pieces[0].timestamps[0])

    @property
    def last_timestamp(self) -> int:
        """The last record's timestamp, ms since 1970 UTC."""
        return int(self.pieces[-1].timestamps[-1])

    def before(self, end: int) -> "Block":
        """The records before this offset; itself if that is all of them."""
        if self.next_offset <= end:
            return self
        block = Block(self.topic, self.partition)
        for piece in self.pieces:
            if count := int(np.searchsorted(piece.offsets, end)):
                block.pieces.append(piece.cut(0, count))
        block.next_offset, block.behind = end, self.behind + len(self) - len(block)
        return block

    def add(self, piece: Piece, first: int) -> None:
        """The records of a piece from the offset `first` on."""
        n = len(piece.offsets)
        if n and piece.offsets[0] < first:  # fetched from the middle of a batch
            piece = piece.cut(int(np.searchsorted(piece.offsets, first)), n)
        if len(piece.offsets):
            self.next_offset = int(piece.offsets[-1]) + 1
            self.pieces.append(piece)


class Delivered(Protocol):
    """A block as Faust hands it over: its records, and the way to acknowledge it."""

    value: Block

    def ack(self) -> Any:
        """Mark it as done."""
