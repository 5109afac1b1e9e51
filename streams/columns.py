"""Vectorised reading of the fixed forms in a scan: ids, times, tokens.

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


BASE32: Final = _table(CROCKFORD)
HEXADECIMAL: Final = _table("0123456789abcdef", fold=True)
_HEX_POSITIONS: Final = np.array([i for i in range(36) if i not in (8, 13, 18, 23)])
_DASHES: Final = np.array([8, 13, 18, 23])


def text_matrix(column: pa.StringArray, width: int) -> tuple[Bytes, Mask]:
    """The bytes of `column` as (n, width), and which rows have exactly that length.

    Rows of another length, and nulls, are zero.
    """
    offsets, everything = text_buffers(column)
    right = np.diff(offsets) == width
    if right.all():
        begin = int(offsets[0])
        return everything[begin : begin + width * len(column)].reshape(-1, width), right
    matrix = np.zeros((len(column), width), dtype=np.uint8)
    if right.any():
        matrix[right] = everything[offsets[:-1][right][:, None] + np.arange(width)]
    return matrix, right


def text_buffers(column: pa.StringArray) -> tuple[npt.NDArray[np.int32], Bytes]:
    """Where each text begins in the bytes beside, with the end of the last; a null is empty."""
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)
    data = column.buffers()[2]
    return (
        offsets[column.offset : column.offset + len(column) + 1],
        np.frombuffer(data if data is not None else b"", dtype=np.uint8),
    )


def base32(matrix: Bytes) -> tuple[U64, Mask]:
    """Numbers behind canonical Crockford symbols (at most 64 bits), and which rows are sound."""
    values = BASE32[matrix]
    sound = (values != BAD).all(axis=1)
    number = np.zeros(len(matrix), dtype=np.uint64)
    for column in range(matrix.shape[1]):
        number = (number << np.uint64(5)) | values[:, column].astype(np.uint64)
    return number, sound


def persons(matrix: Bytes) -> tuple[U64, Mask]:
    """Persons' 64 bits from (n, 13): the first symbol holds only four bits, 0-F."""
    number, sound = base32(matrix)
    return number, sound & (BASE32[matrix[:, 0]] < 16)


def uuids(matrix: Bytes) -> tuple[U64, U64, Mask]:
    """High and low 64 bits of RFC 9562 UUIDs from (n, 36): version 1-8, variant 10."""
    nibbles = HEXADECIMAL[matrix[:, _HEX_POSITIONS]]
    sound = (nibbles != BAD).all(axis=1) & (matrix[:, _DASHES] == ord("-")).all(axis=1)
    version, variant = nibbles[:, 12], nibbles[:, 16]
    sound &= (version >= 1) & (version <= 8) & (variant >= 8) & (variant <= 11)
    octets = np.ascontiguousarray((nibbles[:, 0::2] << 4) | (nibbles[:, 1::2] & 15))
    high, low = np.ascontiguousarray(octets.view(">u8").astype(np.uint64).T)
    return high, low, sound


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
