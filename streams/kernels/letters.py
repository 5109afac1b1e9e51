"""Writing the records of Kafka's record batches: dead letters, each with the bytes it is about.

Source: Apache Kafka, "Implementation: Record" (message format version 2): lengths and deltas are
zigzag varints, as in Protocol Buffers. What a letter's headers say of offset and timestamp are
numbers; all else but the original's key is the same for many and comes ready-made.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel
from streams.kernels.copying import copy

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

# the pieces that come ready-made: how a key begins, the headers up to the name of the offset's, the
# names of three more, and from TAIL on the headers that give a reason
PREFIX, HEAD, TIMESTAMP, KEY, TRUNCATED, TAIL = range(6)
_HEADERS: Final = 7  # that each letter has
# a record's bytes besides value, original key and pieces, at most: numbers, lengths and deltas
ROOM: Final = 160


class Letters(NamedTuple):
    """What is written, a row a letter.

    `sizes` are the originals' before they were cut to `lengths`; a key's length is negative where
    there was none. `why` says which of the pieces from TAIL on; piece k is
    `pieces[piece_at[k] : piece_at[k + 1]]`.
    """

    data: Bytes
    begins: I64
    lengths: I64
    sizes: I64
    key_data: Bytes
    key_begins: I64
    key_lengths: I64
    offsets: I64
    timestamps: I64
    why: I32
    pieces: Bytes
    piece_at: I64


@kernel
def _width(number: int) -> int:
    """Bytes of the varint of a number that is not negative."""
    width = 1
    while number >= 64:
        number >>= 7
        width += 1
    return width


@kernel
def _digits(number: int) -> int:
    """Characters of a number written in decimal."""
    count = 1
    if number < 0:
        count, number = 2, -number
    while number >= 10:
        number //= 10
        count += 1
    return count


@kernel
def _varint(out: Bytes, at: int, number: int) -> int:
    """Write it; where the next byte goes."""
    number <<= 1
    while number >= 128:
        out[at] = number & 127 | 128
        number >>= 7
        at += 1
    out[at] = number
    return at + 1


@kernel
def _decimal(out: Bytes, at: int, number: int) -> int:
    """Write a number in decimal; where the next byte goes."""
    digits = _digits(number)
    end = at + digits
    if number < 0:
        out[at] = 45
        number = -number
        digits -= 1
    for k in range(digits):
        out[end - 1 - k] = 48 + number % 10
        number //= 10
    return end


@kernel
def _text(out: Bytes, at: int, number: int) -> int:
    """Write a number as a header's value: its length and it; where the next byte goes."""
    at = _varint(out, at, _digits(number))
    return int(_decimal(out, at, number))


@kernel
def write(letters: Letters, first: int, most: int, out: Bytes) -> tuple[int, int]:
    """Write the records of one batch, from the row `first` on: at most `most` bytes, or one record.

    Returns the row that the next batch begins with, and how many bytes were written.
    """
    (data, begins, lengths, sizes, key_data, key_begins, key_lengths, offsets, timestamps, why,
     pieces, piece_at) = letters  # fmt: skip
    size_of = piece_at[1:] - piece_at[:-1]
    same = 5 + size_of[HEAD] + size_of[TIMESTAMP]  # attributes, time, headers, two numbers' lengths
    at: Any = 0
    for row in range(first, len(begins)):
        length, key_length, tail = lengths[row], key_lengths[row], TAIL + why[row]
        digits = _digits(offsets[row])
        letter_key = size_of[PREFIX] + digits
        size = same + letter_key + digits + _digits(timestamps[row]) + size_of[tail] + length
        size += _width(letter_key) + _width(length) + _width(row - first)
        headers = _HEADERS
        if key_length >= 0:
            headers += 1
            size += size_of[KEY] + _width(key_length) + key_length
        if sizes[row] > length:
            headers += 1
            size += size_of[TRUNCATED] + 1 + _digits(sizes[row])
        if row > first and at + _width(size) + size > most:
            return row, at

        at = _varint(out, at, size)
        out[at] = out[at + 1] = 0  # attributes, and the time after the batch's
        at = _varint(out, at + 2, row - first)
        at = _varint(out, at, letter_key)
        at = copy(out, at, pieces, piece_at[PREFIX], piece_at[PREFIX + 1])
        at = _decimal(out, at, offsets[row])
        at = _varint(out, at, length)
        at = copy(out, at, data, begins[row], begins[row] + length)
        at = _varint(out, at, headers)
        at = copy(out, at, pieces, piece_at[HEAD], piece_at[HEAD + 1])
        at = _text(out, at, offsets[row])
        at = copy(out, at, pieces, piece_at[TIMESTAMP], piece_at[TIMESTAMP + 1])
        at = _text(out, at, timestamps[row])
        at = copy(out, at, pieces, piece_at[tail], piece_at[tail + 1])
        if key_length >= 0:
            at = copy(out, at, pieces, piece_at[KEY], piece_at[KEY + 1])
            at = _varint(out, at, key_length)
            at = copy(out, at, key_data, key_begins[row], key_begins[row] + key_length)
        if sizes[row] > length:
            at = copy(out, at, pieces, piece_at[TRUNCATED], piece_at[TRUNCATED + 1])
            at = _text(out, at, sizes[row])
    return len(begins), at
