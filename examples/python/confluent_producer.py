"""Publish a file of scans to truyvet with confluent-kafka: `python confluent_producer.py FILE`.

One scan a line, as JSON, each with the `event_id` it was given when it was made. The file can be
published again, whole or in part, as often as it takes: a scan counts once.
"""

import json
import os
import sys

from confluent_kafka import KafkaError, Message, Producer

TOPIC = "scans.v1"


def publish(path: str) -> int:
    producer = Producer(
        {
            "bootstrap.servers": os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:9092"),
            # librdkafka's own default is CRC32, which puts most keys elsewhere than Java does
            "partitioner": "murmur2_random",
            "enable.idempotence": True,  # implies acks=all; retries neither repeat nor reorder
            "compression.type": "lz4",
            "linger.ms": 20,
            "batch.size": 256 * 1024,
            "message.timeout.ms": 120_000,  # how long it retries by itself before it gives up
        }
    )
    failed: list[str] = []
    published = 0

    def acknowledged(error: KafkaError | None, _message: Message) -> None:
        nonlocal published
        if error is None:
            published += 1
        else:
            failed.append(str(error))

    with open(path, "rb") as file:
        for line in file:
            scan = line.strip()
            if not scan:
                continue
            key = json.loads(scan)["person"].encode()  # the person's 13 characters
            while True:
                try:
                    producer.produce(TOPIC, value=scan, key=key, on_delivery=acknowledged)
                    break
                except BufferError:  # the queue is full: let acknowledgements come in
                    producer.poll(0.5)
            producer.poll(0)
    producer.flush()
    if failed:
        # some may be there all the same: publish the same file again
        sys.exit(f"{len(failed)} not acknowledged, the first: {failed[0]}")
    return published


if __name__ == "__main__":
    print(f"{publish(sys.argv[1])} published")
