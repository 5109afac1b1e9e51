"""Many symbols of one origin at once: module for module those of segno, a hundred times as fast.

A QR symbol without its mask is an affine function over GF(2) of the bits of its text: the bits go
into data words as they are, Reed-Solomon's words are sums of them, and each lands on one module
(ISO/IEC 18004, 7.4 to 7.7). So segno is asked once for each bit that a token can change and once
for each mask; every other symbol is an exclusive-or of these. Nothing of the standard is written
down anew but the values of the alphanumeric mode and the rule by which a mask is chosen (7.8.3),
and every symbol is read back by another program before it is printed.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import segno

from issuer.check import LENGTH
from issuer.symbol import Symbol, form_of, paths

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

_ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE: Final = {character: value for value, character in enumerate(_ALPHANUMERIC)}
_BASE: Final = len(_ALPHANUMERIC)
_PAIR_BITS, _SINGLE_BITS = 11, 6  # two characters share 11 bits, one left over has 6
_MASKS: Final = 8


class Symbols:
    """The symbols of `origin` + token. Lines are integers, bit j their module j: rows, columns."""

    def __init__(self, origin: str) -> None:
        """About 120 symbols by segno, a tenth of a second. Raises ValueError if it does not fit."""
        self.origin = origin
        length = len(origin) + LENGTH
        self._form = form_of(length)
        self._values = _values([origin + "0" * LENGTH])[0]
        plain = _lines(origin + "0" * LENGTH, self._form, 0)
        self.modules = len(plain) // 2
        masks = [_lines(origin + "0" * LENGTH, self._form, mask) for mask in range(_MASKS)]
        self._base, self._masks = plain, np.array(masks) ^ plain
        zeros = _lines("0" * length, self._form, 0)
        # the pairs that hold a character of the token, each with what any of its values changes
        self._tables = {
            at: _table(length, at, zeros, self._form)
            for at in range(len(origin) // 2 * 2, length, 2)
        }
        self._scored = _scored(self.modules)

    def draw(self, tokens: Sequence[str]) -> list[Symbol]:
        """One symbol a token, in this order. Whoever hands them out calls `prove` on each."""
        if not tokens:
            return []
        assert all(len(token) == LENGTH for token in tokens)
        texts = [self.origin + token for token in tokens]
        changed = _values(texts)
        lines = np.tile(self._base, (len(texts), 1))
        for at, table in self._tables.items():
            lines ^= table[_pair(changed, at) ^ _pair(self._values[None], at)]
        every = lines[:, None, :] ^ self._masks
        best = penalty(every & self._scored).argmin(axis=1)
        rows = every[np.arange(len(texts)), best, : self.modules]
        bits = (rows[:, :, None] >> np.arange(self.modules, dtype=np.uint64)) & np.uint64(1)
        drawn = paths(bits.astype(np.uint8))
        return [Symbol(t, self.modules, path) for t, path in zip(texts, drawn, strict=True)]


@cache
def symbols_of(origin: str) -> Symbols:
    """The symbols of an origin, learnt once a process."""
    return Symbols(origin)


def penalty(lines: U64) -> I64:
    """The score of each symbol by ISO/IEC 18004, 7.8.3.1, as segno counts it.

    `lines` (…, 2 * side), rows and then columns; the lower of two scores is the better mask.
    """
    side = lines.shape[-1] // 2
    one = [np.uint64(n) for n in range(11)]
    within = np.uint64((1 << (side - 1)) - 1)
    same = ~(lines ^ (lines >> one[1])) & within  # a module and the next are alike
    five = same & (same >> one[1]) & (same >> one[2]) & (same >> one[3])
    runs = _count(five) + 2 * _count(five & ~(five << one[1]))
    rows = lines[..., :side]
    level = ~(rows[..., 1:] ^ rows[..., :-1])
    blocks = _count(same[..., 1:side] & same[..., : side - 1] & level)
    finder = lines & ~(lines >> one[1]) & ~(lines >> one[5]) & np.uint64((1 << (side - 6)) - 1)
    for dark in (2, 3, 4, 6):
        finder &= lines >> one[dark]
    before, after = np.full_like(lines, ~np.uint64(0)), np.full_like(lines, ~np.uint64(0))
    for step in range(1, 5):  # beyond the edge is light
        before &= ~(lines << one[step])
        after &= ~(lines >> one[step + 6])
    finder &= before | after
    overlapping = _count(finder & (finder << one[4])) + _count(finder & (finder << one[6]))
    dark_share = _count(rows) / side**2
    uneven = (np.abs(dark_share * 100 - 50) / 5).astype(np.int64)
    score: I64 = runs + 3 * blocks + 40 * (_count(finder) - overlapping) + 10 * uneven
    return score


def _count(bits: U64) -> I64:
    """How many are set, all lines of a symbol together."""
    counted: I64 = np.bitwise_count(bits).sum(axis=-1, dtype=np.int64)
    return counted


def _lines(text: str, form: tuple[int, str], mask: int) -> U64:
    """segno's symbol with this mask: its rows, then its columns, shape (2 * side,)."""
    version, level = form
    made = segno.make_qr(
        text, version=version, error=level, mode="alphanumeric", mask=mask, boost_error=False
    )
    square = np.array([list(row) for row in made.matrix], dtype=np.uint64)
    both = np.concatenate([square, square.T])
    lines: U64 = (both << np.arange(len(square), dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    return lines


def _values(texts: Sequence[str]) -> I64:
    """The characters' values, shape (texts, length)."""
    return np.array([[_VALUE[c] for c in text] for text in texts], dtype=np.int64)


def _pair(values: I64, at: int) -> I64:
    """The number that stands for the characters at `at` and after it, shape (texts,)."""
    if at + 1 == values.shape[1]:
        return values[:, at]
    paired: I64 = values[:, at] * _BASE + values[:, at + 1]
    return paired


def _table(length: int, at: int, zeros: U64, form: tuple[int, str]) -> U64:
    """What each change of the bits of one pair changes, shape (2^bits, 2 * side)."""
    alone = at + 1 == length
    table = np.zeros((1, len(zeros)), dtype=np.uint64)
    for bit in range(_SINGLE_BITS if alone else _PAIR_BITS):
        high, low = divmod(1 << bit, _BASE)
        changed = _ALPHANUMERIC[low] if alone else _ALPHANUMERIC[high] + _ALPHANUMERIC[low]
        text = "0" * at + changed + "0" * (length - at - len(changed))
        table = np.concatenate([table, table ^ (_lines(text, form, 0) ^ zeros)])
    return table


def _scored(side: int) -> U64:
    """All modules but those of the format, which a mask is chosen without (7.8), as lines."""
    square = np.ones((side, side), dtype=np.uint64)
    format_ = [at for at in (*range(9), *range(side - 8, side)) if at != 6]  # 6 is timing
    square[8, format_] = 0
    square[format_, 8] = 0
    both = np.concatenate([square, square.T])
    lines: U64 = (both << np.arange(side, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    return lines
