"""`python -m bench.produce`: the city's scans on the topic, by librdkafka, as fast as it goes.

A process of its own, as a producer is. Keys are partitioned by the client (`murmur2_random`, as
Java and aiokafka do by default); batches are lz4. Progress is JSON lines on stdout, the last one
the summary.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from confluent_kafka import KafkaError, Message, Producer

from schemas.errors import UserError
from schemas.topics import SCANS
from sim.codes import City, read_city
from sim.encode import CHUNK
from sim.model import OUTCOMES
from sim.scans import Habits
from sim.simulate import DAYS, Bulk, Simulation

QUEUED_MOST: Final = 400_000  # records that librdkafka holds for us
FLUSH_S: Final = 120.0
TOLD_EVERY: Final = 200_000


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.produce", description=__doc__)
    parser.add_argument("--city", type=Path, required=True, help="registered places, JSON")
    parser.add_argument("--bootstrap", required=True, help="HOST:PORT of Kafka")
    parser.add_argument("--topic", default=SCANS.name)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--until", type=datetime.fromisoformat, required=True)
    parser.add_argument("--garbage", type=float, default=0.0, help="share refused, and repeated")
    return parser.parse_args(argv)


def simulated(city: City, records: int, seed: int, until: datetime, garbage: float) -> Bulk:
    """Two weeks of the city: all sound and each once, but for `garbage` refused and repeated.

    No double taps: an hour too thin for its own would get refused records in their place, and
    the pipes and peers take only what is sound.
    """
    habits = Habits(refused=garbage, repeated=garbage, double_taps=0.0)
    simulation = Simulation(
        city.places, seed, revoked=city.revoked, producer=city.producer, habits=habits
    )
    return simulation.bulk(records, until, DAYS)


class Sender:
    """librdkafka with its queue bounded. Raises UserError when a record is not acknowledged."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._failed: KafkaError | None = None
        self.acknowledged = 0
        self._producer: Any = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 50,
                "batch.num.messages": 10_000,
                "batch.size": 900_000,
                "message.max.bytes": 1_000_000,
                "queue.buffering.max.messages": QUEUED_MOST + CHUNK,
                "queue.buffering.max.kbytes": 1_000_000,
            }
        )

    def send(self, messages: list[dict[str, bytes]]) -> None:
        """Queue them all, waiting while too many are unacknowledged."""
        deadline = time.monotonic() + FLUSH_S
        while len(self._producer) > QUEUED_MOST - len(messages):
            self._producer.poll(0.01)
            if time.monotonic() > deadline:
                raise UserError(
                    f"Kafka không nhận bản ghi nào trong {FLUSH_S:.0f} giây. / "
                    f"Kafka has taken no records for {FLUSH_S:.0f} s."
                )
        queued = self._producer.produce_batch(self._topic, messages, on_delivery=self._delivered)
        if queued != len(messages):
            raise UserError(
                f"librdkafka chỉ nhận {queued} trong {len(messages)} bản ghi. / "
                f"librdkafka took {queued} of {len(messages)} records."
            )
        self._producer.poll(0)
        if self._failed is not None:
            raise UserError(
                f"Kafka từ chối một bản ghi ({self._failed.str()}). / "
                f"Kafka refused a record ({self._failed.str()})."
            )

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        left = self._producer.flush(FLUSH_S)
        if left or self._failed is not None:
            reason = self._failed.str() if self._failed is not None else f"{left} are left"
            raise UserError(
                f"Không phải mọi bản ghi được xác nhận ({reason}). / "
                f"Not every record was acknowledged ({reason})."
            )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.acknowledged += 1
        else:
            self._failed = error


def batches(bulk: Bulk, outcomes: Counter[str]) -> Iterator[list[dict[str, bytes]]]:
    """Keys and values in order of publication; `outcomes` learns what must become of them."""
    encoder = bulk.simulation.encoder(bulk.world, bulk.people)
    keys = [text.encode() for text in bulk.people.texts]
    for output in bulk.outputs():
        for begin in range(0, len(output.rows), CHUNK):
            rows = output.rows[begin : begin + CHUNK]
            counts = np.bincount(rows["outcome"], minlength=len(OUTCOMES)).tolist()
            outcomes.update(dict(zip(OUTCOMES, counts, strict=True)))
            yield [
                {"key": keys[person], "value": value}
                for person, value in zip(rows["person"].tolist(), encoder.values(rows), strict=True)
            ]


def publish(options: argparse.Namespace) -> dict[str, Any]:
    """Publish everything; the summary. Raises UserError."""
    city = read_city(options.city)
    bulk = simulated(city, options.records, options.seed, options.until, options.garbage)
    sender = Sender(options.bootstrap, options.topic)
    outcomes: Counter[str] = Counter()
    sent = size = 0
    begin = time.monotonic()
    for messages in batches(bulk, outcomes):
        sender.send(messages)
        sent += len(messages)
        size += sum(len(message["value"]) for message in messages)
        if sent % TOLD_EVERY < len(messages):
            say({"published": sent, "of": options.records})
    sender.flush()
    seconds = time.monotonic() - begin
    if sender.acknowledged != sent:
        raise UserError(
            f"Chỉ {sender.acknowledged} trong {sent} bản ghi được xác nhận. / "
            f"{sender.acknowledged} of {sent} records were acknowledged."
        )
    return {
        "published": sent,
        "seconds": round(seconds, 3),
        "records_per_s": round(sent / seconds),
        "value_bytes": round(size / max(sent, 1), 1),
        "people": len(bulk.people),
        "expected": {name: count for name, count in outcomes.items() if count},
    }


def say(line: dict[str, Any]) -> None:
    """One JSON line on stdout."""
    print(json.dumps(line), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when all is acknowledged, 1 with one sentence when not."""
    try:
        say(publish(arguments(argv)))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
