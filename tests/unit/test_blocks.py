"""Reading what aiokafka fetched: the suites read through it; here is what they cannot see."""

import gc
import weakref
from types import SimpleNamespace
from typing import Any

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.types import TP

from streams import blocks

Headers = list[tuple[str, bytes]]


def fetched(values: list[bytes], headers: list[Headers] | None = None) -> PartitionRecords:
    """As a fetch brings it: one record batch from offset 0 on."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1 << 20,
    )  # fmt: skip
    each = headers or [[] for _ in values]
    for offset, (value, its) in enumerate(zip(values, each, strict=True)):
        builder.append(offset, 1_790_000_000_000, b"k", value, list(its))
    return PartitionRecords(
        TP("t", 0), MemoryRecords(bytes(builder.build())), [], 0, None, None, True, 1
    )


def result_of(records: PartitionRecords) -> Any:
    """Stands for aiokafka's FetchResult."""
    state = SimpleNamespace(consumed_to=lambda _: None, highwater=3)
    return SimpleNamespace(
        check_assignment=lambda _: True,
        has_more=lambda: True,
        _partition_records=records,
        _assignment=SimpleNamespace(state_value=lambda _: state),
    )


def test_the_bytes_of_a_fetch_are_gone_when_its_block_is_made() -> None:
    records = fetched([b"one", b"two", b"three"])
    gone = weakref.ref(records)
    result = result_of(records)
    gc.disable()
    try:
        block = blocks._take(result, TP("t", 0), None)
        del records, result
        assert gone() is None, "held by a cycle until the garbage collector comes"
    finally:
        gc.enable()
    assert block.values == [b"one", b"two", b"three"]
    assert block.next_offset == 3
