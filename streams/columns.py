"""Vectorised reading of the fixed forms in a scan: ids, times, tokens; and a stable hash.

Every function works on a matrix of bytes, one row a value, and says which rows are in the
canonical form. A row that is not goes to pydantic, which has the last word.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.ids import CROCKFORD

Bytes = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BAD: Final = 255


def _table(symbols: str, *, fold: bool = False) -> Bytes:
    table = np.full(256, BAD, dtype=np.uint8)
    for value, symbol in enumerate(symbols):
        table[ord(symbol)] = value
        if fold:
            table[ord(symbol.upper())] = value
    return table


_BASE32: Final = _table(CROCKFORD)
_HEX: Final = _table("0123456789abcdef", fold=True)
_HEX_POSITIONS: Final = np.array([i for i in range(36) if i not in (8, 13, 18, 23)])
_DASHES: Final = np.array([8, 13, 18, 23])


def text_matrix(column: pa.StringArray, width: int) -> tuple[Bytes, Mask]:
    """The bytes of `column` as (n, width), and which rows have exactly that length.

    Rows of another length, and nulls, are zero.
    """
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[
        column.offset : column.offset + len(column) + 1
    ]
    lengths = np.diff(offsets)
    right = lengths == width
    data = column.buffers()[2]
    everything = (
        np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    )
    if right.all():
        begin = int(offsets[0])
        return everything[begin : begin + width * len(column)].reshape(-1, width), right
    matrix = np.zeros((len(column), width), dtype=np.uint8)
    if right.any():
        matrix[right] = everything[offsets[:-1][right][:, None] + np.arange(width)]
    return matrix, right


def base32(matrix: Bytes) -> tuple[U64, Mask]:
    """Numbers behind canonical Crockford symbols (at most 64 bits), and which rows are sound."""
    values = _BASE32[matrix]
    sound = (values != BAD).all(axis=1)
    number = np.zeros(len(matrix), dtype=np.uint64)
    for column in range(matrix.shape[1]):
        number = (number << np.uint64(5)) | values[:, column].astype(np.uint64)
    return number, sound


def persons(matrix: Bytes) -> tuple[U64, Mask]:
    """Persons' 64 bits from (n, 13): the first symbol holds only four bits, 0-F."""
    number, sound = base32(matrix)
    return number, sound & (_BASE32[matrix[:, 0]] < 16)


def uuids(matrix: Bytes) -> tuple[U64, U64, Mask]:
    """High and low 64 bits of RFC 9562 UUIDs from (n, 36): version 1-8, variant 10."""
    nibbles = _HEX[matrix[:, _HEX_POSITIONS]]
    sound = (nibbles != BAD).all(axis=1) & (matrix[:, _DASHES] == ord("-")).all(axis=1)
    version, variant = nibbles[:, 12], nibbles[:, 16]
    sound &= (version >= 1) & (version <= 8) & (variant >= 8) & (variant <= 11)
    octets = np.ascontiguousarray((nibbles[:, 0::2] << 4) | (nibbles[:, 1::2] & 15))
    halves = octets.view(">u8").astype(np.uint64)
    return halves[:, 0], halves[:, 1], sound


_PATTERN: Final = b"0000-00-00T00:00:00.000Z"
_DIGITS: Final = np.array([i for i, c in enumerate(_PATTERN) if c == ord("0")])
_MARKS: Final = np.array([i for i, c in enumerate(_PATTERN) if c != ord("0")])
_MARK_VALUES: Final = np.array([c for c in _PATTERN if c != ord("0")], dtype=np.uint8)
_MONTH_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0])


def timestamps(matrix: Bytes) -> tuple[I64, Mask]:
    """Milliseconds since 1970 UTC from (n, 24) `YYYY-MM-DDTHH:MM:SS.mmmZ`, years 1-9999."""
    digits = matrix[:, _DIGITS] - np.uint8(48)  # wraps below '0', so one comparison is enough
    sound = (digits < 10).all(axis=1) & (matrix[:, _MARKS] == _MARK_VALUES).all(axis=1)
    d = digits.astype(np.int64).T
    year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3]
    month, day = d[4] * 10 + d[5], d[6] * 10 + d[7]
    hour, minute, second = d[8] * 10 + d[9], d[10] * 10 + d[11], d[12] * 10 + d[13]
    milli = d[14] * 100 + d[15] * 10 + d[16]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _MONTH_DAYS[np.clip(month, 0, 15)] + (leap & (month == 2))
    sound &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= longest)
    sound &= (hour < 24) & (minute < 60) & (second < 60)
    return _days(year, month, day) * 86_400_000 + (
        (hour * 60 + minute) * 60 + second
    ) * 1000 + milli, sound


def _days(year: I64, month: I64, day: I64) -> I64:
    """Days since 1970-01-01 of the proleptic Gregorian calendar.

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    """
    y = year - (month <= 2)
    era = y // 400
    year_of_era = y - era * 400
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    result: I64 = era * 146_097 + day_of_era - 719_468
    return result


_M1: Final = np.uint64(0xBF58476D1CE4E5B9)
_M2: Final = np.uint64(0x94D049BB133111EB)
_SEED: Final = np.uint64(0x9E3779B97F4A7C15)


def mix(h: U64) -> U64:
    """splitmix64's finaliser (S. Vigna, public domain): every bit moves every other."""
    h = (h ^ (h >> np.uint64(30))) * _M1
    h = (h ^ (h >> np.uint64(27))) * _M2
    return h ^ (h >> np.uint64(31))


def fold(h: U64, word: U64) -> U64:
    """`h` with one more 64-bit word taken in."""
    return mix(h ^ (word + _SEED + (h << np.uint64(6))))


def fold_text(h: U64, column: pa.StringArray) -> U64:
    """`h` with the UTF-8 bytes of each value and its length taken in; null counts as empty.

    Independent of the machine and of any library's version: it is stored with the row.
    """
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[
        column.offset : column.offset + len(column) + 1
    ]
    lengths = np.diff(offsets)
    width = -(-int(lengths.max(initial=0)) // 8) * 8
    h = fold(h, lengths.astype(np.uint64))
    if width == 0:
        return h
    data = np.frombuffer(column.buffers()[2], dtype=np.uint8)
    at = np.arange(width)
    matrix = data[np.minimum(offsets[:-1, None] + at, len(data) - 1)]
    matrix = np.where(at < lengths[:, None], matrix, np.uint8(0))
    words = np.ascontiguousarray(matrix).view("<u8").astype(np.uint64)
    for k in range(words.shape[1]):
        # only the words that a value has: its neighbours' lengths must not move its hash
        h = np.where(8 * k < lengths, fold(h, words[:, k]), h)
    return h


def kafka_partitions(matrix: Bytes, partitions: int) -> npt.NDArray[np.int64]:
    """The partition each key of (n, 13) bytes belongs to: (murmur2 & 0x7fffffff) mod N."""
    m = np.uint32(0x5BD1E995)
    words = np.ascontiguousarray(matrix[:, :12]).view("<u4").astype(np.uint32)
    h = np.full(len(matrix), 0x9747B28C ^ matrix.shape[1], dtype=np.uint32)
    for k in range(3):
        w = words[:, k] * m
        w ^= w >> np.uint32(24)
        h = (h * m) ^ (w * m)
    h = (h ^ matrix[:, 12].astype(np.uint32)) * m
    h = (h ^ (h >> np.uint32(13))) * m
    h ^= h >> np.uint32(15)
    return (h & np.uint32(0x7FFFFFFF)).astype(np.int64) % partitions
