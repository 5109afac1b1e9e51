"""Dead letters: each refused record as it came, with where it was and why, on `scans.v1.dlq`.

The key is the original's topic, partition and offset: publishing one again changes nothing.
"""

from importlib.metadata import version
from typing import Final

import numpy as np

from schemas.topics import DLQ, SCANS_MAX_MESSAGE
from streams.batch import Verdicts
from streams.kernels import letters as kernel
from streams.packed import Packed

_VERSION: Final = version("truyvet")
# A batch that compresses well can hold more than its topic's limit. What does not fit the DLQ is
# cut there, under the header `truncated`; the row in `rejects` keeps all of it.
_MOST: Final = SCANS_MAX_MESSAGE
_MOST_KEY: Final = 16 * 1024


def dead_letters(topic: str, verdicts: Verdicts) -> list[Packed]:
    """One record for each reject of the batch, in as few record batches as the DLQ takes."""
    raw, rejected = verdicts.raw, verdicts.rejected
    rows = rejected.index
    if not len(rows):
        return []
    sizes = np.maximum(raw.values.lengths[rows], 0)
    lengths = np.minimum(sizes, _MOST)
    key_lengths = np.minimum(raw.keys.lengths[rows], _MOST_KEY)
    tails = [
        _header("reason", reason.value) + _header("detail", detail) + _header("version", _VERSION)
        for reason, detail in rejected.whys
    ]
    head = _header("topic", topic) + _header("partition", str(raw.partition)) + _text("offset")
    prefix = f"{topic}/{raw.partition}/".encode()
    pieces = [prefix, head, *map(_text, ("timestamp", "key", "truncated")), *tails]
    piece_sizes = np.array([len(piece) for piece in pieces])
    rooms = lengths + np.maximum(key_lengths, 0) + piece_sizes[kernel.TAIL + rejected.why]
    rooms += kernel.ROOM + piece_sizes[: kernel.TAIL].sum()
    written = np.empty(int(min(rooms.sum(), max(rooms.max(), _MOST))), dtype=np.uint8)
    letters = kernel.Letters(
        raw.values.data,
        raw.values.begins[rows],
        lengths,
        sizes,
        raw.keys.data,
        raw.keys.begins[rows],
        key_lengths,
        raw.offsets[rows],
        raw.appended[rows],
        rejected.why,
        np.frombuffer(b"".join(pieces), dtype=np.uint8),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(piece_sizes)]),
    )
    packed, row = [], 0
    while row < len(rows):
        end, size = kernel.write(letters, row, _MOST, written)
        packed.append(Packed.of(DLQ.name, raw.partition, written[:size], end - row))
        row = end
    return packed


def _text(text: str) -> bytes:
    """Length and UTF-8 bytes, as a record's headers have them."""
    encoded = text.encode()
    number, length = len(encoded) << 1, bytearray()
    while number >= 128:
        length.append(number & 127 | 128)
        number >>= 7
    return bytes((*length, number)) + encoded


def _header(name: str, value: str) -> bytes:
    return _text(name) + _text(value)
