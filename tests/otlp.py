"""A receiver of spans for tests: OTLP over HTTP on loopback, what comes in kept as it was."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Got:
    """One span; ids are hexadecimal, `links` the traces it is linked to."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    about: dict[str, str]
    links: tuple[str, ...]
    seconds: float


class Receiver:
    """What came in; while `hangs` is set nobody gets an answer."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.hangs = threading.Event()
        self.go_on = threading.Event()
        self.url = ""

    @property
    def spans(self) -> list[Got]:
        """All of them, in the order they came."""
        return [span for body in list(self.raw) for span in _read(body)]

    def about(self, attribute: str, value: str) -> list[Got]:
        """The spans that say so."""
        return [span for span in self.spans if span.about.get(attribute) == value]

    def of(self, trace: str) -> dict[str, Got]:
        """The spans of a trace, by name."""
        return {span.name: span for span in self.spans if span.trace == trace}

    def drawn(self, trace: str) -> str:
        """A trace as a tree, for people."""
        spans = list(self.of(trace).values())

        def lines(above: str, indent: int) -> list[str]:
            return [
                line
                for span in spans
                if span.parent == above
                for line in (
                    f"{'  ' * indent}{span.name}  {1000 * span.seconds:.1f} ms  {span.about}",
                    *lines(span.span, indent + 1),
                )
            ]

        return "\n".join(lines("", 0))


def _read(body: bytes) -> Iterator[Got]:
    request: Any = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        service = _texts(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Got(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _texts(span.attributes),
                    tuple(link.trace_id.hex() for link in span.links),
                    (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                )


def _texts(attributes: Any) -> dict[str, str]:
    return {a.key: str(getattr(a.value, a.value.WhichOneof("value"))) for a in attributes}


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One that listens, until the end of the block."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.hangs.is_set():
                made.go_on.wait(120)
                return
            made.raw.append(body)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield made
    finally:
        made.go_on.set()
        server.shutdown()
        server.server_close()
