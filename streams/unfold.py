"""The records of a batch as pieces: one, or several where it holds so much that it is unpacked a
stretch at a time. Every record comes, each once; of one longer than a stretch its beginning.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from aiokafka.errors import CorruptRecordException

from streams.blocks import Header, Piece
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
    if left:
        raise _corrupt(base_offset)


def _pieces(
    base_offset: int, header: Header, stretches: Iterator[Any], reading: Reading | None
) -> Iterator[Piece]:
    rest: Any = b""
    beyond = 0  # bytes of a record that was longer, which are still to come
    for stretch in stretches:
        gone = min(beyond, len(stretch))
        beyond -= gone
        data = np.frombuffer(b"".join((rest, memoryview(stretch)[gone:])), np.uint8)
        at = 0
        while True:
            found = _room(len(data) - at)
            count, end = records.walk(data, at, len(data), found)
            if count < 0:
                raise _corrupt(base_offset)
            if count == 0:
                break
            yield Piece.of_found(base_offset, header, data, found[:, :count], reading)
            at = end
        rest = data[at:]
        if len(rest) >= STRETCH:
            found = _room(_LEAST_BYTES)
            beyond = records.head(rest, found)
            if beyond < 0:
                raise _corrupt(base_offset)
            yield Piece.of_found(base_offset, header, rest, found, None)
            rest = b""
    if len(rest) or beyond:
        raise _corrupt(base_offset)


def _room(size: int) -> Any:
    """For what is found of so many bytes."""
    most = max(1, min(MOST_RECORDS, size // _LEAST_BYTES))
    return np.empty((records.LINES, most), np.int64)


def _corrupt(base_offset: int) -> CorruptRecordException:
    return CorruptRecordException(f"the record batch at offset {base_offset} is corrupt")
