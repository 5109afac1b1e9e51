"""What identifies a scan, and which of the duplicate window's tables holds it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.columns import I64, U64, mix

# what grows or spills is never all of it at once; more tables would cost small batches
TABLES: Final = 4
_TABLE_BITS: Final = np.uint64(62)
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

    def hashes(self, salt: np.uint64) -> U64:
        """Of the key, not of content and origin."""
        result: U64 = mix(self.event_lo ^ mix(self.event_hi ^ mix(self.person ^ salt)))
        return result


@dataclass(frozen=True)
class Sorted:
    """Keys by table: `order` sorts them so, `bounds` are the first of each and the end."""

    keys: Keys
    hashes: U64
    order: I64
    bounds: list[int]

    @classmethod
    def of(cls, keys: Keys, salt: int) -> "Sorted":
        """The table is told by the highest bits: slots are told by the lowest."""
        hashes = keys.hashes(np.uint64(salt))
        which = (hashes >> _TABLE_BITS).astype(np.uint8)
        order = np.argsort(which, kind="stable")
        bounds = np.searchsorted(which[order], np.arange(TABLES + 1))
        return cls(keys.take(order), hashes[order], order, bounds.tolist())

    def part(self, table: int) -> tuple[slice, Keys, U64]:
        """Where the table's rows are among the sorted ones, they, and their hashes."""
        rows = slice(self.bounds[table], self.bounds[table + 1])
        return rows, self.keys.take(rows), self.hashes[rows]


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
