"""A Kafka record batch's records as positions in its bytes.

Source: Apache Kafka, "Implementation: Record" (message format version 2): lengths and deltas are
zigzag varints, as in Protocol Buffers.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel

I64 = npt.NDArray[np.int64]
# lines of what `walk` finds
OFFSET, TIMESTAMP, KEY, KEY_LENGTH, VALUE, VALUE_LENGTH = range(6)
LINES: Final = 6


@kernel
def _varint(data: npt.NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """The number at `at` and where the next byte is; (0, -1) if it is cut off or too long."""
    value = np.uint64(0)
    shift = np.uint64(0)
    while at < end and shift < np.uint64(64):
        byte = np.uint64(data[at])
        at += 1
        value |= (byte & np.uint64(127)) << shift
        if byte < np.uint64(128):
            number: Any = np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))
            return number, at
        shift += np.uint64(7)
    return 0, -1


@kernel
def walk(data: npt.NDArray[np.uint8], begin: int, end: int, found: I64) -> int:
    """Fill `found`, shape (6, n), for the n records in `data[begin:end]`: deltas of offset and
    timestamp, where key and value begin and how long they are (-1: null).

    Returns n, or a negative number if the batch is corrupt: a record that does not end where it
    says, or bytes behind the last.
    """
    at = begin
    count: int = found.shape[1]
    for row in range(count):
        size, at = _varint(data, at, end)
        if at < 0 or size < 1 or size > end - at:
            return -1 - row
        last = at + size
        at += 1  # attributes, of which there are none
        timestamp, at = _varint(data, at, last)
        if at < 0:
            return -1 - row
        offset, at = _varint(data, at, last)
        if at < 0:
            return -1 - row
        found[TIMESTAMP, row] = timestamp
        found[OFFSET, row] = offset
        for line in (KEY, VALUE):
            length, at = _varint(data, at, last)
            if at < 0 or length < -1 or length > last - at:
                return -1 - row
            found[line, row] = at
            found[line + 1, row] = length
            at += max(length, 0)
        at = last  # headers, which nobody reads
    return count if at == end else -1 - count
