"""Packed record batches, read back by aiokafka's own reader."""

from collections.abc import Iterable
from typing import Any

from aiokafka.record.memory_records import MemoryRecords

from streams.packed import Packed


def unpacked(batches: Iterable[Packed]) -> list[Any]:
    """The records of these batches, in their order; checks that each batch is sound."""
    records: list[Any] = []
    for packed in batches:
        found = MemoryRecords(packed.builder()._build())
        batch = found.next_batch()
        assert batch.validate_crc()
        some = list(batch)
        assert len(some) == packed.count
        assert found.next_batch() is None
        records += some
    return records
