"""What walks through the steps: a batch of one partition, as columns.

Every array has one element a record; `index` leads back to the record's place in the raw
batch, so a verdict always finds the offset it belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.clock import now_ms
from schemas.reasons import Reason
from streams.blocks import Block
from streams.columns import I64, U64, Bytes, Mask
from streams.kernels.values import NO_TIME as NO_TIME  # what reads and what writes ask here
from streams.marks import Mark
from streams.rejects import NONE, Rejects
from streams.texts import Texts

I32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class RawBatch:
    """Records of one partition as the broker delivered them, in offset order.

    `marks`: those that are followed; `taken_ms`: when judging them began, if there are any.
    """

    partition: int
    offsets: I64
    appended: I64  # the broker's timestamps, ms since 1970 UTC
    keys: Texts
    values: Texts
    marks: tuple[Mark, ...] = ()
    taken_ms: int = 0

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "RawBatch":
        """From the blocks that were fetched of one partition, in their order."""
        pieces = [piece for block in blocks for piece in block.pieces]
        values = Texts.join([piece.values for piece in pieces])
        keys = Texts.within(values.data, [piece.keys for piece in pieces])
        marks = tuple(mark for block in blocks for mark in block.marks)
        return cls(
            blocks[0].partition,
            np.concatenate([piece.offsets for piece in pieces]),
            np.concatenate([piece.timestamps for piece in pieces]),
            keys,
            values,
            marks,
            now_ms() if marks else 0,
        )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def first(self) -> int:
        """The first offset."""
        return int(self.offsets[0])

    @property
    def last(self) -> int:
        """The last offset."""
        return int(self.offsets[-1])


@dataclass(frozen=True)
class Duplicate:
    """One record whose (person, event id) was seen before, and where."""

    index: int
    event_id: tuple[int, int]
    person: int
    producer: str
    first_partition: int
    first_offset: int


@dataclass(frozen=True)
class Scans:
    """Scans that passed so far. Shapes (n,); `code` is (n, 18) bytes, zero if not 18 long."""

    index: npt.NDArray[np.int64]
    event_hi: U64
    event_lo: U64
    person: U64
    key: Bytes  # the person's 13 characters, (n, 13)
    code: Bytes
    direction: npt.NDArray[np.int8]
    method: npt.NDArray[np.int8]
    scanned: I64
    recorded: I64  # NO_TIME where absent
    companions: npt.NDArray[np.uint8]
    producer: I32  # into `producers`
    producers: tuple[str, ...]
    device: pa.StringArray
    trip: pa.StringArray
    seat: pa.StringArray

    def __post_init__(self) -> None:
        self.key.flags.writeable = False  # one type for the loops, whoever made it

    def __len__(self) -> int:
        return len(self.index)

    def keep(self, mask: Mask) -> "Scans":
        """Only the rows where `mask` holds; itself if that is all of them."""
        if mask.all():
            return self
        return self.take(np.flatnonzero(mask))

    def take(self, rows: npt.NDArray[np.intp]) -> "Scans":
        """These rows, in this order."""
        changed: dict[str, Any] = {
            name: getattr(self, name)[rows] for name in _ARRAYS if len(getattr(self, name))
        }
        indices = pa.array(rows)
        changed |= {name: getattr(self, name).take(indices) for name in ("device", "trip", "seat")}
        return replace(self, **changed)


_ARRAYS: Final = (
    "index", "event_hi", "event_lo", "person", "key", "code", "direction", "method",
    "scanned", "recorded", "companions", "producer",
)  # fmt: skip


def join(parts: list[Scans]) -> Scans:
    """Several pieces of one batch as one, in the batch's order."""
    if len(parts) == 1:
        return parts[0]
    names: dict[str, int] = {}
    codes = []
    for part in parts:
        lookup = np.array(
            [names.setdefault(name, len(names)) for name in part.producers], dtype=np.int32
        )
        codes.append(lookup[part.producer] if len(part) else part.producer)
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in _ARRAYS
        if name != "producer"
    }
    texts = {
        name: pa.concat_arrays([getattr(part, name) for part in parts])
        for name in ("device", "trip", "seat")
    }
    whole = Scans(producer=np.concatenate(codes), producers=tuple(names), **arrays, **texts)
    return whole.take(np.argsort(whole.index, kind="stable"))


@dataclass
class Verdicts:
    """What the steps have decided about one raw batch so far."""

    raw: RawBatch
    scans: Scans
    rejected: Rejects = NONE
    duplicates: list[Duplicate] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)  # places in the batch
    unknown_fields: int = 0
    written: Scans | None = None  # that are in the tables already, see `streams.standing`

    def note(self, rows: Mask, reason: Reason, detail: str) -> None:
        """Refuse these rows of `scans`, leaving them where they are: the caller drops them."""
        refused = np.flatnonzero(rows)
        if not len(refused):
            return
        scans = self.scans
        every = np.ones(len(refused), dtype=bool)
        more = Rejects(
            scans.index[refused],
            np.zeros(len(refused), np.int32),
            ((reason, detail),),
            every,
            scans.event_hi[refused],
            scans.event_lo[refused],
            every,
            scans.person[refused],
            scans.producer[refused],
            scans.producers,
        )
        self.rejected = self.rejected.and_also(more)
