"""From a case's registration to what officers are told, through Kafka and a worker.

The clock runs from the broker's append of the case on `cases.v1` until a consumer of committed
records has the alert that its run is complete: that alert is the last of its run. One case at a
time. Each must have told of exactly those whom the trace calls.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from bench.process_stack import NATION, Bench
from bench.trace_cases import Tracer, middle, percentiles
from schemas.cases import Case
from schemas.errors import UserError
from schemas.kafka import librdkafka
from schemas.settings import Settings
from schemas.topics import ALERTS, CASES

Say = Callable[[str], None]
MOST_CONTACTS: Final = 1_000
_WARM_UP: Final = 5
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True)
class Alerted:
    """Milliseconds from a case to its last alert; contacts of the median case, and the most."""

    cases: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    contacts: int
    most_contacts: int


def alerted(bench: Bench, tracer: Tracer, count: int, say: Say) -> Alerted:
    """Of ordinary cases with at most `MOST_CONTACTS` contacts. Raises UserError."""
    worker = bench.worker(**NATION)
    milliseconds: list[float] = []
    contacts: list[int] = []
    try:
        with _officers(bench.settings) as officers:
            for case in tracer.cases(count + _WARM_UP):
                result = tracer.trace(case)
                if result.contacts.height > MOST_CONTACTS:
                    continue
                took, told = officers.registered(case)
                called = int(result.contacts["call"].sum())
                if told["possible_contact"] != called or told["run_completed"] != 1:
                    raise UserError(
                        f"{case.id}: cần gọi {called}, đã báo: {dict(told)}. / "
                        f"{case.id}: {called} are to be called, told: {dict(told)}."
                    )
                milliseconds.append(took)
                contacts.append(result.contacts.height)
    finally:
        worker.stop()
    del milliseconds[:_WARM_UP], contacts[:_WARM_UP]
    p50, p99, longest = percentiles([took / 1000 for took in milliseconds])
    say(f"  from a case to its last alert: p50 {p50} ms, p99 {p99} ms")
    return Alerted(len(milliseconds), p50, p99, longest, middle(contacts), max(contacts))


class _Officers:
    def __init__(self, producer: Any, consumer: Any) -> None:
        self._producer, self._consumer = producer, consumer

    def registered(self, case: Case) -> tuple[float, Counter[str]]:
        """Milliseconds to the last alert, and the alerts by kind. Raises UserError."""
        appended: list[int] = []
        self._producer.produce(
            CASES.name,
            key=case.id,
            value=case.model_dump_json(),
            on_delivery=lambda _, message: appended.append(message.timestamp()[1]),
        )
        self._producer.flush(_TIMEOUT_S)
        told: Counter[str] = Counter()
        until = time.monotonic() + _TIMEOUT_S
        while not told["run_completed"]:
            for message in self._consumer.consume(500, timeout=0.05):
                if message.error() is None and message.key() == case.id.encode():
                    told[orjson.loads(message.value())["kind"]] += 1
            if time.monotonic() > until:
                raise UserError(
                    f"{case.id}: không có cảnh báo nào nói lần truy vết đã xong, chỉ có "
                    f"{dict(told)}. / "
                    f"{case.id}: no alert that its run is complete, but {dict(told)}."
                )
        return 1000 * time.time() - appended[0], told


@contextmanager
def _officers(settings: Settings) -> Iterator[_Officers]:
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
        yield _Officers(producer, consumer)
    finally:
        consumer.close()
