"""The Faust app: two agents, each a list of named steps, and what they share."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from faust import Stream
from faust.types import AppT, StreamT

from schemas.cases import OPEN_STATUSES, CaseStatus
from schemas.errors import InvalidEvent, Retryable
from schemas.settings import Settings
from schemas.topics import CASES, SCANS
from streams.alerts import change_alerts, run_alerts
from streams.cases import read_case
from streams.pipeline import Pipeline
from streams.publish import Publisher
from streams.tracing import Tracing
from streams.transport import BatchApp, Hooks

log = structlog.get_logger()

_FETCH_BYTES = 4 * 1024 * 1024
_BATCHES_QUEUED = 4
_HEARTBEAT_S = 2.0
_PAUSE_S = 1.0


def create_app(settings: Settings, hooks: Hooks) -> BatchApp:
    """The app, without its agents."""
    brokers = ";".join(f"kafka://{b.strip()}" for b in settings.kafka_bootstrap.split(","))
    return BatchApp(
        settings.worker_group,
        hooks=hooks,
        broker=brokers,
        store="memory://",
        datadir=settings.data_dir / "faust",
        web_enabled=False,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=settings.max_poll_records,
        consumer_max_fetch_size=_FETCH_BYTES,
        stream_buffer_maxsize=_BATCHES_QUEUED,
        broker_session_timeout=float(settings.session_timeout_s),
        broker_heartbeat_interval=_HEARTBEAT_S,
        broker_commit_interval=1.0,
        # a leader that asked while a broker was starting gave nobody a partition: it must look
        # again before long
        consumer_metadata_max_age_ms=5_000,
        # a batch that waits for ClickHouse is no livelock
        broker_commit_livelock_soft_timeout=3600.0,
        stream_processing_timeout=3600.0,
        stream_wait_empty=False,
    )


def add_scan_agent(app: AppT, ready: Callable[[], Awaitable[None]], pipeline: Pipeline) -> None:
    """decode → validate → resolve → deduplicate → write → watch, in the lines of `pipeline`."""
    topic = app.topic(SCANS.name, value_serializer="raw", key_serializer="raw")

    @app.agent(topic, name="scans")
    async def scans(stream: StreamT[Any]) -> None:
        await ready()
        async for event in _unacknowledged(stream):
            if not len(event.value):  # only markers or aborted records came
                event.ack()
                continue
            await pipeline.submit(
                event.message.partition, event, _current(app, event.message.generation_id)
            )


def add_case_agent(
    app: AppT, ready: Callable[[], Awaitable[None]], tracing: Tracing, publisher: Publisher,
    alerted: Callable[[int], None], stop: Callable[[BaseException], None],
) -> None:  # fmt: skip
    """register → trace → store → alert; `alerted` is told the broker's time of each case."""
    topic = app.topic(CASES.name, value_serializer="raw", key_serializer="raw")

    @app.agent(topic, name="cases")
    async def cases(stream: StreamT[Any]) -> None:
        await ready()
        async for event in _unacknowledged(stream):
            try:
                for record in event.value:
                    await _trace(record, tracing, publisher, alerted)
            except Exception as error:
                stop(error)  # not acknowledged: it is traced again
                raise
            event.ack()


def _current(app: AppT, generation: int) -> Callable[[], bool]:
    """Whether a message of this generation may still be worked on.

    The generation changes only when partitions are assigned; while they are being handed over
    the flow is suspended.
    """
    return lambda: app.flow_control.is_active() and generation == app.consumer_generation_id


def _unacknowledged(stream: StreamT[Any]) -> AsyncIterable[Any]:
    """The stream's events; nothing but the agent's own steps acknowledges them."""
    events: AsyncIterable[Any] = cast(Stream[Any], stream).noack().events()
    return events


async def _trace(
    record: Any, tracing: Tracing, publisher: Publisher, alerted: Callable[[int], None]
) -> None:
    where = {"partition": record.partition, "offset": record.offset}
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    while True:
        try:
            case = read_case(record.key, record.value)
            if case is None:
                return
            if case.status is CaseStatus.VOIDED:
                withdrawn = await asyncio.to_thread(tracing.withdrawn, case)
                await publisher.send(change_alerts(case, withdrawn, at))
                log.info("case_voided", case=case.id, withdrawn=len(withdrawn))
                return
            if case.status not in OPEN_STATUSES:
                return
            run = await asyncio.to_thread(tracing.run, case, at)
        except Retryable as error:
            log.warning("trace_waits", **where, detail=str(error))
            await asyncio.sleep(_PAUSE_S)
        except (InvalidEvent, ValueError) as error:
            log.error("case_refused", **where, detail=str(error))
            return
        else:
            await publisher.send(run_alerts(run, at))
            alerted(record.timestamp)
            log.info("case_traced", case=case.id, run=case.version, contacts=len(run.contacts))
            return
