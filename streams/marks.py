"""What the headers of fetched records say, where anybody asks: read for those that have headers.

Source: Apache Kafka, "Implementation: Record" (message format version 2): behind a record's value
stands the number of its headers, of each the length of its name, the name, the length of its value,
and the value; all numbers are zigzag varints.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.texts import Texts

I64 = npt.NDArray[np.int64]
Headers = list[tuple[str, bytes | None]]
# What the headers of a record say of it that is to be known beside its key and value, if anything.
Reading = Callable[[Headers], str | None]
MOST: Final = 32  # marks of one block
_LOOKS: Final = 200  # records of one batch whose headers are read
_HEADERS: Final = 16  # of one record
_LONGEST: Final = 63  # bits of a number


class Mark(NamedTuple):
    """A record whose headers say something: its offset, timestamp (ms since 1970 UTC), and what."""

    offset: int
    timestamp: int
    context: str


def marks_of(offsets: I64, timestamps: I64, values: Texts, reading: Reading) -> tuple[Mark, ...]:
    """The marks of records whose values stand in the bytes of their record batch."""
    data = values.data.data
    begins = values.begins + np.maximum(values.lengths, 0)
    if not len(begins) or begins.max() >= len(data):
        return ()
    marks: list[Mark] = []
    for row in np.flatnonzero(values.data[begins])[:_LOOKS].tolist():
        context = reading(headers_at(data, int(begins[row])))
        if context is not None:
            marks.append(Mark(int(offsets[row]), int(timestamps[row]), context))
            if len(marks) == MOST:
                break
    return tuple(marks)


def headers_at(data: memoryview, at: int) -> Headers:
    """The first headers of the record whose headers begin there; none if they are cut off."""
    found: Headers = []
    try:
        count, at = _number(data, at)
        for _ in range(min(count, _HEADERS)):
            length, at = _number(data, at)
            name, at = bytes(data[at : at + length]), at + length
            length, at = _number(data, at)
            value = None if length < 0 else bytes(data[at : at + length])
            at += max(length, 0)
            found.append((name.decode("utf-8", "replace"), value))
    except IndexError:
        return []
    return found


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next byte is. Raises IndexError if it is cut off."""
    value = 0
    for shift in range(0, _LONGEST, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at
    raise IndexError(at)
