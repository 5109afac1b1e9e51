"""Publish a file of scans to truyvet with aiokafka: `python aiokafka_producer.py scans.ndjson`.

One scan a line, as JSON, each with the `event_id` it was given when it was made. The file can be
published again, whole or in part, as often as it takes: a scan counts once.
"""

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaProducer

TOPIC = "scans.v1"
AT_ONCE = 1_000  # records waiting for the broker at a time: bounds what a lost link can cost


async def publish(path: str) -> int:
    producer = AIOKafkaProducer(
        bootstrap_servers=os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:9092"),
        acks="all",  # acknowledged when every in-sync copy has it
        enable_idempotence=True,  # the client's own retries neither repeat nor reorder
        compression_type="lz4",
        linger_ms=20,  # wait a moment for company: batches are what makes it fast
        max_batch_size=256 * 1024,
        # the partitioner is murmur2 of the key already, as in Java
    )
    await producer.start()
    published = 0
    try:
        with open(path, "rb") as file:  # noqa: ASYNC230 (a local file, a line at a time)
            waiting = []
            for line in file:
                scan = line.strip()
                if not scan:
                    continue
                # the key is the person's 13 characters: all of a person's scans, and all
                # repeats of a scan, go to the same partition
                key = json.loads(scan)["person"].encode()
                waiting.append(await producer.send(TOPIC, value=scan, key=key))
                if len(waiting) >= AT_ONCE:
                    published += len(await asyncio.gather(*waiting))
                    waiting.clear()
            published += len(await asyncio.gather(*waiting))
    finally:
        await producer.stop()
    return published


if __name__ == "__main__":
    # an exception (and exit code 1) means: some may be there, publish the same file again
    print(f"{asyncio.run(publish(sys.argv[1]))} published")
