"""`codes.read` for a whole batch: the same answer for every token (a test holds them together)."""

from typing import Final

import numpy as np
import numpy.typing as npt

from issuer.check import LENGTH, SYNDROME, WEIGHTS, multiply
from schemas.ids import CROCKFORD

Bytes = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

# A token's 18 bytes are folded into two words, one for the eight symbols of place and version,
# one for the MAC and the check characters. Each word: 40 bits of fields, 10 bits of syndrome,
# above them one bit for each position whose byte is no symbol. Every bit of a field comes from
# one byte, so exclusive-or puts all of it together; two bytes are looked up at once.
_HALF: Final = 8
_FIELDS: Final = np.uint64(40)
_FIELD_MASK: Final = np.uint64(2**40 - 1)
_SOUND: Final = np.uint64(SYNDROME[0] << 5 | SYNDROME[1])


def _table() -> U64:
    """What byte b at position i adds to its word, shape (18, 256)."""
    table = np.zeros((LENGTH, 256), dtype=np.uint64)
    for position, weight in enumerate(WEIGHTS):
        within = position if position < _HALF else position - _HALF
        table[position, :] = np.uint64(1 << (50 + within))
        for value, symbol in enumerate(CROCKFORD):
            field = value << (35 - 5 * within) if within < _HALF else 0
            syndrome = value << 5 | multiply(value, weight)
            table[position, ord(symbol)] = field | syndrome << 40
    return table


def _pairs(table: U64) -> U64:
    """The same for bytes 2k and 2k + 1 as one little-endian number, shape (9, 65536)."""
    both = table[1::2, :, None] ^ table[0::2, None, :]
    return both.reshape(LENGTH // 2, 65_536)


_TABLE: Final = _pairs(_table())


def decode_tokens(
    tokens: Bytes,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16], U64, Mask]:
    """Tokens as bytes (n, 18) to place, version, MAC and whether `read` would take them, (n,).

    The other three are 0 where a token is not well-formed. Who made it is not checked.
    """
    assert tokens.shape[1:] == (LENGTH,)
    pairs = np.ascontiguousarray(tokens).view("<u2")
    place_version = np.zeros(len(tokens), dtype=np.uint64)
    mac = np.zeros(len(tokens), dtype=np.uint64)
    for k in range(LENGTH // 2):
        word = place_version if 2 * k < _HALF else mac
        word ^= _TABLE[k][pairs[:, k]]
    # the two words mark bytes that are no symbol in bits of their own: 8 and 10 positions
    rest = (place_version >> _FIELDS) ^ (mac >> _FIELDS)
    marked = (place_version | mac) >> np.uint64(50)
    wellformed = (rest == _SOUND) & (marked == 0)
    place_version &= _FIELD_MASK
    mac &= _FIELD_MASK
    place_version[~wellformed] = 0
    mac[~wellformed] = 0
    place = (place_version >> np.uint64(10)).astype(np.uint32)
    version = (place_version & np.uint64(1023)).astype(np.uint16)
    return place, version, mac, wellformed


def decode_places(tokens: Bytes) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16], Mask]:
    """`decode_tokens` without the MAC: place, version, well-formed; each (n,)."""
    place, version, _, wellformed = decode_tokens(tokens)
    return place, version, wellformed
