"""A record batch's payload, unpacked: whole, or a stretch at a time where it is large.

Kafka bounds a batch as it is sent (`max.message.bytes`) and not what it holds: a mebibyte of zstd
may be gigabytes. What is unpacked at once is bounded here.
"""

import threading
from collections.abc import Iterator
from typing import Any, Final

import cramjam
import numpy as np
import pyarrow as pa
from aiokafka.codec import snappy_decode
from aiokafka.errors import CorruptRecordException

# More than a batch of scans holds that compresses well, and a large record of another kind.
STRETCH: Final = 32 << 20
# Of the attributes. Source: Apache Kafka, "Record Batch".
CODEC_MASK: Final = 7
_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_INTO: Final = {_GZIP: cramjam.gzip, _LZ4: cramjam.lz4, _ZSTD: cramjam.zstd}
_STREAM: Final = {_GZIP: "gzip", _LZ4: "lz4", _ZSTD: "zstd"}
_own: Final = threading.local()


def whole(codec: int, payload: memoryview) -> Any | None:
    """All of it, or None if it is more than a stretch, or corrupt: `stretches` tells.

    Snappy, of which a mebibyte holds some 22 at most, is never None. Raises
    CorruptRecordException for it and for a codec that Kafka does not have.
    """
    if codec == 0:
        return payload
    try:
        if codec == _SNAPPY:
            return snappy_decode(payload)
        room = _room()
        size = _INTO[codec].decompress_into(payload, room)
    except KeyError:
        raise CorruptRecordException(f"there is no compression {codec}") from None
    except cramjam.DecompressionError as error:
        if codec == _SNAPPY:
            raise CorruptRecordException(f"cannot be unpacked: {error}") from error
        return None
    return room[:size].tobytes()


def stretches(codec: int, payload: memoryview) -> Iterator[bytes]:
    """Its bytes in order, `STRETCH` at a time. Raises CorruptRecordException."""
    try:
        with pa.CompressedInputStream(pa.BufferReader(payload), _STREAM[codec]) as stream:
            while stretch := stream.read(STRETCH):
                yield stretch
    except OSError as error:
        raise CorruptRecordException(f"cannot be unpacked: {error}") from error


def _room() -> Any:
    """A thread's own; memory that no batch has reached is not resident."""
    if not hasattr(_own, "room"):
        _own.room = np.empty(STRETCH, np.uint8)
    return _own.room
