"""The two check characters of a code: a Reed-Solomon code over GF(32).

A place's token is 18 symbols s0 … s17 of 5 bits. With a a generator of GF(32)* (x^5 + x^2 + 1), the
last two are such that

    s0 + s1 + … + s17             = 1
    s0 + a·s1 + … + a^17·s17      = 1

The weights differ in all 18 positions, so two sound tokens differ in at least three characters
(Reed and Solomon, 1960: a maximum distance separable code, d = n - k + 1 = 3). Hence every wrong
character, every two wrong characters and every swap of two characters is noticed, and one in
1,024 of everything else is not; for that there is the MAC. The first 1 keeps eighteen equal
characters from being sound, the second a token whose leading zero slipped to its end. The same
holds for up to 31 symbols; a person's card has 19 (`issuer/cards.py`).
"""

from collections.abc import Sequence
from typing import Final

LENGTH: Final = 18  # of a place's token
_LONGEST: Final = 31  # beyond it weights come again
SYNDROME: Final = (1, 1)

_POLYNOMIAL: Final = 0b100101


def multiply(x: int, y: int) -> int:
    """The product of two elements of GF(32)."""
    product = 0
    while y:
        if y & 1:
            product ^= x
        x <<= 1
        if x & 32:
            x ^= _POLYNOMIAL
        y >>= 1
    return product


def _powers(count: int) -> tuple[int, ...]:
    powers = [1]
    while len(powers) < count:
        powers.append(multiply(powers[-1], 2))
    return tuple(powers)


_WEIGHTS: Final = _powers(_LONGEST)
WEIGHTS: Final = _WEIGHTS[:LENGTH]
_INVERSE: Final = {x: y for x in range(1, 32) for y in range(1, 32) if multiply(x, y) == 1}

# what each symbol adds to the weighted sum, by position
_TIMES: Final = tuple(tuple(multiply(s, weight) for s in range(32)) for weight in _WEIGHTS)

assert len(set(_WEIGHTS)) == _LONGEST


def syndrome(symbols: Sequence[int]) -> tuple[int, int]:
    """Both sums over symbols 0-31; of a sound token they are `SYNDROME`."""
    plain = weighted = 0
    for symbol, times in zip(symbols, _TIMES, strict=False):
        plain ^= symbol
        weighted ^= times[symbol]
    return plain, weighted


def check_symbols(symbols: Sequence[int]) -> tuple[int, int]:
    """The last two symbols of the code that begins with these, at most 29."""
    assert len(symbols) <= _LONGEST - 2
    before_last, last = _WEIGHTS[len(symbols) : len(symbols) + 2]
    plain, weighted = syndrome(symbols)
    rest = plain ^ SYNDROME[0]
    lacking = weighted ^ SYNDROME[1] ^ multiply(last, rest)
    first = multiply(lacking, _INVERSE[before_last ^ last])
    return first, rest ^ first
