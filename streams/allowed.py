"""What producers may publish, as tables: a batch asks for all of its producers at once.

Made when a producer changes, not for each batch: thousands of producers may be in one, each with
hundreds of places.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.places import Producer
from schemas.scan import Method
from streams.columns import Mask
from streams.kernels import pairs as kernel

I32 = npt.NDArray[np.int32]
_METHOD_NUMBERS: Final = {method: number for number, method in enumerate(Method, start=1)}
_WARD: Final = int(kernel.WARD)
_UNKNOWN: Final = 0  # of producers; the others count from 1


class Allowed:
    """Producers by number, and what each may do. Read by many threads, never changed.

    `limits`: whether any is limited to places or wards.
    """

    def __init__(self, producers: Sequence[Producer], wards: Mapping[str, int]) -> None:
        """`wards`: the numbers of those that have places; no other ward allows anything."""
        self._numbers = {one.id: number for number, one in enumerate(producers, start=1)}
        self._methods = np.zeros((1 + len(producers), 1 + len(Method)), bool)
        self._limited = np.zeros(1 + len(producers), bool)
        things: list[int] = []
        ends = np.zeros(1 + len(producers), np.int64)
        for number, one in enumerate(producers, start=1):
            if one.active:
                methods = one.methods if one.methods is not None else Method
                self._methods[number, [_METHOD_NUMBERS[method] for method in methods]] = True
            if one.places is not None or one.wards is not None:
                self._limited[number] = True
                things += _things(one, wards)
            ends[number] = len(things)
        above = np.repeat(np.arange(len(ends), dtype=np.uint64), np.diff(ends, prepend=0))
        self._slots = np.zeros(1 << (2 * len(things)).bit_length(), np.uint64)
        kernel.enter(self._slots, above << kernel.SHIFT | np.array(things, np.uint64))
        self.limits = bool(self._limited.any())

    def numbers(self, producers: Sequence[str]) -> I32:
        """The number of each of these names."""
        found = map(self._numbers.get, producers, repeat(_UNKNOWN))
        return np.fromiter(found, np.int32, len(producers))

    def by_method(self, producer: I32, method: npt.NDArray[np.int8]) -> Mask:
        """Which scans come from a registered, active producer by a method it may use."""
        allowed: Mask = self._methods[producer, method]
        return allowed

    def barred(
        self, producer: I32, place: npt.NDArray[np.uint32], ward: npt.NDArray[np.int32]
    ) -> Mask:
        """Which scans are of places that their producer is not registered for.

        A producer that is not known is not barred here: that is judged by `by_method`.
        """
        return kernel.barred(self._slots, self._limited, producer, place, ward)


def _things(one: Producer, wards: Mapping[str, int]) -> list[int]:
    """The places and wards that this producer is registered for, as the loops tell them apart."""
    places = [place for place in one.places or () if 0 <= place < _WARD]
    return places + [_WARD + wards[code] for code in one.wards or () if code in wards]
