"""Refused records as columns: a topic full of garbage is refused without an object for each.

Reasons and their details are few and records many, so a record holds the number of its pair.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from schemas.reasons import Reason
from streams.columns import I64, U64, Mask

I32 = npt.NDArray[np.int32]
Why = tuple[Reason, str]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Rejected:
    """One refused record: where in the batch, why, and what could be read of it."""

    index: int
    reason: Reason
    detail: str
    event_id: tuple[int, int] | None = None
    person: int | None = None
    producer: str = ""


@dataclass(frozen=True)
class Rejects:
    """Refused records of one batch, shapes (n,); one by one, each is a `Rejected`.

    `why` counts `whys` and `producer` counts `producers`; `named` and `known` say where there are
    an event id and a person.
    """

    index: I64
    why: I32
    whys: tuple[Why, ...]
    named: Mask
    event_hi: U64
    event_lo: U64
    known: Mask
    person: U64
    producer: I32
    producers: tuple[str, ...]

    @classmethod
    def of(cls, rejected: Iterable[Rejected]) -> "Rejects":
        """From one by one."""
        some = list(rejected)
        whys: dict[Why, int] = {}
        producers: dict[str, int] = {}
        ids = [r.event_id or (0, 0) for r in some]
        return cls(
            np.array([r.index for r in some], np.int64),
            np.array([whys.setdefault((r.reason, r.detail), len(whys)) for r in some], np.int32),
            tuple(whys),
            np.array([r.event_id is not None for r in some], np.bool_),
            np.array([hi for hi, _ in ids], np.uint64),
            np.array([lo for _, lo in ids], np.uint64),
            np.array([r.person is not None for r in some], np.bool_),
            np.array([r.person or 0 for r in some], np.uint64),
            np.array([producers.setdefault(r.producer, len(producers)) for r in some], np.int32),
            tuple(producers),
        )

    def and_also(self, others: "Rejects") -> "Rejects":
        """All of both, in the batch's order."""
        if not len(self) or not len(others):
            return others if not len(self) else self
        whys, why = _numbered(self.whys, others.whys)
        producers, producer = _numbered(self.producers, others.producers)
        others = replace(others, why=why[others.why], producer=producer[others.producer])
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in _ARRAYS
        }
        both = Rejects(whys=whys, producers=producers, **joined)
        return both.take(np.argsort(both.index, kind="stable"))

    def take(self, rows: npt.NDArray[np.intp]) -> "Rejects":
        """These rows, in this order."""
        changed: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(self, **changed)

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[Rejected]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, at: int) -> Rejected:
        reason, detail = self.whys[self.why[at]]
        return Rejected(
            int(self.index[at]),
            reason,
            detail,
            (int(self.event_hi[at]), int(self.event_lo[at])) if self.named[at] else None,
            int(self.person[at]) if self.known[at] else None,
            self.producers[self.producer[at]],
        )


def _numbered(ours: tuple[_T, ...], theirs: tuple[_T, ...]) -> tuple[tuple[_T, ...], I32]:
    """The words of both, and the numbers that theirs have there."""
    words = {word: number for number, word in enumerate(ours)}
    numbers = [words.setdefault(word, len(words)) for word in theirs]
    return tuple(words), np.array(numbers, np.int32)


_ARRAYS: Final = (
    "index", "why", "named", "event_hi", "event_lo", "known", "person", "producer",
)  # fmt: skip
NONE: Final = Rejects.of(())
