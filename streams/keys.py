"""What identifies a scan."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from streams.columns import I64, U64
from streams.kernels import window as kernel

_OFFSET_BITS: Final = np.uint64(48)


@dataclass(frozen=True)
class Keys:
    """What identifies scans, tells their contents apart, and where they came from, shape (n,)."""

    event_hi: U64
    event_lo: U64
    person: U64
    content: U64
    origin: U64

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: I64 | slice) -> "Keys":
        """These rows; a slice shares their memory."""
        return Keys(
            self.event_hi[rows], self.event_lo[rows], self.person[rows],
            self.content[rows], self.origin[rows],
        )  # fmt: skip

    def hashes(self, salt: int) -> U64:
        """Of the key, not of content and origin."""
        found = np.empty(len(self), np.uint64)
        keys = self.as_kernels_want()
        kernel.hash_keys(keys.event_hi, keys.event_lo, keys.person, np.uint64(salt), found)
        return found

    def as_kernels_want(self) -> "Keys":
        """Every column contiguous and writable: a loop is compiled for one kind of array."""
        return Keys(
            _plain(self.event_hi), _plain(self.event_lo), _plain(self.person),
            _plain(self.content), _plain(self.origin),
        )  # fmt: skip


def joined(several: Sequence[Keys]) -> Keys:
    """One after the other."""
    return Keys(
        *(np.concatenate([getattr(keys, f.name) for keys in several]) for f in fields(Keys))
    )


def _plain(column: U64) -> U64:
    return np.require(column, np.uint64, ("C", "W"))


def origins(partition: int | I64, offsets: I64) -> U64:
    """Partition and offset in one number: the offset in the low 48 bits."""
    high = np.asarray(partition).astype(np.uint64) << _OFFSET_BITS
    result: U64 = high | offsets.astype(np.uint64)
    return result


def origin_partition(origin: int) -> int:
    """The partition of an origin."""
    return origin >> 48


def origin_offset(origin: int) -> int:
    """The offset of an origin."""
    return origin & ((1 << 48) - 1)
