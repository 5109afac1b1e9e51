"""A batch that holds more than is unpacked at once comes a stretch at a time, all of it."""

import gc
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from faust.types import TP

from streams import fetched as fetches
from streams import unfold as unfolding
from streams import unpack
from streams.blocks import HEADER, Header, Piece
from tests.unit.test_blocks import batch_of, result_of

STRETCH = 5_000
CODECS = {"gzip": 1, "lz4": 3, "zstd": 4}
NOW = 1_790_000_000_000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (unpack, unfolding):
        monkeypatch.setattr(module, "STRETCH", STRETCH)
    monkeypatch.delattr(unpack._own, "room", raising=False)
    yield
    vars(unpack._own).pop("room", None)  # a small one, of this thread


def values_of(sizes: list[int]) -> list[bytes]:
    rng = random.Random(7)
    return [rng.randbytes(min(size, 40)).ljust(size, b"x") for size in sizes]


def parts(batch: bytes) -> tuple[Header, memoryview]:
    header = Header(*HEADER.unpack_from(batch, fetches.HEADER_AT))
    return header, memoryview(batch)[fetches.HEADER_AT + HEADER.size :]


def unfolded(values: list[bytes], codec: int, key: bytes | None = b"k") -> list[Piece]:
    batch = batch_of(
        [(NOW + n, key, value, [("a", b"b")]) for n, value in enumerate(values)], codec
    )
    return list(unfolding.unfold(1_000, *parts(batch), repr))


def together(pieces: list[Piece]) -> list[tuple[int, int, Any, Any]]:
    return [
        row
        for p in pieces
        for row in zip(p.offsets.tolist(), p.timestamps.tolist(), p.keys, p.values, strict=True)
    ]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_every_record_comes_once_whatever_the_stretches_cut(codec: int) -> None:
    rng = random.Random(codec)
    values = values_of([rng.randrange(900) for _ in range(400)])
    pieces = unfolded(values, codec)
    assert len(pieces) > 20
    assert max(len(p.values.data) for p in pieces) < 2 * STRETCH
    expected = [(1_000 + n, NOW + n, b"k", value) for n, value in enumerate(values)]
    assert together(pieces) == expected
    marks = [mark for piece in pieces for mark in piece.marks]
    assert [mark.offset for mark in marks] == [row[0] for row in expected]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_of_a_record_longer_than_a_stretch_the_beginning_comes(codec: int) -> None:
    sizes = [100, 40_000, 70, STRETCH - 30, 12_345, 5]
    values = values_of(sizes)
    found = together(unfolded(values, codec))
    assert [offset for offset, *_ in found] == [1_000 + n for n in range(6)]
    for (*_, key, value), whole in zip(found, values, strict=True):
        assert key == b"k"
        assert value == whole or STRETCH - 20 < len(value) < 2 * STRETCH < len(whole) + STRETCH
        assert whole.startswith(value)
    assert [len(found[n][3]) for n in (0, 2, 5)] == [100, 70, 5]


def test_a_key_longer_than_a_stretch_leaves_nothing_of_the_value() -> None:
    key = b"k" * (3 * STRETCH)
    [(offset, _, found, value), (_, _, _, other)] = together(unfolded([b"v", b"w"], 4, key))
    assert (offset, value, other) == (1_000, b"", b"")
    assert key.startswith(found)


def test_many_small_records_come_in_pieces_of_which_each_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unfolding, "MOST_RECORDS", 50)
    for codec in (0, 3):
        pieces = unfolded([b""] * 180, codec)
        assert [len(p.offsets) for p in pieces] == [50, 50, 50, 30]
        assert [row[0] for row in together(pieces)] == [*range(1_000, 1_180)]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_what_is_cut_or_changed_is_corrupt_and_ends(codec: int) -> None:
    values = values_of([500] * 60)
    header, payload = parts(batch_of([(NOW, b"k", value, []) for value in values], codec))
    for end in (0, 1, len(payload) // 2, len(payload) - 1):
        with pytest.raises(CorruptRecordException):
            list(unfolding.unfold(0, header, payload[:end]))
    for count in (59, 61):
        with pytest.raises(CorruptRecordException):
            list(unfolding.unfold(0, header._replace(records=count), payload))
    for at in range(0, len(payload), 7):
        damaged = bytearray(payload)
        damaged[at] ^= 0x55
        try:
            pieces = list(unfolding.unfold(0, header, memoryview(bytes(damaged))))
        except CorruptRecordException:
            continue
        assert sum(len(p.offsets) for p in pieces) == 60


def test_an_unknown_compression_is_corrupt() -> None:
    header, payload = parts(batch_of([(NOW, b"k", b"v", [])]))
    with pytest.raises(CorruptRecordException, match="no compression 6"):
        list(unfolding.unfold(0, header._replace(attributes=6), payload))


def test_a_poll_breaks_off_within_a_batch_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetches, "PIECE_BYTES", STRETCH)
    values = values_of([700] * 30)
    first = batch_of([(NOW, b"k", value, []) for value in values], 4)
    second = batch_of([(NOW, b"k", b"last", [])])
    log = first + (30).to_bytes(8, "big") + second[8:]
    records = PartitionRecords(TP("t", 0), fetches.Fetched(log), [], 0, None, None, False, 1)
    result, found, polls = result_of(records), [], 0
    while result._partition_records is not None:
        block = fetches._take(result, TP("t", 0), 1_000)
        assert len(block) < 20
        found += [(record.offset, record.value) for record in block]
        assert not block.next_offset or block.next_offset == found[-1][0] + 1
        polls += 1
    assert polls >= 4
    assert found == [*enumerate([*values, b"last"])]


def test_one_that_was_read_to_the_middle_is_read_on_from_there() -> None:
    values = values_of([700] * 30)
    log = batch_of([(NOW, b"k", value, []) for value in values], 3)
    records = PartitionRecords(TP("t", 0), fetches.Fetched(log), [], 17, None, None, False, 1)
    block = fetches._take(result_of(records), TP("t", 0), 1_000)
    assert [record.offset for record in block] == [*range(17, 30)]


def test_what_was_taken_is_kept_by_nobody_else() -> None:
    batch = batch_of([(NOW, b"k", b"v" * 100, [])] * 3, 3)
    log = batch + (3).to_bytes(8, "big") + batch[8:]
    records = PartitionRecords(TP("t", 0), fetches.Fetched(log), [], 0, None, None, False, 1)
    block = fetches._take(result_of(records), TP("t", 0), 1)  # room for no more than a batch
    assert block.next_offset == 3
    unpacked: Any = block.pieces[0].values.data
    while not isinstance(unpacked, bytes):
        unpacked = unpacked.base
    gc.disable()
    try:
        del block
        assert sys.getrefcount(unpacked) == 2, "the fetch holds what its reader has done with"
    finally:
        gc.enable()
