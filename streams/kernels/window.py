"""The duplicate window's tables: open addressing, probed key by key."""

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel
from streams.kernels.hashes import mix

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
I32 = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

# columns of a table's entries, as the fields of `streams.keys.Keys`
EVENT_HI, EVENT_LO, PERSON, CONTENT, ORIGIN = range(5)
COLUMNS: Final = 5
FREE: Final = -1  # of a table's slots; those of fingerprints are 0


@kernel
def _hash(hi: np.uint64, lo: np.uint64, person: np.uint64, salt: np.uint64) -> np.uint64:
    return mix(lo ^ mix(hi ^ mix(person ^ salt)))


@kernel
def hash_keys(hi: U64, lo: U64, person: U64, salt: np.uint64, found: U64) -> None:
    """Hash each key into `found`."""
    for row in range(len(found)):
        found[row] = _hash(hi[row], lo[row], person[row], salt)


@kernel
def hash_entries(entries: U64, salt: np.uint64, found: U64) -> None:
    """Hash as many of the first entries as there is room for."""
    for row in range(len(found)):
        found[row] = _hash(
            entries[row, EVENT_HI], entries[row, EVENT_LO], entries[row, PERSON], salt
        )


@kernel
def enter(
    slots: I32, entries: U64, count: int, hi: U64, lo: U64, person: U64, content: U64, origin: U64,
    hashed: U64, new: Mask, first: U64, what: U64,
) -> int:  # fmt: skip
    """Enter the keys that are new; of all, origin and content of the first in `first` and `what`.

    `entries`, shape (room, 5), has `count` of them and room for all; returns how many it has then.
    Keys are compared whole.
    """
    mask = np.uint64(len(slots) - 1)
    for row in range(len(hashed)):
        at = hashed[row] & mask
        while True:
            entry = slots[at]
            if entry == FREE:
                entry = count
                count += 1
                slots[at] = entry
                entries[entry, EVENT_HI] = hi[row]
                entries[entry, EVENT_LO] = lo[row]
                entries[entry, PERSON] = person[row]
                entries[entry, CONTENT] = content[row]
                entries[entry, ORIGIN] = origin[row]
                new[row] = True
                break
            if (
                entries[entry, EVENT_LO] == lo[row]
                and entries[entry, EVENT_HI] == hi[row]
                and entries[entry, PERSON] == person[row]
            ):
                new[row] = False
                break
            at = at + np.uint64(1) & mask
        first[row] = entries[entry, ORIGIN]
        what[row] = entries[entry, CONTENT]
    return count


@kernel
def seat(slots: I32, entries: U64, count: int, salt: np.uint64) -> None:
    """Give each of the first `count` entries, all of them different, a slot; all slots are free."""
    mask = np.uint64(len(slots) - 1)
    for entry in range(count):
        at = _hash(entries[entry, EVENT_HI], entries[entry, EVENT_LO], entries[entry, PERSON], salt)
        at = at & mask
        while slots[at] != FREE:
            at = at + np.uint64(1) & mask
        slots[at] = entry


@kernel
def _mark(hashed: np.uint64) -> np.uint32:
    """A fingerprint of 32 bits, never 0."""
    return np.uint32(hashed >> np.uint64(32)) | np.uint32(1)


@kernel
def remember(slots: U32, hashed: U64) -> None:
    """Enter the fingerprint of each hash; one that is there already is not entered twice."""
    mask = np.uint64(len(slots) - 1)
    for row in range(len(hashed)):
        mark = _mark(hashed[row])
        at = hashed[row] & mask
        while slots[at] != np.uint32(0) and slots[at] != mark:
            at = at + np.uint64(1) & mask
        slots[at] = mark


@kernel
def may_hold(slots: U32, hashed: U64, found: Mask) -> None:
    """Say yes in `found` for each hash whose fingerprint is there, as it is met on its way."""
    mask = np.uint64(len(slots) - 1)
    for row in range(len(hashed)):
        mark = _mark(hashed[row])
        at = hashed[row] & mask
        while slots[at] != np.uint32(0):
            if slots[at] == mark:
                found[row] = True
                break
            at = at + np.uint64(1) & mask
