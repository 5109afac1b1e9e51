"""What the topic holds for a `read_committed` reader, kept by the test as it reads.

Read on from where it stopped, so that a log whose head retention has cut is still compared with
all that was ever in it.
"""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas.kafka import librdkafka
from schemas.settings import Settings

U64 = npt.NDArray[np.uint64]
_EVENT_ID: Final = re.compile(rb'"event_id":"([0-9a-fA-F-]{36})"')
_SHIFT: Final = np.uint64(48)
_QUIET_S: Final = 60.0


def places(partitions: Any, offsets: Any) -> U64:
    """(partition, offset) as one number each."""
    high = np.asarray(partitions).astype(np.uint64) << _SHIFT
    result: U64 = high | np.asarray(offsets).astype(np.uint64)
    return result


def place_text(place: int) -> str:
    """`partition/offset`."""
    return f"{place >> 48}/{place & ((1 << 48) - 1)}"


@dataclass(frozen=True)
class Entries:
    """Records of the topic: where each is, and the first half of its event id, 0 if unreadable."""

    place: U64
    event: U64

    def events_at(self, places: U64) -> U64:
        """Of the records at these places, all of which are known."""
        order = np.argsort(self.place)
        found: U64 = self.event[order[np.searchsorted(self.place, places, sorter=order)]]
        return found


class Ledger:
    """A copy of the topic's committed records: where they are and which event each one is."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._next: dict[int, int] = {}
        self._places: list[U64] = [np.zeros(0, np.uint64)]
        self._events: list[U64] = [np.zeros(0, np.uint64)]

    def read_on(self, partitions: Iterable[int]) -> Entries:
        """Read what has come since, to the end; everything ever read."""
        where: list[tuple[int, int]] = []
        events: list[int] = []
        for message in committed_messages(self._settings, self._topic, partitions, self._next):
            where.append((message.partition(), message.offset()))
            events.append(first_half(message.value()))
        pairs = np.array(where, dtype=np.int64).reshape(-1, 2)
        self._places.append(places(pairs[:, 0], pairs[:, 1]))
        self._events.append(np.array(events, dtype=np.uint64))
        return Entries(np.concatenate(self._places), np.concatenate(self._events))


def first_half(value: bytes | None) -> int:
    """The first 64 bits of the record's event id; 0 if there is none to be seen."""
    found = _EVENT_ID.search(value or b"")
    if found is None:
        return 0
    try:
        return int(found[1].replace(b"-", b"")[:16], 16)
    except ValueError:
        return 0


def committed_messages(
    settings: Settings, topic: str, partitions: Iterable[int], begin: dict[int, int]
) -> Iterator[Any]:
    """Every committed message from `begin` (or the log's start) to the end, markers passed.

    `begin` is moved on. Raises AssertionError if the broker says nothing for a minute.
    """
    consumer = Consumer(
        {
            **librdkafka(settings),
            "group.id": "truyvet-fault-ledger",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "queued.min.messages": 200_000,
            "fetch.queue.backoff.ms": 2,
        }
    )
    left = set(partitions)
    try:
        consumer.assign([TopicPartition(topic, p, begin.get(p, 0)) for p in sorted(left)])
        heard = time.monotonic()
        while left:
            # waits for that many, or that long
            messages = consumer.consume(10_000, 0.1)
            heard = time.monotonic() if messages else heard
            assert time.monotonic() - heard < _QUIET_S, (
                f"nothing of {topic} {sorted(left)} for {_QUIET_S} s"
            )
            for message in cast(list[Any], messages):  # its stubs know no message without an offset
                error = message.error()
                if error is None:
                    begin[message.partition()] = message.offset() + 1
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
    finally:
        consumer.close()
