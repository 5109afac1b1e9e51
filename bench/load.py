"""`python -m bench.load`: valid scans on the topic at an exact rate, by librdkafka.

A process of its own, as a producer is. Progress is JSON lines on stdout, the last one the
summary. SIGTERM ends the load early: what was sent is still acknowledged and counted.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from confluent_kafka import KafkaError, Message, Producer

from bench.load_encode import Encoder, Mix
from schemas.errors import UserError
from schemas.topics import SCANS

TICK_S: Final = 0.01
BLOCK_MOST: Final = 10_000  # records written at once
QUEUED_MOST: Final = 300_000  # records that librdkafka holds for us
FLUSH_S: Final = 150.0
ERRORS_KEPT: Final = 5


@dataclass
class Sender:
    """librdkafka, partitioning as Java and aiokafka do. Only failures are reported back."""

    bootstrap: str
    linger_ms: int
    topic: str = SCANS.name
    failed: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._producer: Any = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": self.linger_ms,
                "batch.num.messages": 10_000,
                "batch.size": 900_000,
                "queue.buffering.max.messages": QUEUED_MOST + 2 * BLOCK_MOST,
                "queue.buffering.max.kbytes": 500_000,
                "delivery.report.only.error": True,
                "message.timeout.ms": 120_000,
                "error_cb": self._trouble,
            }
        )

    @property
    def queued(self) -> int:
        """Records not yet acknowledged."""
        return len(self._producer)

    def send(self, messages: list[dict[str, bytes]]) -> None:
        """Queue them; call only while `queued` is below QUEUED_MOST. Raises UserError."""
        taken = self._producer.produce_batch(self.topic, messages, on_delivery=self._delivered)
        if taken != len(messages):
            raise UserError(
                f"librdkafka chỉ nhận {taken} trong {len(messages)} bản ghi. / "
                f"librdkafka took {taken} of {len(messages)} records."
            )

    def poll(self, seconds: float) -> None:
        """Let librdkafka report."""
        self._producer.poll(seconds)

    def flush(self) -> int:
        """Wait for the acknowledgements; how many did not come."""
        left: int = self._producer.flush(FLUSH_S)
        return left

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self.failed += 1
            self._trouble(error)

    def _trouble(self, error: KafkaError) -> None:
        if error.str() in self.errors or len(self.errors) < ERRORS_KEPT:
            self.errors[error.str()] = self.errors.get(error.str(), 0) + 1


@dataclass
class Load:
    """Publishes `records` at `rate` a second (0: as fast as Kafka takes them)."""

    encoder: Encoder
    sender: Sender
    rate: float
    records: int
    stopping: bool = False
    sent: int = 0
    repeats: int = 0
    value_bytes: int = 0
    behind_s: float = 0.0

    def run(self) -> dict[str, Any]:
        """Until all is acknowledged or the load was stopped; the summary."""
        begin = time.time()
        cpu = time.process_time()
        told = begin
        while self.sent < self.records and not self.stopping:
            now = time.time()
            block = self._due(now - begin)
            if block and self.sender.queued < QUEUED_MOST:
                self._publish(begin, block)
                self.sender.poll(0)
            else:
                self.sender.poll(TICK_S / 2)
                time.sleep(TICK_S / 2)
            if now - told >= 1.0:
                told = now
                say({"sent": self.sent, "queued": self.sender.queued})
        seconds = time.time() - begin
        left = self.sender.flush()
        return {
            "sent": self.sent,
            "repeats": self.repeats,
            "seconds": round(seconds, 3),
            "acknowledged_s": round(time.time() - begin, 3),
            "records_per_s": round(self.sent / max(seconds, 1e-9), 1),
            "failed": self.sender.failed + left,
            "errors": self.sender.errors,
            "behind_s": round(self.behind_s, 3),
            "value_bytes": round(self.value_bytes / max(self.sent, 1), 1),
            "cpu_s": round(time.process_time() - cpu, 3),
        }

    def _due(self, elapsed_s: float) -> int:
        """Records to publish now: none until a tick's worth is due."""
        left = self.records - self.sent
        if not self.rate:
            return min(left, BLOCK_MOST)
        due = int(elapsed_s * self.rate) - self.sent
        if due < min(self.rate * TICK_S, left):
            return 0
        self.behind_s = max(self.behind_s, due / self.rate - TICK_S)
        return min(due, left, BLOCK_MOST)

    def _publish(self, begin: float, count: int) -> None:
        now_ms = int(time.time() * 1000)
        if self.rate:
            due = begin * 1000 + np.arange(self.sent, self.sent + count) * (1000 / self.rate)
            moments = np.minimum(due.astype(np.int64), now_ms)
        else:
            moments = np.full(count, now_ms, dtype=np.int64)
        block = self.encoder.block(moments)
        self.sender.send(block.messages)
        self.sent += len(block)
        self.repeats += block.repeats
        self.value_bytes += block.value_bytes


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--tokens", type=Path, required=True, help="live codes, one a line")
    parser.add_argument("--bootstrap", required=True, help="HOST:PORT of Kafka")
    parser.add_argument("--producer", default="sim")
    parser.add_argument("--rate", type=float, required=True, help="records a second; 0: no limit")
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--people", type=int, default=Mix.people)
    parser.add_argument("--repeats", type=float, default=Mix.repeats, help="share, at most 0.4")
    parser.add_argument("--spread-days", type=float, default=Mix.spread_days)
    parser.add_argument("--linger-ms", type=int, default=5)
    return parser.parse_args(argv)


def say(line: dict[str, Any]) -> None:
    """One JSON line on stdout."""
    print(json.dumps(line), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when all that was sent is acknowledged, 1 with one sentence when not."""
    options = arguments(argv)
    mix = Mix(options.people, options.repeats, options.spread_days)
    tokens = options.tokens.read_text().split()
    encoder = Encoder(tokens, mix, options.producer, options.seed)
    load = Load(
        encoder, Sender(options.bootstrap, options.linger_ms), options.rate, options.records
    )

    def stop(_number: int, _frame: object) -> None:
        load.stopping = True

    signal.signal(signal.SIGTERM, stop)
    say({"ready": True})
    try:
        summary = load.run()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say(summary)
    return 0 if summary["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
