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
_LONGEST: Final = 10  # bytes of a number


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
def walk(data: npt.NDArray[np.uint8], begin: int, end: int, found: I64) -> tuple[int, int]:
    """Fill `found`, shape (6, n), for the first n records in `data[begin:end]`, or as many as are
    whole: deltas of offset and timestamp, where key and value begin and how long they are (-1:
    null).

    Returns how many, and where the next begins; a negative number if one does not end where it
    says.
    """
    at = begin
    for row in range(found.shape[1]):
        size, start = _varint(data, at, end)
        if start < 0 or size > end - start:
            return row, at
        if size < 1:
            return -1 - row, at
        last = start + size
        timestamp, at = _varint(data, start + 1, last)  # behind attributes, of which there are none
        if at < 0:
            return -1 - row, start
        offset, at = _varint(data, at, last)
        if at < 0:
            return -1 - row, start
        found[TIMESTAMP, row] = timestamp
        found[OFFSET, row] = offset
        for line in (KEY, VALUE):
            length, at = _varint(data, at, last)
            if at < 0 or length < -1 or length > last - at:
                return -1 - row, start
            found[line, row] = at
            found[line + 1, row] = length
            at += max(length, 0)
        at = last  # headers, which nobody reads
    return found.shape[1], at


@kernel
def head(data: npt.NDArray[np.uint8], found: I64) -> int:
    """Fill the first row of `found` for a record of which `data`, some hundred bytes at least, is
    the beginning. A value that is whole comes whole; of another what is there; and where that is
    less than half of `data`, a long key has the rest: the key is null then, and stands for the
    value, so that whoever bounds values sees how long the record is.

    Returns how many bytes of it are beyond, or a negative number if there is no such record.
    """
    end = len(data)
    size, at = _varint(data, 0, end)
    last = at + size
    if at < 0 or last <= end:
        return -1
    timestamp, at = _varint(data, at + 1, end)
    if at < 0:
        return -1
    offset, at = _varint(data, at, end)
    if at < 0:
        return -1
    key_length, key = _varint(data, at, end)
    if key < 0 or key_length < -1 or key_length > last - key:
        return -1
    found[TIMESTAMP, 0] = timestamp
    found[OFFSET, 0] = offset
    found[KEY, 0], found[KEY_LENGTH, 0] = key, key_length
    behind = key + max(key_length, 0)
    if behind <= end - _LONGEST:  # or the value's length may be cut off
        length, at = _varint(data, behind, end)
        if at < 0 or length < -1 or length > last - at:
            return -1
        there = min(length, end - at)
        if there == length or 2 * there >= end:
            found[VALUE, 0], found[VALUE_LENGTH, 0] = at, there
            return last - end
    found[KEY, 0], found[KEY_LENGTH, 0] = 0, -1
    found[VALUE, 0], found[VALUE_LENGTH, 0] = key, end - key
    return last - end
