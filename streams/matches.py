"""Looking keys of a batch up among rising ones, all at once."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.columns import I64, U64
from tracer.columns import ranges

Keys = npt.NDArray[Any]

_PAIRS: Final = 2_000_000  # that are made at once
_FEWEST: Final = 1 << 20
_MOST: Final = 1 << 24
_ROOM: Final = 8  # bits for each key


def matches(rising: Keys, keys: Keys) -> Iterator[tuple[I64, I64]]:
    """Every (row of `keys`, position in `rising`) of two that are equal, in parts."""
    first = np.searchsorted(rising, keys, "left")
    behind = np.searchsorted(rising, keys, "right")
    found = np.flatnonzero(first < behind)
    for rows in np.array_split(found, 1 + int((behind - first).sum()) // _PAIRS):
        positions, of = ranges(first[rows], behind[rows])
        yield rows[of], positions


class Sieve:
    """Tells most keys that are not among some by one look; keys are random in their low bits."""

    def __init__(self, keys: U64) -> None:
        size = _FEWEST
        while size < min(_ROOM * len(keys), _MOST):
            size *= 2
        self._mask = np.uint64(size - 1)
        self._bits = np.zeros(size, bool)
        self._left = size // _ROOM
        self.add(keys)

    @property
    def full(self) -> bool:
        """Whether a larger one would tell more."""
        return self._left < 0 and len(self._bits) < _MOST

    def add(self, keys: U64) -> None:
        """More of them."""
        self._bits[(keys & self._mask).astype(np.int64)] = True
        self._left -= len(keys)

    def rows(self, keys: U64) -> I64:
        """Where keys may be among them; where not, they are not."""
        return np.flatnonzero(self._bits[(keys & self._mask).astype(np.int64)])
