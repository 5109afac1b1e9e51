"""Following a scan and a case: who is followed, what is said of them, and what it may never cost."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from console.store.keys import Role
from schemas import traceparent
from schemas.cases import Case, CaseStatus
from schemas.errors import UserError
from schemas.meters import Metrics
from schemas.settings import Settings
from streams import blocks, marks, otlp, spans
from streams import fetched as fetches
from streams.accounts import Accounts
from streams.batch import RawBatch
from streams.casework import CaseWork
from streams.convert import convert
from streams.decode import decode
from streams.directory import Directory
from streams.latency import Latencies
from streams.marks import Headers, Mark
from streams.otlp import OtlpSpans
from streams.pending import Pending, together
from streams.publish import Message
from streams.resolve import resolve
from streams.runs import Run
from streams.shop import Finished
from streams.spans import CURRENT, NAMES, OFF, open_spans
from streams.steps import Judged
from streams.write import Written
from tests.console_kit import ADMIN, PERSON, RING, WARD, Running, bearer, running
from tests.scans import raw_batch
from tests.unit.test_blocks import fetched, result_of
from tests.unit.test_console_gateway import EVENT, SCAN, lines, post

CONTEXT = "00-" + "a1" * 16 + "-" + "b2" * 8 + "-01"
OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
ENDPOINT = "http://127.0.0.1:4318"


class Held(InMemorySpanExporter):
    """Takes each span at once, so that a test need not wait."""

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        [span] = self.named(name)
        return span


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    monkeypatch.setattr(otlp, "exporter_of", lambda _: made)
    monkeypatch.setattr(otlp, "_Bounded", lambda exporter, _: SimpleSpanProcessor(exporter))
    return made


def settings(**changes: Any) -> Settings:
    return Settings(**changes)


def spans_to(exporter: SpanExporter, ratio: float = 1.0) -> OtlpSpans:
    return OtlpSpans(exporter, "test", ratio, Metrics(CollectorRegistry(), of="worker"))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def context_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return traceparent.context_of(span.context.trace_id, span.context.span_id)


def parent_of(span: ReadableSpan) -> str:
    assert span.parent is not None
    return traceparent.context_of(span.parent.trace_id, span.parent.span_id)


def exemplars(text: str, family: str) -> list[tuple[dict[str, str], str]]:
    """The labels of each bucket that has one, and the trace it leads to."""
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    [found] = [f for f in families if f.name == family]
    return [(s.labels, s.exemplar.labels["trace_id"]) for s in found.samples if s.exemplar]


@pytest.mark.parametrize(
    ("value", "followed"),
    [
        (CONTEXT.encode(), CONTEXT),
        (CONTEXT[:-2].encode() + b"03", CONTEXT[:-2] + "03"),
        (CONTEXT[:-2].encode() + b"00", None),  # nobody follows
        (CONTEXT.upper().encode(), None),
        (CONTEXT.encode() + b"-00", None),
        (CONTEXT.replace("a1", "00").encode(), None),
        (CONTEXT.replace("b2", "00").encode(), None),
        ("tê".encode(), None),
        (b"", None),
        (None, None),
    ],
)
def test_a_header_of_any_other_form_is_none(value: bytes | None, followed: str | None) -> None:
    assert traceparent.followed([("ce_id", b"x"), ("traceparent", value)]) == followed
    assert traceparent.followed([("Traceparent", CONTEXT.encode())]) is None


def test_its_parts_are_its_parts() -> None:
    assert traceparent.context_of(*traceparent.ids_of(CONTEXT)) == CONTEXT
    assert traceparent.trace_id(CONTEXT) == "a1" * 16


# off


def test_off_by_default_and_then_nothing_is_made() -> None:
    made = open_spans(settings(), Metrics(CollectorRegistry()), "test")
    assert made is OFF
    with made.begin("POST", surely=True) as request, made.step("case", {}, CONTEXT) as step:
        assert request.context is step.context is CURRENT.get() is None
    assert made.past("batch", 1, 2, CONTEXT, {}) == CONTEXT
    assert spans.carried() == {}


def test_a_setting_without_its_library_is_refused_in_both_languages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "streams.otlp", None)
    with pytest.raises(UserError, match=r"hãy cài truyvet\[tracing\].*install truyvet\[tracing\]"):
        open_spans(settings(otlp_endpoint=ENDPOINT), Metrics(CollectorRegistry()), "test")


@pytest.mark.parametrize("wrong", ["collector:4318", "http://user:secret@host", "http://h/?a=b"])
def test_an_endpoint_is_an_address_without_secrets(wrong: str) -> None:
    with pytest.raises(ValueError, match="otlp_endpoint"):
        settings(otlp_endpoint=wrong)


# records


def test_marks_are_read_only_where_they_are_asked_for() -> None:
    headers: list[Headers] = [[], [("traceparent", CONTEXT.encode())], [("x", b"")]]
    block = fetches._take(result_of(fetched([b"1", b"2", b"3"], headers)), blocks_tp(), None)
    assert block.marks == ()
    records = fetched([b"1", b"2", b"3"], headers)
    block = fetches._take(result_of(records), blocks_tp(), None, traceparent.followed)
    assert block.marks == ((1, 1_790_000_000_000, CONTEXT),)
    assert [record.context for record in block] == [None, CONTEXT, None]
    piece = block.pieces[0]
    assert (piece.cut(1, 3).marks, piece.cut(0, 1).marks) == (piece.marks, ())


def test_a_flood_of_headers_is_bounded() -> None:
    reads: list[int] = []

    def reading(_: object) -> str:
        reads.append(1)
        return CONTEXT

    headers: list[Headers] = [[("traceparent", b"x")] * 20] * 300
    block = fetches._take(result_of(fetched([b"v"] * 300, headers)), blocks_tp(), None, reading)
    assert len(block.marks) == len(reads) == marks.MOST < 300
    assert len(block) == 300
    reads.clear()
    silent = lambda found: reads.append(len(found))  # noqa: E731
    fetches._take(result_of(fetched([b"v"] * 300, headers)), blocks_tp(), None, silent)
    assert reads == [marks._HEADERS] * marks._LOOKS


def blocks_tp() -> Any:
    return SimpleNamespace(topic="scans.v1", partition=0)


# the gateway


@pytest.fixture
def console(tmp_path: Path, held: Held) -> Iterator[Running]:
    with running(tmp_path, otlp_endpoint=ENDPOINT, otlp_ratio=1) as console:
        yield console


def test_one_scan_of_a_request_carries_its_trace(console: Running, held: Held) -> None:
    console.client.headers.update(console.key(Role.PRODUCER, producer="gate-1"))
    other = SCAN | {"event_id": EVENT[:-1] + "8"}
    from_outside = {"traceparent": CONTEXT, "Content-Type": "application/x-ndjson"}
    with capture_logs([merge_contextvars]) as logs:
        assert post(console, lines(SCAN, other), from_outside).status_code == 202
    request, publish = held.one("POST /v1/scans"), held.one("publish scans")
    assert request.parent is None, "who asks from outside does not say who is followed"
    assert context_of(request)[3:35] != CONTEXT[3:35]
    assert parent_of(publish) == context_of(request)
    first, second = console.broker.records
    assert dict(first.headers) == {"traceparent": context_of(publish).encode()}
    assert second.headers == ()
    assert dict(publish.attributes or {}) == {"truyvet.scans": 2, "truyvet.event": EVENT}
    assert dict(request.attributes or {}) == {
        "http.route": "/v1/scans",
        "http.request.method": "POST",
        "http.response.status_code": 202,
    }
    [said] = [entry for entry in logs if entry["event"] == "request"]
    trace = traceparent.trace_id(context_of(request))
    assert (said["route"], said["trace_id"]) == ("/v1/scans", trace)
    answer = console.client.get("/metrics", headers=OPEN_METRICS)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    found = exemplars(answer.text, "truyvet_http_request_seconds")
    assert [(labels["route"], at) for labels, at in found] == [("/v1/scans", trace)]
    plain = console.client.get("/metrics")
    assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert trace not in plain.text
    assert held.named("GET /metrics") == []


def test_no_span_holds_a_person_a_query_a_key_or_the_words_of_an_error(
    console: Running, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"about {PERSON}")

    console.client.headers.update(bearer(ADMIN))
    body = {"person": PERSON, "onset": "2021-12-01", "ward": WARD}
    case = console.client.post("/v1/cases", json=body).json()["id"]
    console.client.get(f"/v1/scans/{EVENT}?person={PERSON}")
    console.client.get(f"/v1/cases/{case}/contacts")
    console.client.post("/v1/cases", json=body | {"onset": PERSON})
    monkeypatch.setattr("console.store.cases.list_cases", broken)
    assert console.client.get("/v1/cases").status_code == 500
    said = "".join(span.to_json() for span in held.get_finished_spans())
    assert '"POST /v1/cases"' in said
    assert '"GET /v1/scans/{event_id}"' in said
    for secret in (PERSON, ADMIN, ADMIN[3:], "person="):
        assert secret not in said


def test_by_the_share_a_change_of_a_case_always(tmp_path: Path, held: Held) -> None:
    with running(tmp_path, otlp_endpoint=ENDPOINT, otlp_ratio=0) as console:
        console.client.headers.update(console.key(Role.PRODUCER, producer="gate-1"))
        assert post(console, orjson.dumps(SCAN)).status_code == 202
        assert console.broker.records[0].headers == ()
        console.client.headers.update(bearer(ADMIN))
        console.client.get("/v1/cases")
        assert held.get_finished_spans() == ()
        body = {"person": PERSON, "onset": "2021-12-01", "ward": WARD}
        case = console.client.post("/v1/cases", json=body).json()["id"]
        until(lambda: bool(held.named("relay")))
        [record] = console.relayed.records
        request = held.one("POST /v1/cases")
        headers = dict(record.headers)
        assert headers["traceparent"].decode() == context_of(request)
        assert headers["ce_id"].decode() == f"{case}/1"
        relay = held.one("relay")
        assert parent_of(relay) == context_of(request)
        assert (relay.attributes or {})["messaging.destination.name"] == "cases.v1"


def test_the_frameworks_own_telemetry_stays_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends paths and queries; it is on wherever some library makes a provider global."""
    seen = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(seen))
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
    with running(tmp_path) as console:
        console.client.get(f"/v1/scans/{EVENT}?person={PERSON}", headers=bearer(ADMIN))
    assert seen.get_finished_spans() == ()
    TestClient(FastAPI()).get(f"/anything?person={PERSON}")  # the canary: this is what it would say
    assert any(PERSON in span.to_json() for span in seen.get_finished_spans())


