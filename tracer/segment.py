"""Scans of one week in two orders, as plain columns: what a trace looks up, ready to be looked up.

A segment holds the rows of one or more of the table's parts, by person and by place and hour. It
is never changed; `streams.segments` makes it, in memory or mapped from files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tracer.columns import I64, NONE, U32, U64, changes, log_number, ranges, rows_in
from tracer.packed import LAYOUT

Rows = npt.NDArray[Any]

# Of a scan as it is looked up by person; `trip` is the number of a text of `Segment.trips`.
BY_PERSON: Final = np.dtype([("packed", LAYOUT), ("trip", "<u4")])
# As it is looked up by place and hour: `t` in milliseconds UTC, `late` from there to the broker's
# time (`UNKNOWN` of a typed one), `direction` as the table numbers it; `producer` as `trip`.
BY_HOUR: Final = np.dtype(
    [
        ("person", "<u8"),
        ("t", "<i8"),
        ("late", "<i8"),
        ("producer", "<u4"),
        ("direction", "i1"),
        ("companions", "u1"),
    ]
)
UNKNOWN: Final = np.iinfo(np.int64).min
_HOUR_MS: Final = 3_600_000
_HOUR_BITS: Final = 24  # hours since 1970 until the year 3883


@dataclass(frozen=True, eq=False)
class Segment:
    """`persons` and `hours` (`hour_key`), rising, each once; rows `of_person[n]` to before
    `of_person[n + 1]` of `by_person` are those of `persons[n]`, and so by hour.

    `trips`, `producers`: the texts that the rows number. `partition`: the week's id in the table.
    """

    partition: str
    persons: U64
    of_person: I64
    by_person: Rows
    hours: I64
    of_hour: I64
    by_hour: Rows
    trips: Sequence[str]
    producers: Sequence[str]

    def __len__(self) -> int:
        return len(self.by_person)

    def of(self, persons: U64) -> tuple[U64, Rows]:
        """The scans of these persons (each once): whose, and their rows of `by_person`."""
        found = rows_in(self.persons, persons)
        found = found[found != NONE]
        if not len(found):
            return self.persons[:0], self.by_person[:0]
        row, nth = ranges(self.of_person[found], self.of_person[found + 1])
        return self.persons[found][nth], self.by_person.take(row)

    def at(self, keys: I64) -> tuple[U32, Rows]:
        """The scans of these places and hours (`hour_key`, each once): where, and their rows of
        `by_hour`."""
        found = rows_in(self.hours, keys)
        found = found[found != NONE]
        if not len(found):
            return place_of(self.hours[:0]), self.by_hour[:0]
        row, nth = ranges(self.of_hour[found], self.of_hour[found + 1])
        return place_of(self.hours[found])[nth], self.by_hour.take(row)


def hour_key(place: npt.NDArray[Any], t: I64) -> I64:
    """One number of a place and the hour (UTC) of a time in milliseconds; rises with both."""
    key: I64 = (place.astype(np.int64) << _HOUR_BITS) + t // _HOUR_MS
    return key


def place_of(keys: I64) -> U32:
    """The places of such numbers."""
    return (keys >> _HOUR_BITS).astype(np.uint32)


def segment_of(
    partition: str,
    person: U64,
    by_person: Rows,
    place: U32,
    by_hour: Rows,
    trips: Sequence[str],
    producers: Sequence[str],
) -> Segment:
    """Of rows that stand beside each other, in any order: `person[n]`, `by_person[n]`, `place[n]`
    and `by_hour[n]` are one scan's."""
    key = hour_key(place, by_hour["t"])
    return Segment(
        partition, *_in_order(person, by_person), *_in_order(key, by_hour), trips, producers
    )


def joined(segments: Sequence[Segment]) -> Segment:
    """One of several of one week."""
    trips, trip = _renumbered([one.trips for one in segments])
    producers, producer = _renumbered([one.producers for one in segments])
    people, places = [], []
    for one, new_trip, new_producer in zip(segments, trip, producer, strict=True):
        rows, visits = one.by_person.copy(), one.by_hour.copy()
        rows["trip"] = new_trip[rows["trip"]]
        visits["producer"] = new_producer[visits["producer"]]
        people.append((np.repeat(one.persons, np.diff(one.of_person)), rows))
        places.append((np.repeat(one.hours, np.diff(one.of_hour)), visits))
    person, by_person = (np.concatenate(some) for some in zip(*people, strict=True))
    key, by_hour = (np.concatenate(some) for some in zip(*places, strict=True))
    return Segment(
        segments[0].partition, *_in_order(person, by_person), *_in_order(key, by_hour),
        trips, producers,
    )  # fmt: skip


def offsets_of(rows: Rows) -> U64:
    """One number of where in the log each of these rows of `by_person` is."""
    packed = rows["packed"]
    return log_number(packed["kafka_partition"], packed["kafka_offset"])


def _in_order(key: npt.NDArray[Any], rows: Rows) -> tuple[npt.NDArray[Any], I64, Rows]:
    """The keys, rising, each once; where each begins, and where the last ends; the rows so."""
    order = np.argsort(key)
    rising = key[order]
    first = np.flatnonzero(changes(rising))
    return rising[first], np.append(first, len(key)), rows.take(order)  # ten times as fast as []


def _renumbered(texts: Sequence[Sequence[str]]) -> tuple[list[str], list[U32]]:
    """All texts, each once; and of each list the numbers that its own have among them."""
    number: dict[str, int] = {}
    found = [
        np.array([number.setdefault(text, len(number)) for text in some], np.uint32)
        for some in texts
    ]
    return list(number), found
