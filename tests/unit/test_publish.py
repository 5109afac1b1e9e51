"""A message goes out whatever becomes of the producer that had it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError, ProducerClosed

from schemas.settings import load_settings
from streams.publish import Message, Publisher


class Broker:
    """Makes producers, each of which does as it is told: `takes`, `fails` or `hangs`."""

    def __init__(self, *fates: str) -> None:
        self.fates = list(fates)
        self.made: list[Any] = []
        self.taken: list[bytes] = []

    def __call__(self, **_: Any) -> "FakeProducer":
        fate = self.fates.pop(0) if self.fates else "takes"
        self.made.append(FakeProducer(self, fate))
        found: FakeProducer = self.made[-1]
        return found


class FakeProducer:
    def __init__(self, broker: Broker, fate: str) -> None:
        self._broker, self.fate, self.closed = broker, fate, False

    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.closed = True

    async def partitions_for(self, _topic: str) -> set[int]:
        return {0, 1}

    async def send(self, _topic: str, value: bytes, **_: Any) -> "asyncio.Future[None]":
        if self.closed:
            raise ProducerClosed
        if self.fate == "fails":
            raise KafkaTimeoutError
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.fate == "takes":
            self._broker.taken.append(value)
            answer.set_result(None)
        return answer

    async def flush(self) -> None:
        if self.fate == "hangs":
            await asyncio.Event().wait()


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    monkeypatch.setattr("streams.publish._PAUSE_S", 0.001)
    monkeypatch.setattr("streams.publish._STEP_S", 0.2)
    return Publisher(load_settings(tmp_path))


def sent(publisher: Publisher, *values: bytes) -> None:
    async def play() -> None:
        messages = [Message("alerts.v1", b"k", value) for value in values]
        await asyncio.gather(*(publisher.send([message]) for message in messages))

    asyncio.run(asyncio.wait_for(play(), 20))


def test_who_waits_for_a_producer_that_answers_nobody_tries_another(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker("hangs", "takes")
    monkeypatch.setattr("streams.publish.AIOKafkaProducer", broker)
    sent(publisher, b"one", b"two", b"three")
    assert sorted(broker.taken) == [b"one", b"three", b"two"]
    assert [producer.closed for producer in broker.made] == [True, False]


def test_a_producer_that_one_has_given_up_is_replaced_once(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever fails after another has begun anew does not take the new one away."""
    broker = Broker("fails", "takes")
    monkeypatch.setattr("streams.publish.AIOKafkaProducer", broker)
    sent(publisher, *(b"%d" % n for n in range(20)))
    assert sorted(broker.taken) == sorted(b"%d" % n for n in range(20))
    assert [producer.closed for producer in broker.made] == [True, False]