def test_who_is_followed_is_a_matter_of_the_share(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = spans_to(held, 0.25)
    for drawn, surely in ((0.24, False), (0.25, False), (0.9, True)):
        monkeypatch.setattr(otlp, "random", lambda drawn=drawn: drawn)
        with made.begin(f"{drawn}", surely=surely):
            assert (CURRENT.get() is None) is (drawn == 0.25)
        assert CURRENT.get() is None
    assert [span.name for span in held.get_finished_spans()] == ["0.24", "0.9"]


# the worker


def pending_of(first: int, count: int, marks: dict[int, str]) -> Pending:
    """A judged piece of records that are no scans; `marks`: trace contexts by offset."""
    raw = raw_batch([b"{"] * count, first=first)
    raw = RawBatch(
        raw.partition, raw.offsets, raw.appended, raw.keys, raw.values,
        tuple(Mark(at, int(raw.appended[0]), context) for at, context in marks.items()),
        int(raw.appended[0]) + 20,
    )  # fmt: skip
    verdicts = decode(raw)
    resolved = resolve(verdicts, Directory(RING))
    rows = convert(verdicts, resolved, np.zeros(0, np.uint64))
    return Pending.of(Judged(verdicts, resolved, rows, 0))


def test_a_followed_scan_leads_to_its_row_and_its_batch(held: Held) -> None:
    other = CONTEXT.replace("a1", "c3")
    pending = together([pending_of(0, 3, {1: CONTEXT}), pending_of(3, 2, {4: other})])
    metrics = Metrics(CollectorRegistry(), of="worker")
    appended = int(pending.appended[0])
    written = Written(pending.rows, appended + 400, appended + 90)
    accounts = Accounts(
        metrics, Latencies(), Directory(RING), settings(), OtlpSpans(held, "test", 1, metrics)
    )
    accounts.done(Finished(pending, written, 0))
    first, second = held.named("scan to row")
    batch = held.one("batch")
    assert (parent_of(first), parent_of(second)) == (CONTEXT, other)
    assert parent_of(batch) == context_of(first)
    assert [traceparent.trace_id(link_of(link)) for link in batch.links] == ["c3" * 16]
    assert [link_of(link) for link in second.links] == [context_of(batch)]
    assert (first.start_time, first.end_time) == (appended * 10**6, (appended + 400) * 10**6)
    about = dict(first.attributes or {})
    assert (about["messaging.kafka.offset"], about["truyvet.outcome"]) == (1, "rejects")
    steps = {span.name for span in held.get_finished_spans() if parent_is(span, batch)}
    assert steps == {"judge", "write", "follow up"}
    text = metrics.page(OPEN_METRICS["Accept"])[0].decode()
    found = exemplars(text, "truyvet_scan_to_queryable_seconds")
    assert [(labels["le"], at) for labels, at in found] == [("0.5", "c3" * 16)]
    assert metrics.page(None)[1].startswith("text/plain")
    assert metrics.page("application/openmetrics-text;version=x")[0].endswith(b"# EOF\n")


def link_of(link: Any) -> str:
    return traceparent.context_of(link.context.trace_id, link.context.span_id)


def parent_is(span: ReadableSpan, other: ReadableSpan) -> bool:
    return span.parent is not None and parent_of(span) == context_of(other)


def test_a_batch_that_nobody_follows_makes_none(held: Held) -> None:
    pending = pending_of(0, 3, {})
    assert pending.pieces == ()
    metrics = Metrics(CollectorRegistry(), of="worker")
    made = OtlpSpans(held, "test", 1, metrics)
    accounts = Accounts(metrics, Latencies(), Directory(RING), settings(), made)
    accounts.done(Finished(pending, Written(pending.rows, 1, 0), 0))
    assert held.get_finished_spans() == ()


class Told:
    """Stands for the publisher: keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, messages: Sequence[Message]) -> None:
        self.messages += messages


@pytest.mark.parametrize("context", [CONTEXT, None])
def test_a_cases_alerts_carry_its_trace(held: Held, context: str | None) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    case = Case(
        id="C-2026-000001", person=PERSON, status=CaseStatus.CONFIRMED, ward=WARD,
        registered_at=now, registered_by="key/1", version=1,
    )  # fmt: skip
    run = Run(case, 1, "case/1", {"contacts_by_tier": {}}, [], [])
    told, seen = Told(), list[str | None]()
    tracing = SimpleNamespace(run=lambda *_: run)
    work = CaseWork(
        tracing, told, lambda _: case, lambda _: seen.append(CURRENT.get()), lambda _: None,  # type: ignore[arg-type]
        spans_to(held),
    )  # fmt: skip
    value = case.model_dump_json(exclude_none=True).encode()
    record = blocks.Record("cases.v1", 0, 7, 1_790_000_000_000, case.id.encode(), value, context)
    asyncio.run(work.record(record))
    [message] = told.messages
    headers = dict(message.headers)
    if context is None:
        assert held.get_finished_spans() == ()
        assert "traceparent" not in headers
        return
    span, alert = held.one("case"), held.one("alert")
    assert (parent_of(span), parent_of(alert)) == (CONTEXT, context_of(span))
    assert headers["traceparent"].decode() == context_of(alert)
    assert seen == [context_of(span)], "what leads from case-to-alert to the trace"
    about = {"truyvet.case": case.id, "truyvet.case_version": 1}
    assert dict(span.attributes or {}) == about


def test_every_name_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tracing-spans.md").read_text("utf-8")
    for name, meaning in NAMES.items():
        assert f"| `{name}` | {meaning} |" in page


def test_names_that_are_not_of_the_list_are_refused(held: Held) -> None:
    made = spans_to(held)
    with pytest.raises(AssertionError), made.step("other", {}, CONTEXT):
        pass
