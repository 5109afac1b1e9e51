"""Scans this process published a short while ago: `pending` until the worker has written them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.ids import PERSON_LENGTH
from streams.slowpath import uuid_halves

_MOST: Final = 100_000  # some 7 MB
_PRODUCER: Final = 32  # characters; see PRODUCER_PATTERN

Persons = npt.NDArray[np.bytes_]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Keys:
    """What scans are known by: the person's 13 characters and the event id's two halves."""

    persons: Persons
    event_hi: U64
    event_lo: U64

    def __len__(self) -> int:
        return len(self.persons)

    @classmethod
    def of(cls, persons: Sequence[bytes], event_ids: Sequence[str]) -> "Keys":
        """From the texts of scans."""
        halves = np.array([uuid_halves(e) for e in event_ids], np.uint64).reshape(-1, 2)
        return cls(np.array(persons, f"S{PERSON_LENGTH}"), halves[:, 0], halves[:, 1])


class Recent:
    """The newest acknowledged scans and who sent each; a bound, not a promise.

    A ring of columns: a batch goes in as a whole and pushes the oldest out.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._next = 0
        self._persons: Persons = np.zeros(most, f"S{PERSON_LENGTH}")
        self._hi: U64 = np.zeros(most, np.uint64)
        self._lo: U64 = np.zeros(most, np.uint64)
        self._producers: npt.NDArray[np.bytes_] = np.zeros(most, f"S{_PRODUCER}")

    def add(self, producer: str, keys: Keys) -> None:
        """The broker has these of this producer."""
        most = len(self._hi)
        begin = max(0, len(keys) - most)
        while begin < len(keys):
            # up to the ring's end, then on from its start: whole slices, which are only copied
            count = min(len(keys) - begin, most - self._next)
            at, taken = slice(self._next, self._next + count), slice(begin, begin + count)
            self._persons[at] = keys.persons[taken]
            self._hi[at], self._lo[at] = keys.event_hi[taken], keys.event_lo[taken]
            self._producers[at] = producer.encode()
            begin += count
            self._next = (self._next + count) % most

    def has(self, person: str, event_id: str, producer: str | None) -> bool:
        """Whether this producer (None: anyone) sent it not long ago."""
        hi, lo = (np.uint64(half) for half in uuid_halves(event_id))
        at = np.flatnonzero(self._lo == lo)
        at = at[(self._hi[at] == hi) & (self._persons[at] == person.encode())]
        if producer is None:
            return bool(len(at))
        return bool((self._producers[at] == producer.encode()).any())
