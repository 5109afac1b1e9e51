"""Reading what aiokafka fetched: the suites read through it; here is what they cannot see."""

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import blocks
from streams import fetched as fetches
from streams.marks import Headers

Made = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def batch_of(records: list[Made], compression: int = 0) -> bytes:
    """One record batch from offset 0 on, as aiokafka's producer writes it."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=compression, is_transactional=0, producer_id=-1,
        producer_epoch=-1, base_sequence=-1, batch_size=1 << 20,
    )  # fmt: skip
    for offset, (timestamp, key, value, headers) in enumerate(records):
        builder.append(offset, timestamp, key, value, headers)
    return bytes(builder.build())


def fetched(values: list[bytes], headers: list[Headers] | None = None) -> PartitionRecords:
    """As a fetch brings it."""
    each = headers or [[] for _ in values]
    records: list[Made] = [
        (1_790_000_000_000, b"k", value, list(its)) for value, its in zip(values, each, strict=True)
    ]
    answer = fetches.Fetched(batch_of(records))
    return PartitionRecords(TP("t", 0), answer, [], 0, None, None, True, 1)


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
        block = fetches._take(result, TP("t", 0), None)
        del records, result
        assert gone() is None, "held by a cycle until the garbage collector comes"
    finally:
        gc.enable()
    assert [record.value for record in block] == [b"one", b"two", b"three"]
    assert block.next_offset == 3


maybe = st.none() | st.binary(max_size=300)
records = st.lists(
    st.tuples(
        st.integers(1_790_000_000_000, 1_790_000_999_999),
        maybe,
        maybe,
        st.lists(st.tuples(st.text(max_size=5), maybe), max_size=2),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)  # compiles
@given(st.lists(st.tuples(records, st.integers(0, 4)), min_size=1, max_size=3), st.booleans())
def test_a_batch_is_read_as_aiokafka_reads_it(
    made: list[tuple[list[Made], int]], appended: bool
) -> None:
    written = bytearray()
    for batch in (bytearray(batch_of(*one)) for one in made):
        if appended:
            batch[fetches.HEADER_AT + 1] |= blocks.LOG_APPEND_TIME
        written += batch
    theirs, ours = MemoryRecords(bytes(written)), fetches.Fetched(bytes(written))
    while ours.has_next():
        [piece] = ours.pieces(ours.next_batch(), repr)
        expected = list(theirs.next_batch())
        assert piece.offsets.tolist() == [r.offset for r in expected]
        assert piece.timestamps.tolist() == [r.timestamp for r in expected]
        assert list(piece.keys) == [r.key for r in expected]
        assert list(piece.values) == [r.value for r in expected]
        stamps = dict(zip(piece.offsets.tolist(), piece.timestamps.tolist(), strict=True))
        assert list(piece.marks) == [
            (r.offset, stamps[r.offset], repr(r.headers)) for r in expected if r.headers
        ]
    assert not theirs.has_next()


def test_a_batch_cut_or_changed_is_corrupt_and_never_read_past_its_end() -> None:
    whole = batch_of([(1_790_000_000_000 + n, b"key", b"value" * n, []) for n in range(20)])
    begin = fetches.HEADER_AT + blocks.HEADER.size
    header = blocks.Header(*blocks.HEADER.unpack_from(whole, fetches.HEADER_AT))
    for end in range(begin, len(whole)):
        with pytest.raises(CorruptRecordException):
            blocks.Piece.of_batch(0, header, whole[begin:end])
    with pytest.raises(CorruptRecordException):
        blocks.Piece.of_batch(0, header, whole[begin:] + b"\x00")
    with pytest.raises(CorruptRecordException):
        blocks.Piece.of_batch(0, header._replace(records=21), whole[begin:])
    for at in range(begin, len(whole)):
        damaged = bytearray(whole[begin:])
        damaged[at - begin] ^= 0x80
        try:
            piece = blocks.Piece.of_batch(0, header, bytes(damaged), repr)
        except CorruptRecordException:
            continue
        for texts in (piece.keys, piece.values):  # what the checksum would have told
            assert (texts.begins + texts.lengths <= len(damaged)).all()


def test_a_count_that_cannot_be_true_is_corrupt() -> None:
    batch = bytearray(batch_of([(1_790_000_000_000, b"k", b"v", [])]))
    batch[57:61] = (2**31 - 1).to_bytes(4, "big")
    answer = fetches.Fetched(bytes(batch))
    with pytest.raises(CorruptRecordException, match="offset 0"):
        list(answer.pieces(answer.next_batch()))


def test_the_fetcher_hands_out_what_blocks_are_made_of() -> None:
    assert fetcher.MemoryRecords is fetches.Fetched


def test_a_poll_takes_record_batches_until_they_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetches, "PIECE_BYTES", 5_000)
    batch = batch_of([(1_790_000_000_000, b"k", b"x" * 1_000, [])] * 3)
    log = b"".join((3 * i).to_bytes(8, "big") + batch[8:] for i in range(4))
    records = PartitionRecords(TP("t", 0), fetches.Fetched(log), [], 0, None, None, False, 1)
    result = result_of(records)
    assert len(fetches._take(result, TP("t", 0), 1_000)) == 6
    assert len(fetches._take(result, TP("t", 0), None)) == 6, "all, where nobody counts"
