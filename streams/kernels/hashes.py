"""A scan's content as 64 bits, and the partition of a person's key."""

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int8]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_M1: Final = np.uint64(0xBF58476D1CE4E5B9)
_M2: Final = np.uint64(0x94D049BB133111EB)
_SEED: Final = np.uint64(0x9E3779B97F4A7C15)


@kernel
def mix(h: np.uint64) -> np.uint64:
    """splitmix64's finaliser (S. Vigna, public domain): every bit moves every other."""
    h = (h ^ (h >> np.uint64(30))) * _M1
    h = (h ^ (h >> np.uint64(27))) * _M2
    return h ^ (h >> np.uint64(31))


@kernel
def fold(h: np.uint64, word: np.uint64) -> np.uint64:
    """`h` with one more 64-bit word taken in."""
    return mix(h ^ (word + _SEED + (h << np.uint64(6))))


@kernel
def _word(data: Bytes, at: int, count: int) -> np.uint64:
    """Up to eight bytes from `at` on as a number, the first the lowest."""
    word = np.uint64(0)
    for k in range(min(count, 8)):
        word |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return word


@kernel
def text_hash(data: Bytes, at: int, length: int, salt: np.uint64) -> np.uint64:
    """The hash of one text: its length and its bytes."""
    hashed = fold(salt, np.uint64(length))
    for begin in range(0, length, 8):
        hashed = fold(hashed, _word(data, at + begin, length - begin))
    return hashed


@kernel
def fold_texts(h: U64, offsets: I32, data: Bytes) -> None:
    """Take each text's length and its bytes into `h`, in place."""
    for row in range(len(h)):
        at, end = offsets[row], offsets[row + 1]
        hashed = fold(h[row], np.uint64(end - at))
        while at < end:
            hashed = fold(hashed, _word(data, at, end - at))
            at += 8
        h[row] = hashed


@kernel
def fold_scans(
    h: U64,
    event_hi: U64,
    code: Bytes,
    direction: I8,
    method: I8,
    companions: Bytes,
    scanned: I64,
    recorded: I64,
) -> None:
    """Take the parts of a scan that have a fixed length into `h`, in place."""
    for row in range(len(h)):
        hashed = fold(h[row], event_hi[row])
        hashed = fold(hashed, _word(code[row], 0, 8))
        hashed = fold(hashed, _word(code[row], 8, 8))
        small = _word(code[row], 16, 2)
        small |= np.uint64(direction[row]) << np.uint64(16)
        small |= np.uint64(method[row]) << np.uint64(24)
        small |= np.uint64(companions[row]) << np.uint64(32)
        hashed = fold(hashed, small)
        hashed = fold(hashed, np.uint64(scanned[row]))
        h[row] = fold(hashed, np.uint64(recorded[row]))


@kernel
def partitions(keys: Bytes, count: int) -> I64:
    """The partition of each of these keys, (n, 13): (murmur2 & 0x7fffffff) mod `count`.

    Source: Apache Kafka, `Utils.murmur2`, which its clients partition by.
    """
    m = np.uint32(0x5BD1E995)
    width = keys.shape[1]
    found = np.empty(len(keys), np.int64)
    for row in range(len(keys)):
        h = np.uint32(0x9747B28C) ^ np.uint32(width)
        at = 0
        while at + 4 <= width:
            w = np.uint32(np.uint32(_word(keys[row], at, 4)) * m)
            w = np.uint32(w ^ (w >> np.uint32(24)))
            h = np.uint32(np.uint32(h * m) ^ np.uint32(w * m))
            at += 4
        if at < width:
            h = np.uint32(np.uint32(h ^ np.uint32(_word(keys[row], at, width - at))) * m)
        h = np.uint32(np.uint32(h ^ (h >> np.uint32(13))) * m)
        h = np.uint32(h ^ (h >> np.uint32(15)))
        found[row] = np.int64(h & np.uint32(0x7FFFFFFF)) % count
    return found


@kernel
def is_key(data: Bytes, begins: I64, lengths: I64, rows: I64, keys: Bytes) -> Mask:
    """Whether the text at each of these rows is the key beside it."""
    same = np.empty(len(rows), np.bool_)
    for k in range(len(rows)):
        at = begins[rows[k]]
        same[k] = lengths[rows[k]] == keys.shape[1]
        if same[k]:
            for column in range(keys.shape[1]):
                if data[at + column] != keys[k, column]:
                    same[k] = False
    return same
