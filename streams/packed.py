"""Record batches that are made elsewhere, on their way through aiokafka's producer.

aiokafka appends record by record, in Python's own time, and compresses as hard as lz4 can. A
`Packed` has its records written and compressed already; the producer adds its id and the sequence
number, which make a second attempt harmless.

Takes the place of aiokafka's `BatchBuilder` (0.12 to 0.14), which has no public interface to it.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.codec import lz4_encode
from aiokafka.record.util import calc_crc32c

from schemas.clock import now_ms
from streams.blocks import HEADER
from streams.columns import Bytes

_LZ4: Final = 3  # in a batch's attributes
_FAST: Final = 1
# Before what the checksum covers: base offset, length, leader epoch, magic, checksum.
# Source: Apache Kafka, "Record Batch".
_BEFORE: Final = struct.Struct(">qiibI")
_BEFORE_LENGTH: Final = struct.calcsize(">qi")
_NO_EPOCH, _MAGIC = -1, 2


@dataclass(frozen=True)
class Packed:
    """So many records for one topic, compressed. Those of one `lane` go to one partition."""

    topic: str
    lane: int
    records: bytes
    count: int

    @classmethod
    def of(cls, topic: str, lane: int, records: Bytes, count: int) -> "Packed":
        """Of written records, uncompressed."""
        return cls(topic, lane, lz4_encode(records.tobytes(), _FAST), count)

    def builder(self) -> "Builder":
        """For one producer, to send once."""
        return Builder(self)


class Builder:
    """What aiokafka's accumulator and sender ask of a `BatchBuilder`."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._producer = (-1, -1, -1)
        self._built: bytes | None = None

    def _set_producer_state(self, producer_id: int, epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, epoch, base_sequence)

    def _build(self) -> bytes:
        if self._built is None:
            packed, stamp = self._packed, now_ms()
            covered = HEADER.pack(
                _LZ4, packed.count - 1, stamp, stamp, *self._producer, packed.count
            )
            covered += packed.records
            size = _BEFORE.size - _BEFORE_LENGTH + len(covered)
            before = _BEFORE.pack(0, size, _NO_EPOCH, _MAGIC, calc_crc32c(covered))
            self._built = before + covered
        return self._built

    def close(self) -> None:
        """Nothing is ever added."""

    def closed(self) -> bool:
        """It need not wait for more."""
        return True

    def size(self) -> int:
        """Bytes."""
        return len(self._packed.records)

    def record_count(self) -> int:
        """Records."""
        return self._packed.count

    def append(self, **record: Any) -> None:
        """It is full, as it says to who would add to it."""
        del record
