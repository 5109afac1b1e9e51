"""The records of a batch as pieces: one, or several where it holds so much that it is unpacked a
stretch at a time. Every record comes, each once; of one longer than a stretch its beginning.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from streams.blocks import Header, Piece, corrupt
from streams.kernels import records
from streams.marks import Reading
from streams.unpack import CODEC_MASK, STRETCH, stretches, whole

MOST_RECORDS: Final = 200_000  # of a piece: six numbers each are made of them
_LEAST_BYTES: Final = 7  # of a record


def unfold(
    base_offset: int, header: Header, payload: memoryview, reading: Reading | None = None
) -> Iterator[Piece]:
    """The records behind a batch's header, in their order. Raises CorruptRecordException, when it
    comes to what is."""
    codec = header.attributes & CODEC_MASK
    data = whole(codec, payload)
    if data is not None and header.records <= MOST_RECORDS:
        only = [Piece.of_batch(base_offset, header, data, reading)]
        del data  # whoever breaks off here would keep it until they go on
        yield only.pop()
        return
    pieces = stretches(codec, payload) if data is None else iter([data])
    left = header.records
    for piece in _pieces(base_offset, header, pieces, reading):
        left -= len(piece.offsets)
        if left < 0:
            break
        yield piece
        del piece
    if left:
        raise corrupt(base_offset)


def _pieces(
    base_offset: int, header: Header, stretches: Iterator[Any], reading: Reading | None
) -> Iterator[Piece]:
    rest: Any = b""
    beyond = 0  # bytes of a record that was longer, which are still to come
    for stretch in stretches:
        gone = min(beyond, len(stretch))
        beyond -= gone
        data = np.frombuffer(b"".join((rest, memoryview(stretch)[gone:])), np.uint8)
        del stretch, rest  # the reader may be away for long: no more than `data` waits for it
        at = 0
        while True:
            piece, at = _next(base_offset, header, data, at, reading)
            if piece is None:
                break
            yield piece
            del piece
        rest = data[at:].tobytes()
        del data
        if len(rest) >= STRETCH:
            beyond, piece = _head(base_offset, header, rest)
            rest = b""
            yield piece
            del piece
    if len(rest) or beyond:
        raise corrupt(base_offset)


def _next(
    base_offset: int, header: Header, data: Any, at: int, reading: Reading | None
) -> tuple[Piece | None, int]:
    """The whole records from `at` on, if there are any, and where they end."""
    most = max(1, min(MOST_RECORDS, (len(data) - at) // _LEAST_BYTES))
    found = np.empty((records.LINES, most), np.int64)
    count, end = records.walk(data, at, len(data), found)
    if count < 0:
        raise corrupt(base_offset)
    if count == 0:
        return None, at
    return Piece.of_found(base_offset, header, data, found[:, :count].copy(), reading), end


def _head(base_offset: int, header: Header, rest: bytes) -> tuple[int, Piece]:
    """Of a record longer than a stretch: how much is beyond, and what is there."""
    data = np.frombuffer(rest, np.uint8)
    found = np.empty((records.LINES, 1), np.int64)
    beyond = records.head(data, found)
    if beyond < 0:
        raise corrupt(base_offset)
    return beyond, Piece.of_found(base_offset, header, data, found, None)
