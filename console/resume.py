"""Where whoever reads whole topics and keeps its own account goes on."""

from collections.abc import Mapping
from typing import Any


async def seek(consumer: Any, known: Mapping[tuple[str, int], int]) -> None:
    """To the next offset that is known of each partition, else to its beginning; so too if that is
    beyond the end: the topic was made anew. `known`: by topic and partition. Raises KafkaError.
    """
    partitions = sorted(consumer.assignment())
    begins = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        begin, end = begins[partition], ends[partition]
        at = known.get(partition, begin)
        consumer.seek(partition, at if begin <= at <= end else begin)
