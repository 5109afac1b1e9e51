"""Kafka's side of a backup: compacted topics whole, and where the logs end.

Rows of scans say their partition and offset, and runs the offset of what made them. On a new
cluster offsets begin at 0, and a scan at an offset that a row has already would be taken for
written: so a new log is first brought to where the old one was.
"""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import GroupCoordinatorNotAvailableError

from console.accounting import log
from console.accounting.log import consumer_of, members_of
from console.broker import KafkaPublisher, Record
from schemas.errors import UserError
from schemas.kafka import connection
from schemas.settings import Settings
from schemas.topics import CASES, TOPICS, TRACES

KEPT: Final = tuple(topic.name for topic in TOPICS if topic.cleanup == "compact")
_AT_ONCE: Final = 5_000
_TIMEOUT_S: Final = 30.0
_FILLERS: Final = 16_384  # records of a batch that only moves the log on
_IN_FLIGHT: Final = 8
Document = dict[str, Any]


async def records_of(settings: Settings, topic: str) -> list[bytes]:
    """Every record of a topic from its begin to its end of now, as JSON lines in its order."""
    return [_line(record) async for record in log.records_of(settings, topic)]


async def publish(settings: Settings, topic: str, documents: Iterable[Document]) -> int:
    """Put records that `records_of` read on a topic, in their order; how many. Raises Retryable."""
    publisher = KafkaPublisher(settings)
    done = 0
    try:
        for some in _chunks(documents):
            await publisher.send([_record(topic, document) for document in some])
            done += len(some)
    finally:
        await publisher.close()
    return done


async def bounds(settings: Settings, topic: str) -> dict[int, tuple[int, int]]:
    """Where each partition's log begins and ends."""
    async with consumer_of(settings, topic) as consumer:
        partitions = sorted(consumer.assignment())
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    return {p.partition: (begins[p], ends[p]) for p in partitions}


async def bring_to(
    settings: Settings, topic: str, ends: Mapping[int, int], on_progress: Callable[[int], None]
) -> int:
    """Move a topic's logs on to these ends, where they are not there yet; by how many offsets.

    With empty records, which are deleted at once: nobody may read the topic meanwhile. Where a log
    is behind what was backed up it is a new one or has lost its end, so nothing of value is lost.
    """
    moved = await fill_to(settings, topic, ends, on_progress)
    if moved:
        await delete_before(settings, topic, {p: ends[p] for p in moved})
    return sum(moved.values())


async def fill_to(
    settings: Settings, topic: str, ends: Mapping[int, int], on_progress: Callable[[int], None]
) -> dict[int, int]:
    """Empty records up to these ends; how many, of each partition that was not there yet.

    Raises UserError if the topic has too few partitions.
    """
    there = await bounds(settings, topic)
    short = {p: end - there[p][1] for p, end in ends.items() if p in there and end > there[p][1]}
    if unknown := sorted(set(ends) - set(there)):
        raise UserError(
            f"{topic} có {len(there)} phân vùng, trước đây có nhiều hơn (số {unknown[0]}). / "
            f"{topic} has {len(there)} partitions and had more (number {unknown[0]}): set "
            "TRUYVET_SCAN_PARTITIONS to what it was before the topic is made."
        )
    if short:
        async with producing(settings) as producer:
            done = 0
            for partition, missing in short.items():
                async for moved in _filled(producer, topic, partition, missing):
                    done += moved
                    on_progress(done)
    return short


async def go_on_from(settings: Settings, ends: Mapping[TopicPartition, int]) -> None:
    """Where the workers' group goes on reading. Raises UserError while a worker runs; one that
    was killed is a member until its session is over."""
    deadline = time.monotonic() + settings.session_timeout_s + 5
    while await _has_members(settings):
        if time.monotonic() > deadline:
            raise UserError(
                "Hãy dừng các tiến trình xử lý trước. / Stop the workers first: while the group "
                f"{settings.worker_group} has members its place cannot be set."
            )
        await asyncio.sleep(1)
    if not ends:  # nobody has read anything yet
        return
    consumer = AIOKafkaConsumer(
        **connection(settings),
        group_id=settings.worker_group,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign(sorted(ends))
        await consumer.commit(dict(ends))
    finally:
        await consumer.stop()


async def trace_all_cases_again(settings: Settings) -> None:
    """Let the workers look at every case: those whose run is there already are only told again."""
    there = await bounds(settings, CASES.name)
    await go_on_from(settings, {TopicPartition(CASES.name, p): b for p, (b, _) in there.items()})


async def traces_end(settings: Settings) -> dict[int, int]:
    """Where the log of trace requests ends."""
    return {p: end for p, (_, end) in (await bounds(settings, TRACES.name)).items()}


async def _has_members(settings: Settings) -> bool:
    try:
        return await members_of(settings)
    except GroupCoordinatorNotAvailableError:  # of a cluster that has no group yet
        return True


async def _filled(producer: Any, topic: str, partition: int, count: int) -> AsyncIterator[int]:
    acks: dict[asyncio.Future[Any], int] = {}
    while count or acks:
        if count and len(acks) < _IN_FLIGHT:
            batch = producer.create_batch()
            some = min(count, _FILLERS)
            for _ in range(some):
                assert batch.append(key=None, value=None, timestamp=None) is not None
            batch.close()
            acks[await producer.send_batch(batch, topic, partition=partition)] = some
            count -= some
            continue
        done, _ = await asyncio.wait(acks, return_when=asyncio.FIRST_COMPLETED)
        for ack in done:
            ack.result()
            yield acks.pop(ack)


async def delete_before(settings: Settings, topic: str, ends: Mapping[int, int]) -> None:
    """Let each log begin here."""
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=int(_TIMEOUT_S * 1000))
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(topic, p): RecordsToDelete(end) for p, end in ends.items()}
        )
    finally:
        await admin.close()


@asynccontextmanager
async def producing(settings: Settings) -> AsyncIterator[Any]:
    """An idempotent producer whose caller says which partition."""
    producer = AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,  # one more than wanted and a scan's offset would be skipped
        max_batch_size=512 * 1024,
        request_timeout_ms=int(_TIMEOUT_S * 1000),
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def _line(record: Any) -> bytes:
    document = {
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers],
    }
    return orjson.dumps(document) + b"\n"


def _record(topic: str, document: Document) -> Record:
    headers = tuple((name, _bytes(value) or b"") for name, value in document["headers"])
    key = _bytes(document["key"])
    value = _bytes(document["value"])
    return Record(topic, key or b"", value, headers)  # type: ignore[arg-type]  # None: a tombstone


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    some: list[Document] = []
    for document in documents:
        some.append(document)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def newer(topic: str, backed_up: Iterable[Document], there: Iterable[bytes]) -> list[str]:
    """Keys of the topic's records that are of a higher version than the backup's, or not in it."""
    known = {document["key"]: _version(document) for document in backed_up}
    found: dict[str, int] = {}
    for piece in there:
        for line in piece.splitlines():
            document = orjson.loads(line)
            found[document["key"]] = _version(document)
    keys = [key for key, version in found.items() if key and version > known.get(key, 0)]
    return [f"{topic} {base64.b64decode(key).decode('utf-8', 'replace')}" for key in keys]


def _version(document: Document) -> int:
    value = _bytes(document["value"])
    found = orjson.loads(value) if value else None
    return int(found.get("version", 1)) if isinstance(found, dict) else 1
