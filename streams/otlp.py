"""Spans by OpenTelemetry's own library, sent as OTLP over HTTP.

Whoever works never waits for their receiver: spans go to a queue with a bound, a thread of the
library's sends them, and what finds the queue full, or the receiver away, is counted and dropped.

No provider is made global: libraries that look for one (FastAPI's own telemetry, which would send
queries and the words of errors) must find none.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from random import random
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, StatusCode

from schemas.meters import Metrics
from schemas.metrics import SPANS
from schemas.settings import Settings
from schemas.traceparent import context_of, ids_of, trace_id
from streams.spans import CURRENT, NAMES, NOBODY, Attributes, Span, Spans

log = structlog.get_logger()
_WAITING: Final = 2_048
_AT_ONCE: Final = 512
_EVERY_MS: Final = 1_000
_SEND_S: Final = 5.0
_CLOSE_S: Final = 2.0
_MS: Final = 1_000_000
_KINDS: Final = {
    "publish scans": SpanKind.PRODUCER,
    "relay": SpanKind.PRODUCER,
    "scan to row": SpanKind.CONSUMER,
    "case": SpanKind.CONSUMER,
    "alert": SpanKind.PRODUCER,
}


def exporter_of(settings: Settings) -> SpanExporter:
    """The library's own, which also heeds its own variables (`OTEL_EXPORTER_OTLP_…`)."""
    endpoint = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, timeout=_SEND_S)


class _Counted(SpanExporter):
    """Hands spans to another exporter and says what became of them."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics) -> None:
        self._exporter = exporter
        self._metrics = metrics
        self._away = False
        self.room = threading.Semaphore(_WAITING)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See the library."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self.room.release(len(spans))
            sent = result is SpanExportResult.SUCCESS
            self._metrics.counter(SPANS, "sent" if sent else "dropped").inc(len(spans))
            if sent is self._away:
                self._away = not sent
                # the library's own line would come with every attempt
                log.warning("spans_dropped") if self._away else log.info("spans_sent_again")
        return result

    def shutdown(self) -> None:
        """See the library."""
        self._exporter.shutdown()


class _Bounded(BatchSpanProcessor):
    """The library's queue, with what it drops counted."""

    def __init__(self, exporter: _Counted, metrics: Metrics) -> None:
        super().__init__(exporter, _WAITING, _EVERY_MS, _AT_ONCE)
        self._room = exporter.room
        self._dropped = metrics.counter(SPANS, "dropped")

    def on_end(self, span: ReadableSpan) -> None:
        """See the library."""
        if self._room.acquire(blocking=False):
            super().on_end(span)
        else:
            self._dropped.inc()


class _Followed(Span):
    """A span that is followed."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        ids = span.get_span_context()
        self.context = context_of(ids.trace_id, ids.span_id)

    def rename(self, name: str) -> None:
        """See `Span`."""
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        """See `Span`."""
        self._span.set_attributes(attributes)


class OtlpSpans(Spans):
    """See `Spans`. Thread-safe."""

    on = True

    def __init__(
        self, exporter: SpanExporter, service: str, ratio: float, metrics: Metrics
    ) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._ratio = ratio
        self._processor = _Bounded(_Counted(exporter, metrics), metrics)
        # who is followed is decided in `begin`, for a fraction of what the library's samplers cost
        # each request that is not
        resource = Resource.create({"service.name": service})
        provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("truyvet")

    def begin(self, name: str, *, surely: bool = False) -> AbstractContextManager[Span]:
        """See `Spans`."""
        if not surely and random() >= self._ratio:  # noqa: S311 (a sample, no secret)
            return NOBODY
        return _current(self._tracer.start_span(name, Context(), SpanKind.SERVER))

    def step(
        self, name: str, attributes: Attributes, context: str | None = None
    ) -> AbstractContextManager[Span]:
        """See `Spans`."""
        context = context or CURRENT.get()
        if context is None:
            return NOBODY
        assert name in NAMES
        kind = _KINDS.get(name, SpanKind.INTERNAL)
        return _current(self._tracer.start_span(name, _parent(context), kind, attributes))

    def past(
        self,
        name: str,
        began_ms: int,
        ended_ms: int,
        context: str,
        attributes: Attributes,
        linked: Sequence[str] = (),
    ) -> str:
        """See `Spans`."""
        assert name in NAMES
        span = self._tracer.start_span(
            name,
            _parent(context),
            _KINDS.get(name, SpanKind.INTERNAL),
            attributes,
            [trace.Link(_ids(other)) for other in linked],
            start_time=began_ms * _MS,
        )
        span.end(max(began_ms, ended_ms) * _MS)
        ids = span.get_span_context()
        return context_of(ids.trace_id, ids.span_id)

    def close(self) -> None:
        """See `Spans`."""
        # the library would wait half a minute for a receiver that does not answer
        ending = threading.Thread(target=self._processor.shutdown, daemon=True)
        ending.start()
        ending.join(_CLOSE_S)


@contextmanager
def _current(span: trace.Span) -> Iterator[_Followed]:
    """The span while it lasts; of what ends it, the kind of error and never its words."""
    followed = _Followed(span)
    assert followed.context is not None
    token = CURRENT.set(followed.context)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id(followed.context)):
            yield followed
    except BaseException as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        CURRENT.reset(token)
        span.end()


def _ids(context: str) -> trace.SpanContext:
    trace_number, span_number = ids_of(context)
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    return trace.SpanContext(trace_number, span_number, is_remote=True, trace_flags=sampled)


def _parent(context: str) -> Context:
    return trace.set_span_in_context(trace.NonRecordingSpan(_ids(context)), Context())
