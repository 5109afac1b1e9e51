"""Who may report what: a set of (producer, place or ward) pairs, probed scan by scan."""

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel
from streams.kernels.hashes import mix

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
I32 = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

# A pair is the producer's number, from 1, above the place's; a ward's is marked by its top bit.
SHIFT: Final = np.uint64(32)
WARD: Final = np.uint64(1 << 31)
_FREE: Final = np.uint64(0)


@kernel
def enter(slots: U64, pairs: U64) -> None:
    """Enter each pair; there are more slots than pairs, a power of two of them."""
    mask = np.uint64(len(slots) - 1)
    for row in range(len(pairs)):
        at = mix(pairs[row]) & mask
        while slots[at] != _FREE and slots[at] != pairs[row]:
            at = at + np.uint64(1) & mask
        slots[at] = pairs[row]


@kernel
def _holds(slots: U64, pair: np.uint64) -> bool:
    mask = np.uint64(len(slots) - 1)
    at = mix(pair) & mask
    while slots[at] != _FREE:
        if slots[at] == pair:
            return True
        at = at + np.uint64(1) & mask
    return False


@kernel
def barred(slots: U64, limited: Mask, producer: I32, place: U32, ward: I32) -> Mask:
    """Which scans come from a limited producer and are of neither its places nor its wards."""
    found = np.zeros(len(producer), np.bool_)
    for row in range(len(producer)):
        if limited[producer[row]]:
            above = np.uint64(producer[row]) << SHIFT
            found[row] = not (
                _holds(slots, above | np.uint64(place[row]))
                or _holds(slots, above | WARD | np.uint64(ward[row]))
            )
    return found
