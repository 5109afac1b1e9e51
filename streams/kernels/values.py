"""The values of a scan, each read from its bytes straight to a number.

Nothing here takes a row of an array out: each such view is counted, which costs more than reading
it.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel

I64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

NO_TIME: Final = np.iinfo(np.int64).min
_QUOTE, _BACKSLASH = 34, 92
_FIRST, _LAST = 33, 126  # visible ASCII
_BAD: Final = 255


@kernel
def same(data: Bytes, at: int, words: Bytes, k: int, length: int) -> bool:
    for j in range(length):  # noqa: SIM110 (a loop compiles to less)
        if data[at + j] != words[k, j]:
            return False
    return True


@kernel
def text(data: Bytes, at: int, end: int) -> int:
    """Characters up to the next quote; -1 if one of them is not visible ASCII, or escapes."""
    here = at
    while here < end:
        byte = data[here]
        if byte == _QUOTE:
            return here - at
        if byte < _FIRST or byte > _LAST or byte == _BACKSLASH:
            return -1
        here += 1
    return -1


@kernel
def word(data: Bytes, at: int, length: int, words: Bytes, sizes: I64) -> int:
    """Which of the words stands there, from 1; 0 if none."""
    for k in range(len(sizes)):
        if sizes[k] == length and same(data, at, words, k, length):
            return k + 1
    return 0


@kernel
def uuid(data: Bytes, at: int, table: Bytes) -> tuple[np.uint64, np.uint64, bool]:
    """High and low half of an RFC 9562 UUID: version 1-8, variant 10."""
    hi, lo = np.uint64(0), np.uint64(0)
    digit = 0
    for k in range(36):
        byte = data[at + k]
        if k == 8 or k == 13 or k == 18 or k == 23:
            if byte != 45:  # a dash
                return hi, lo, False
            continue
        nibble = table[byte]
        if nibble == _BAD:
            return hi, lo, False
        if digit < 16:
            hi = hi << np.uint64(4) | np.uint64(nibble)
        else:
            lo = lo << np.uint64(4) | np.uint64(nibble)
        digit += 1
    version = hi >> np.uint64(12) & np.uint64(15)
    variant = lo >> np.uint64(62)
    return hi, lo, bool(version >= 1 and version <= 8 and variant == 2)


@kernel
def person(data: Bytes, at: int, table: Bytes) -> tuple[np.uint64, bool]:
    """64 bits in 13 canonical Crockford symbols: the first holds only four."""
    number = np.uint64(0)
    for k in range(13):
        value = table[data[at + k]]
        if value == _BAD or (k == 0 and value > 15):
            return number, False
        number = number << np.uint64(5) | np.uint64(value)
    return number, True


@kernel
def _number(data: Bytes, at: int, digits: int) -> Any:
    """So many decimal digits; negative if one is none."""
    number: Any = 0
    for k in range(digits):
        digit = np.int64(data[at + k]) - 48
        if digit < 0 or digit > 9:
            return -1
        number = number * 10 + digit
    return number


@kernel
def moment(data: Bytes, at: int) -> Any:
    """Milliseconds since 1970 UTC of `YYYY-MM-DDTHH:MM:SS.mmmZ`, years 1-9999; or NO_TIME.

    Source of the days: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    days_from_civil.
    """
    if (
        data[at + 4] != 45 or data[at + 7] != 45 or data[at + 10] != 84
        or data[at + 13] != 58 or data[at + 16] != 58 or data[at + 19] != 46
        or data[at + 23] != 90
    ):  # fmt: skip
        return NO_TIME
    year, month, day = _number(data, at, 4), _number(data, at + 5, 2), _number(data, at + 8, 2)
    hour, minute = _number(data, at + 11, 2), _number(data, at + 14, 2)
    second, milli = _number(data, at + 17, 2), _number(data, at + 20, 3)
    if year < 1 or month < 1 or month > 12 or day < 1 or hour < 0 or hour > 23:
        return NO_TIME
    if minute < 0 or minute > 59 or second < 0 or second > 59 or milli < 0:
        return NO_TIME
    longest = 30 + (month + month // 8) % 2
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    if day > longest:
        return NO_TIME
    y = year - (1 if month <= 2 else 0)
    era = y // 400
    year_of_era = y - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    days = era * 146_097 + day_of_era - 719_468
    return days * 86_400_000 + ((hour * 60 + minute) * 60 + second) * 1000 + milli


@kernel
def few(data: Bytes, at: int, end: int, most: int) -> tuple[int, int]:
    """A whole number up to `most` as JSON writes it, and its digits; none if it is not one."""
    value: Any = 0
    digits = 0
    while digits < min(3, end - at) and data[at + digits] >= 48 and data[at + digits] <= 57:
        value = value * 10 + np.int64(data[at + digits]) - 48
        digits += 1
    if value > most or (digits > 1 and data[at] == 48):
        return 0, 0
    return value, digits
