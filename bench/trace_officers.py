"""Officers' side of a worker: what is published one at a time, and what they are told of it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from schemas.kafka import librdkafka
from schemas.settings import Settings
from schemas.topics import ALERTS

_TIMEOUT_S: Final = 60.0


class Officers:
    """Made by `officers`."""

    def __init__(self, producer: Any, consumer: Any) -> None:
        self._producer, self._consumer = producer, consumer

    def publish(self, topic: str, key: str, value: str | bytes) -> int:
        """When the broker appended it (milliseconds since 1970 UTC)."""
        return self.publish_all(topic, [(key, value)])[key]

    def publish_all(self, topic: str, records: Sequence[tuple[str, str | bytes]]) -> dict[str, int]:
        """Together; of each key when the broker appended it."""
        appended: dict[str, int] = {}

        def noted(_: object, message: Any) -> None:
            appended[message.key().decode()] = message.timestamp()[1]

        for key, value in records:
            self._producer.produce(topic, key=key, value=value, on_delivery=noted)
        self._producer.flush(_TIMEOUT_S)
        return appended

    def alerts(self, case: str) -> Iterator[tuple[float, dict[str, Any]]]:
        """The case's committed alerts, each with when it came (milliseconds since 1970 UTC), as
        they come, for a minute."""
        return ((now, alert) for now, key, alert in self.every() if key == case)

    def every(self) -> Iterator[tuple[float, str, dict[str, Any]]]:
        """As `alerts`, of all cases, each with the case's id."""
        until = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < until:
            for message in self._consumer.consume(500, timeout=0.05):
                if message.error() is None:
                    yield 1000 * time.time(), message.key().decode(), orjson.loads(message.value())


@contextmanager
def officers(settings: Settings) -> Iterator[Officers]:
    """From here on every alert is seen."""
    producer = Producer(
        {
            **librdkafka(settings),
            "partitioner": "murmur2_random",
            "log_level": 3,
        }
    )
    consumer = Consumer(
        {
            **librdkafka(settings),
            "group.id": "bench-officers",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 10,
        }
    )
    try:
        topic = consumer.list_topics(ALERTS.name, timeout=_TIMEOUT_S).topics[ALERTS.name]
        consumer.assign([TopicPartition(ALERTS.name, p, OFFSET_END) for p in topic.partitions])
        consumer.poll(1.0)  # the ends are looked up now, before there is an alert
        yield Officers(producer, consumer)
    finally:
        consumer.close()
