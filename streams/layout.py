"""Reading many scans by where their values must stand.

Programs write a scan the same way every time: no spaces, the same fields in the same order, all of
them texts, most of a fixed length. So where one value ends is known or a few bytes away, and one
comparison says whether the next one's name follows: several times faster than a JSON parser, which
must ask at every byte. A line that is written otherwise, even in one byte, is not read here: it
goes to the parser.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import orjson
import pyarrow as pa

from streams.columns import I64, U64, Bytes, Mask
from streams.plain import Joined

Columns = dict[str, pa.StringArray]

# characters of the values that have always as many
_WIDTHS: Final = {"event_id": 36, "person": 13, "code": 18, "scanned_at": 24, "recorded_at": 24}
# one way of writing that many lines share is looked for this often
_TEMPLATES: Final = 8
_FIRST, _LAST = 33, 126  # visible ASCII: no space, no control character
_LOOK: Final = 72  # bytes of a text that are looked at for its end, in words of eight
_PAD: Final = bytes(_LOOK + 56)  # a look ahead, and a name after it, reach no further


def read_by_layout(
    joined: Joined, fields: Sequence[str], required: Sequence[str]
) -> tuple[Columns, I64]:
    """Columns of the lines that could be read so, and which lines those are, in order.

    A field that none of them has is a column of nulls.
    """
    rows = np.flatnonzero(_visible(joined))
    data = np.frombuffer(joined.text + _PAD, dtype=np.uint8)
    parts: list[tuple[Columns, I64]] = []
    for _ in range(_TEMPLATES):
        if not len(rows):
            break
        names = _names(joined.values[rows[0]], fields, required)
        if names is None:
            rows = rows[1:]
            continue
        found, same = _read_as(data, joined.starts[rows], joined.lengths[rows], names, fields)
        if same.all():
            parts.append((found, rows))
            break
        parts.append((found, rows[same]))
        rows = rows[~same]
    if not parts:
        return {}, rows[:0]
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(rows := np.concatenate([rows for _, rows in parts]), kind="stable")
    columns = {
        name: pa.concat_arrays([part[name] for part, _ in parts]).take(pa.array(order))
        for name in fields
    }
    return columns, rows[order]


def _visible(joined: Joined) -> Mask:
    """Lines of visible ASCII without a backslash: what stands between two quotes is the text."""
    data, n = joined.data, len(joined.values)
    fine = np.ones(n, dtype=bool)
    odd = (data - np.uint8(_FIRST)) > _LAST - _FIRST
    if np.count_nonzero(odd) != n - 1:
        odd[joined.starts[1:] - 1] = False  # the newlines between the lines
        fine &= joined.per_row(np.flatnonzero(odd)) == 0
    if b"\\" in joined.text:
        fine &= joined.per_row(np.flatnonzero(data == ord("\\"))) == 0
    return fine


def _names(line: bytes, fields: Sequence[str], required: Sequence[str]) -> list[str] | None:
    """The fields of this line in its order, if it is a scan of texts, written without spaces."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict) or not all(name in record for name in required):
        return None
    if not all(name in fields and isinstance(value, str) for name, value in record.items()):
        return None
    # written otherwise, if only in a space, or with a field twice
    return list(record) if orjson.dumps(record) == line else None


def _read_as(
    data: Bytes, begins: I64, lengths: I64, names: list[str], fields: Sequence[str]
) -> tuple[Columns, Mask]:
    """Columns of the lines that are written as these names make it, and which those are."""
    same = np.ones(len(begins), dtype=bool)
    at, places = begins, []
    for k, name in enumerate(names):
        expected = (f'","{name}":"' if k else f'{{"{name}":"').encode()
        same &= _taken(data, at, len(expected)) == expected
        # a line that is no longer the same, cut short for one, may point past the end: it goes
        # back to where it begins, so that one text is the farthest that is ever looked ahead
        at = np.where(same, at + len(expected), begins)
        width = _WIDTHS.get(name)
        size = _to_quote(data, at) if width is None else np.full(len(at), width)
        places.append((name, at, size))
        at = at + size
    same &= _taken(data, at, 2) == b'"}'
    same &= at + 2 == begins + lengths
    for name, where, _ in places:
        if name == "code":  # the form of the other fixed lengths leaves no room for a quote
            same &= ~_holds_quote(data, where, _WIDTHS[name])
    count = int(np.count_nonzero(same))
    columns: Columns = dict.fromkeys(fields, pa.nulls(count, pa.string()))
    kept = slice(None) if count == len(same) else np.flatnonzero(same)
    for name, where, size in places:
        columns[name] = _texts(data, where[kept], size[kept])
    return columns, same


def _holds_quote(data: Bytes, begin: I64, width: int) -> Mask:
    taken = _taken(data, begin, width)
    mask: Mask = (taken.view(np.uint8).reshape(-1, width) == ord('"')).any(axis=1)
    return mask


_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_QUOTES: Final = _ONES * np.uint64(ord('"'))


def _to_quote(data: Bytes, begin: I64) -> I64:
    """Bytes from each position to the next quote, or `_LOOK`.

    Eight at a time: the classic test for a zero byte in a word (Mycroft, 1987).
    """
    words: np.ndarray[tuple[int], np.dtype[np.uint64]] = np.ndarray(
        (len(data) - 7,), dtype="<u8", buffer=data.data, strides=(1,)
    )
    size = np.zeros(len(begin), dtype=np.int64)
    pending: I64 | slice = slice(None)
    for step in range(0, _LOOK, 8):
        word: U64 = words[begin[pending] + step] ^ _QUOTES
        zero = (word - _ONES) & ~word & _HIGH
        before = np.bitwise_count((zero & (~zero + np.uint64(1))) - np.uint64(1)) // 8
        size[pending] += before
        left = before == 8
        if not left.any():
            break
        pending = np.flatnonzero(left) if isinstance(pending, slice) else pending[left]
    return size


def _texts(data: Bytes, begin: I64, lengths: I64) -> pa.StringArray:
    n = len(begin)
    offsets = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    width = int(lengths[0]) if n else 0
    if width and (lengths == width).all():
        taken = _taken(data, begin, width)
    else:
        shift = np.repeat(begin - offsets[:-1], lengths)
        taken = data[shift + np.arange(offsets[-1])]
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(taken))


def _taken(data: Bytes, begin: I64, width: int) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    """`width` bytes from each position on."""
    pieces = np.ndarray((len(data) - width + 1,), dtype=f"S{width}", buffer=data.data, strides=(1,))
    return pieces[begin]
