"""Which values may be joined and read together: one plain JSON object each.

A value with a newline, two objects or nothing in it would shift every record after it. So a
value is plain only if it is ASCII without control characters, backslashes and square brackets,
and holds exactly one `{` (its first byte) and one `}` (its last). All of it is seen in a few
passes over the bytes of the whole batch.
"""

from typing import Final

import numpy as np

from schemas.scan import MAX_SCAN_BYTES
from streams.columns import I64, Mask

# which bytes make a value other than plain; ASCII letters, digits and marks are 0
_ODD: Final = np.zeros(256, dtype=bool)
_ODD[:32] = _ODD[127:] = True
_ODD[[ord(c) for c in "\\[]"]] = True
_OPEN, _CLOSE = ord("{"), ord("}")

_QUOTE, _COLON = ord('"'), ord(":")
_NUMBER: Final = np.frombuffer(b"companions", dtype=np.uint8)


def plain(values: list[bytes | None]) -> Mask:
    """Which values are one plain object each."""
    sizes = np.fromiter((len(v) if v else 0 for v in values), np.int64, len(values))
    result = (sizes >= 2) & (sizes <= MAX_SCAN_BYTES)
    some = np.flatnonzero(result)
    if not len(some):
        return result
    picked = values if len(some) == len(values) else [values[i] for i in some]
    data = np.frombuffer(b"".join(picked), dtype=np.uint8)  # type: ignore[arg-type]
    lengths = sizes[some]
    starts = np.cumsum(lengths) - lengths
    ends = starts + lengths - 1
    fine = (data[starts] == _OPEN) & (data[ends] == _CLOSE)
    for brace in (_OPEN, _CLOSE):
        where = np.flatnonzero(data == brace)
        if len(where) != len(some):
            fine &= _per_row(where, starts) == 1
    odd = np.flatnonzero(_ODD[data])
    if len(odd):
        fine &= _per_row(odd, starts) == 0
    result[some] = fine
    return result


def suspects(texts: list[bytes]) -> I64:
    """Positions of lines that have a value other than a text where the schema wants one.

    Most lines that do not parse are such: a number for a text. Seen by the byte after `":`; a
    producer that writes a space there makes all its lines suspects, and they are read in pieces.
    """
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    starts = np.cumsum(lengths) - lengths
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)
    colons = np.flatnonzero((data[1:] == _COLON) & (data[:-1] == _QUOTE)) + 1
    text = data[np.minimum(colons + 1, len(data) - 1)] == _QUOTE
    # only a name that ends like the number's can be it: few are compared whole
    number = data[colons - 2] == _NUMBER[-1]
    at = colons[number][:, None] - 1 - np.arange(len(_NUMBER), 0, -1)
    number[number] = (data[np.maximum(at, 0)] == _NUMBER).all(axis=1)
    seen = np.searchsorted(starts, colons[text == number], side="right") - 1
    no_key = np.flatnonzero(data[starts + 1] != _QUOTE)
    return np.union1d(seen, no_key)


def _per_row(where: I64, starts: I64) -> I64:
    """How many of these positions lie in each row; rows begin at `starts`."""
    rows = np.searchsorted(starts, where, side="right") - 1
    return np.bincount(rows, minlength=len(starts))
