"""The receiver of spans: away, slow or well, it is told what it can take and holds nobody up."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from schemas import metrics as m
from schemas.meters import Metrics
from streams import otlp
from streams.otlp import OtlpSpans
from tests.unit.test_spans import CONTEXT, settings, until


class Away(SpanExporter):
    """A receiver that does not answer, until it is let go."""

    def __init__(self, answer: Callable[[], SpanExportResult]) -> None:
        self.answer = answer

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.answer()

    def shutdown(self) -> None:
        """Nothing."""


def counted(metrics: Metrics) -> tuple[float, float]:
    return (
        metrics.counter(m.SPANS, "sent")._value.get(),
        metrics.counter(m.SPANS, "dropped")._value.get(),
    )


def test_a_receiver_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "_WAITING", 50)
    monkeypatch.setattr(otlp, "_AT_ONCE", 10)
    monkeypatch.setattr(otlp, "_EVERY_MS", 10)
    monkeypatch.setattr(otlp, "_CLOSE_S", 0.1)
    hanging = threading.Event()

    def answer() -> SpanExportResult:
        hanging.wait(20)
        return SpanExportResult.FAILURE

    metrics = Metrics(CollectorRegistry(), of="worker")
    made = OtlpSpans(Away(answer), "test", 1, metrics)
    begun = time.monotonic()
    for _ in range(200):
        made.past("write", 1, 2, CONTEXT, {})
    made.close()
    assert time.monotonic() - begun < 2
    assert counted(metrics) == (0, 150), "what finds the queue full is dropped, and counted"
    hanging.set()
    until(lambda: counted(metrics) == (0, 200))


def test_what_a_receiver_refuses_is_counted_and_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics(CollectorRegistry(), of="worker")
    answers = [SpanExportResult.FAILURE, SpanExportResult.FAILURE, SpanExportResult.SUCCESS]
    counting = otlp._Counted(Away(lambda: answers.pop(0)), metrics)
    with capture_logs() as logs:
        for _ in range(3):
            counting.room.acquire()
            counting.export([SimpleNamespace()])  # type: ignore[list-item]
    assert counted(metrics) == (1, 2)
    assert [entry["event"] for entry in logs] == ["spans_dropped", "spans_sent_again"]
    OtlpSpans(Away(lambda: SpanExportResult.SUCCESS), "test", 1, metrics).close()
    assert not logging.getLogger("opentelemetry").isEnabledFor(logging.ERROR)


def test_the_library_is_given_our_address_and_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(otlp, "OTLPSpanExporter", lambda **options: given.append(options))
    otlp.exporter_of(settings(otlp_endpoint="https://collector.example:4318/base/"))
    assert given == [
        {"endpoint": "https://collector.example:4318/base/v1/traces", "timeout": otlp._SEND_S}
    ]
