"""A batch that holds more than is unpacked at once comes a stretch at a time, all of it."""

import asyncio
import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from faust.types import TP

from streams import fetched as fetches
from streams import unfold as unfolding
from streams import unpack
from streams.blocks import HEADER, LOG_APPEND_TIME, Header, Piece
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


def log_of(*batches: bytes) -> bytes:
    """One after the other, each of thirty records."""
    return b"".join((30 * n).to_bytes(8, "big") + one[8:] for n, one in enumerate(batches))


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


def test_a_key_longer_than_a_stretch_stands_for_the_value() -> None:
    """Whoever bounds values sees that the record is long."""
    key = b"k" * (3 * STRETCH)
    [(offset, _, found, value), (_, _, _, other)] = together(unfolded([b"v", b"w"], 4, key))
    assert (offset, found, other[:9]) == (1_000, None, key[:9])
    assert len(value) > STRETCH / 2
    assert key.startswith(value)


@pytest.mark.parametrize("length", [0, 70, 9_000])
def test_wherever_the_first_stretch_ends_a_long_record_comes_and_is_seen_to_be_long(
    length: int,
) -> None:
    for size in range(STRETCH - 90, STRETCH + 60):
        batch = batch_of([(NOW, b"k" * size, b"v" * length, []), (NOW, b"k", b"next", [])], 3)
        (_, _, key, value), (_, _, _, other) = together([*unfolding.unfold(7, *parts(batch))])
        assert other == b"next"
        if value != b"v" * length:
            assert len(value) > STRETCH / 2
            assert b"k" * 4_000 in value + (key or b"")


def test_of_a_record_with_long_headers_the_value_is_whole() -> None:
    long: list[tuple[str, bytes | None]] = [("a", b"h" * (3 * STRETCH))]
    for value in (b"short", None):
        batch = batch_of([(NOW, None, value, long), (NOW, b"k", b"next", [])], 4)
        found = together([*unfolding.unfold(7, *parts(batch))])
        assert found == [(7, NOW, None, value), (8, NOW, b"k", b"next")]


def test_zeros_behind_a_gzip_stream_are_nothing() -> None:
    header, payload = parts(batch_of([(NOW, b"k", b"v", [])], 1))
    assert together([*unfolding.unfold(7, header, memoryview(bytes(payload) + bytes(20)))])


def test_many_small_records_come_in_pieces_of_which_each_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unfolding, "MOST_RECORDS", 50)
    for codec in (0, 2, 3):
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
    log = log_of(first, second)
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


class Fetcher:
    """As much of aiokafka's as is used, with the answers of some partitions."""

    def __init__(self, **logs: PartitionRecords) -> None:
        self._closed = False
        self.tps = {name: TP(name, 0) for name in logs}
        self._subscriptions = SimpleNamespace(
            reassignment_in_progress=False, is_assigned=lambda _: True
        )
        self._records: dict[TP, Any] = {}
        for name, records in logs.items():
            result: Any = FetchResult.__new__(FetchResult)
            result._partition_records = records
            result.check_assignment = lambda _: True
            state = SimpleNamespace(consumed_to=lambda _: None, highwater=99)
            result._assignment = SimpleNamespace(state_value=lambda _, its=state: its)
            self._records[self.tps[name]] = result
        self._wait_consume_future = None

    def _notify(self, _: object) -> None:
        """Nobody fetches more."""

    def _create_fetch_waiter(self) -> Any:
        return asyncio.get_running_loop().create_future()

    async def all_of(self) -> dict[str, list[tuple[int, bytes | None]]]:
        found: dict[str, list[tuple[int, bytes | None]]] = {name: [] for name in self.tps}
        while self._records:
            blocks = await fetches.fetched_blocks(self, list(self.tps.values()), 5.0, 1_000)
            assert blocks, "it waited for what it has"
            for tp, block in blocks.items():
                found[tp.topic] += [(record.offset, record.value) for record in block]
        return found


def fetch_of(log: bytes, at: int = 0, aborted: Any = None) -> PartitionRecords:
    return PartitionRecords(
        TP("t", 0), fetches.Fetched(log), aborted or [], at, None, None, False, READ_COMMITTED
    )


def test_what_is_passed_over_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetches, "PIECE_BYTES", STRETCH)
    values = values_of([700] * 30)
    log = log_of(batch_of([(NOW, b"k", value, []) for value in values], 4))
    begin = time.monotonic()
    found = asyncio.run(Fetcher(t=fetch_of(log, at=25)).all_of())
    assert found == {"t": [*enumerate(values)][25:]}
    assert time.monotonic() - begin < 4


def test_partitions_with_large_batches_come_beside_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetches, "PIECE_BYTES", STRETCH)
    values = values_of([700] * 30)
    one = batch_of([(NOW, b"k", value, []) for value in values], 4)
    logs = {name: fetch_of(log_of(one, one)) for name in "ab"}
    found = asyncio.run(Fetcher(**logs).all_of())
    assert found == {name: [*enumerate([*values, *values])] for name in "ab"}


def test_an_aborted_batch_behind_an_open_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetches, "PIECE_BYTES", STRETCH)
    values = values_of([700] * 30)
    one = batch_of([(NOW, b"k", value, []) for value in values], 4)
    gone = bytearray(one)
    gone[21:23] = (int.from_bytes(one[21:23], "big") | 16).to_bytes(2, "big")  # transactional
    gone[43:51] = (5).to_bytes(8, "big")  # its producer
    found = asyncio.run(Fetcher(t=fetch_of(log_of(one, bytes(gone), one), 0, [(5, 30)])).all_of())
    assert found == {"t": [*enumerate(values)] + [(60 + n, v) for n, v in enumerate(values)]}


def test_nothing_is_passed_over_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Any:
        raise MemoryError

    records = fetch_of(log_of(batch_of([(NOW, b"k", b"v", [])] * 30, 4)))
    result = result_of(records)
    monkeypatch.setattr(unfolding, "whole", full)
    with pytest.raises(MemoryError):
        fetches._take(result, TP("t", 0), 1_000)
    assert result._partition_records is None, "it is fetched again"
    assert records.next_fetch_offset == 0


def test_the_brokers_time_is_that_of_every_piece() -> None:
    batch = bytearray(batch_of([(NOW + n, b"k", b"v" * 700, []) for n in range(30)], 3))
    batch[fetches.HEADER_AT + 1] |= LOG_APPEND_TIME
    found = together([*unfolding.unfold(0, *parts(bytes(batch)))])
    assert {row[1] for row in found} == {NOW + 29}


def test_what_waits_for_its_reader_holds_a_stretch_and_what_was_cut_before_it() -> None:
    values = values_of([700] * 300)
    batch = batch_of([(NOW, b"k", value, []) for value in values], 4)
    pieces = unfolding.unfold(0, *parts(batch))
    next(pieces)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            next(pieces)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 1.5 * STRETCH + 3_000


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
