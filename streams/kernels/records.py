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
def _record(data: npt.NDArray[np.uint8], at: int, last: int, end: int, found: I64, row: int) -> int:
    """One that begins at `at` behind its size and ends at `last`, as far as to `end`; negative if
    what it holds is longer than itself."""
    at += 1  # attributes, of which there are none
    timestamp, at = _varint(data, at, end)
    if at < 0:
        return -1
    offset, at = _varint(data, at, end)
    if at < 0:
        return -1
    found[TIMESTAMP, row] = timestamp
    found[OFFSET, row] = offset
    for line in (KEY, VALUE):
        if at >= end < last:  # behind what is there of a longer one
            found[line, row], found[line + 1, row] = end, 0
            continue
        length, at = _varint(data, at, end)
        if at < 0 or length < -1 or length > last - at:
            return -1
        found[line, row] = at
        found[line + 1, row] = min(length, end - at)
        at += max(length, 0)
    return 0


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
        last = start + size
        if size < 1 or _record(data, start, last, last, found, row) < 0:
            return -1 - row, at
        at = last  # headers, which nobody reads
    return found.shape[1], at


@kernel
def head(data: npt.NDArray[np.uint8], found: I64) -> int:
    """Fill the first row of `found` for a record of which `data` holds the beginning: its key and
    value as far as they are there.

    Returns how many bytes of it are beyond, or a negative number if there is no such record.
    """
    size, at = _varint(data, 0, len(data))
    last = at + size
    if at < 0 or last <= len(data) or _record(data, at, last, len(data), found, 0) < 0:
        return -1
    return last - len(data)
