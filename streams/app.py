"""The Faust app: three agents, each a list of named steps, and what they share."""

from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, cast

from faust import SASLCredentials, SSLCredentials, Stream
from faust.types import AppT, StreamT

from schemas import traceparent
from schemas.kafka import tls_context
from schemas.settings import Settings
from schemas.topics import CASES, SCANS, TRACES
from streams.again import Again
from streams.casework import CaseWork
from streams.pipeline import Pipeline
from streams.transport import BatchApp, Hooks

_FETCH_BYTES = 4 * 1024 * 1024
_BATCHES_QUEUED = 4
_HEARTBEAT_S = 2.0


def create_app(settings: Settings, hooks: Hooks) -> BatchApp:
    """The app, without its agents."""
    brokers = ";".join(f"kafka://{b.strip()}" for b in settings.kafka_bootstrap.split(","))
    return BatchApp(
        settings.worker_group,
        hooks=hooks,
        # nobody looks at a record's headers unless something can be followed
        reading=traceparent.followed if settings.otlp_endpoint else None,
        broker=brokers,
        broker_credentials=_credentials(settings),
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


def _credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """`schemas.kafka.connection` in Faust's own words."""
    tls = tls_context(settings)
    if settings.kafka_security.startswith("SASL"):
        return SASLCredentials(
            username=settings.kafka_user,
            password=settings.kafka_password.get_secret_value(),
            ssl_context=tls,
            mechanism=settings.kafka_mechanism,
        )
    return None if tls is None else SSLCredentials(tls)


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
    app: AppT, ready: Callable[[], Awaitable[None]], work: CaseWork,
    stop: Callable[[BaseException], None],
) -> None:  # fmt: skip
    """register → trace → store → alert."""
    topic = app.topic(CASES.name, value_serializer="raw", key_serializer="raw")

    @app.agent(topic, name="cases")
    async def cases(stream: StreamT[Any]) -> None:
        await ready()
        async for event in _unacknowledged(stream):
            try:
                for record in event.value:
                    await work.record(record)
            except Exception as error:
                stop(error)  # not acknowledged: it is traced again
                raise
            event.ack()


def add_trace_agent(app: AppT, ready: Callable[[], Awaitable[None]], again: Again) -> None:
    """late scans → trace → store → alert, each case in its turn."""
    topic = app.topic(TRACES.name, value_serializer="raw", key_serializer="raw")

    @app.agent(topic, name="traces")
    async def traces(stream: StreamT[Any]) -> None:
        await ready()
        async for event in _unacknowledged(stream):
            again.submit(event)


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
