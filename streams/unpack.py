"""A record batch's payload, unpacked: whole, or a stretch at a time where it is large.

Kafka bounds a batch as it is sent (`max.message.bytes`) and not what it holds: a mebibyte of zstd
may be gigabytes. What is unpacked at once is bounded here.
"""

import gzip
import io
import struct
import threading
import zlib
from collections.abc import Iterator
from typing import Any, Final

import cramjam
import numpy as np
import pyarrow as pa
from aiokafka.codec import snappy_decode
from aiokafka.errors import CorruptRecordException

# Eight times what librdkafka puts into a batch at its defaults.
STRETCH: Final = 8 << 20
# Of the attributes. Source: Apache Kafka, "Record Batch".
CODEC_MASK: Final = 7
_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_INTO: Final = {_GZIP: cramjam.gzip, _LZ4: cramjam.lz4, _ZSTD: cramjam.zstd}
_STREAM: Final = {_LZ4: "lz4", _ZSTD: "zstd"}
_own: Final = threading.local()


def whole(codec: int, payload: memoryview) -> Any | None:
    """All of it, or None if it is more than a stretch, or corrupt: `stretches` tells.

    Snappy, of which a mebibyte holds some 22 at most, is never None. Raises
    CorruptRecordException for it and for a codec that Kafka does not have.
    """
    if codec == 0:
        return payload
    if codec == _SNAPPY:
        return _snappy(payload)
    if codec not in _INTO:
        raise CorruptRecordException(f"there is no compression {codec}")
    room = _room()
    try:
        size = _INTO[codec].decompress_into(payload, room)
    except cramjam.DecompressionError:
        return None
    return room[:size].tobytes()


def stretches(codec: int, payload: memoryview) -> Iterator[bytes]:
    """Its bytes in order, `STRETCH` at a time. Raises CorruptRecordException."""
    stream: Any
    if codec == _GZIP:  # as Java's reader this one takes zeros behind the end for nothing
        stream = gzip.GzipFile(fileobj=io.BytesIO(payload))
    else:
        stream = pa.CompressedInputStream(pa.BufferReader(payload), _STREAM[codec])
    try:
        with stream:
            while True:
                only = [stream.read(STRETCH)]
                if not only[0]:
                    return
                yield only.pop()  # its reader alone has it
    except (OSError, EOFError, zlib.error) as error:
        raise CorruptRecordException(f"cannot be unpacked: {error}") from error


def _snappy(payload: memoryview) -> bytes:
    try:
        unpacked: bytes = snappy_decode(payload)
    except (cramjam.DecompressionError, struct.error) as error:
        raise CorruptRecordException(f"cannot be unpacked: {error}") from error
    return unpacked


def _room() -> Any:
    """A thread's own; memory that no batch has reached is not resident."""
    if not hasattr(_own, "room"):
        _own.room = np.empty(STRETCH, np.uint8)
    return _own.room
