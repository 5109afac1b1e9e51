"""Which values may be joined and read together: one plain JSON object each.

A value with a newline, two objects or nothing in it would shift every record after it. So a
value is plain only if it is ASCII without control characters, backslashes and square brackets,
and holds exactly one `{` (its first byte) and one `}` (its last). All of it is seen in a few
passes over the bytes of the whole batch.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from schemas.scan import MAX_SCAN_BYTES
from streams.columns import I64, Bytes, Mask

_FORBIDDEN: Final = b"\\[]\x7f"
# which bytes make a value other than plain
_ODD: Final = np.zeros(256, dtype=bool)
_ODD[:32] = _ODD[127:] = True
_ODD[list(_FORBIDDEN)] = True
_OPEN, _CLOSE = ord("{"), ord("}")
_QUOTE, _COLON = ord('"'), ord(":")
_NUMBER: Final = np.frombuffer(b"companions", dtype=np.uint8)


@dataclass(frozen=True)
class Joined:
    """Values with a newline between them."""

    values: list[bytes]

    @cached_property
    def text(self) -> bytes:
        """All of it."""
        return b"\n".join(self.values)

    @cached_property
    def data(self) -> Bytes:
        """All of it, as an array that is never empty."""
        return np.frombuffer(self.text or b"\n", dtype=np.uint8)

    @cached_property
    def lengths(self) -> I64:
        """Bytes of each value."""
        return np.fromiter(map(len, self.values), np.int64, len(self.values))

    @cached_property
    def starts(self) -> I64:
        """Where each value begins."""
        result: I64 = np.cumsum(self.lengths + 1) - self.lengths - 1
        return result

    def rows(self, positions: I64) -> I64:
        """The value that each position in the text lies in."""
        return np.searchsorted(self.starts, positions, side="right") - 1

    def per_row(self, positions: I64) -> I64:
        """How many of these positions lie in each value."""
        return np.bincount(self.rows(positions), minlength=len(self.values))


def plain(joined: Joined) -> Mask:
    """Which values are one plain object each."""
    data = joined.data
    starts, ends = joined.starts, joined.starts + joined.lengths - 1
    fine = (joined.lengths >= 2) & (joined.lengths <= MAX_SCAN_BYTES)
    last = len(data) - 1
    fine &= data[np.minimum(starts, last)] == _OPEN
    fine &= data[np.clip(ends, 0, last)] == _CLOSE
    if fine.all() and _all_plain(joined):
        return fine
    for brace in (_OPEN, _CLOSE):
        # as many braces as values do not yet say that each value has one
        fine &= joined.per_row(np.flatnonzero(data == brace)) == 1
    odd = _ODD[data]
    odd[starts[1:] - 1] = False  # the newlines between the values
    fine &= joined.per_row(np.flatnonzero(odd)) == 0
    return fine


def _all_plain(joined: Joined) -> bool:
    """Whether nothing in the whole text is odd: the usual case, decided by counting."""
    n, data, text = len(joined.values), joined.data, joined.text
    return (
        text.isascii()
        and all(text.find(byte) < 0 for byte in (b"\\", b"[", b"]", b"\x7f"))
        and int(np.count_nonzero(data < 32)) == n - 1
        and int(np.count_nonzero(data == _OPEN)) == n
        and int(np.count_nonzero(data == _CLOSE)) == n
    )


def suspects(joined: Joined) -> I64:
    """Positions of values that have other than a text where the schema wants one, sorted.

    Most plain lines that do not parse are such: a number for a text. Seen by the byte after
    `":`; a producer that writes a space there makes all its lines suspects.
    """
    data, last = joined.data, len(joined.data) - 1
    colons = np.flatnonzero((data[1:] == _COLON) & (data[:-1] == _QUOTE)) + 1
    text = data[np.minimum(colons + 1, last)] == _QUOTE
    # only a name that ends like the number's can be it: few are compared whole
    number = data[np.maximum(colons - 2, 0)] == _NUMBER[-1]
    at = colons[number][:, None] - 1 - np.arange(len(_NUMBER), 0, -1)
    number[number] = (data[np.maximum(at, 0)] == _NUMBER).all(axis=1)
    seen = joined.rows(colons[text == number])
    no_key = np.flatnonzero(data[np.minimum(joined.starts + 1, last)] != _QUOTE)
    return np.union1d(seen, no_key)
