"""Spans: one scan followed from the gateway to its row, one case from a request to its alert.

Here is what the code asks for. `streams.otlp` makes them where a setting says so; else nothing is
made. A context is a `traceparent` (`schemas.traceparent`) of a trace that is followed. Attributes
name scans, cases and batches by their ids and offsets, never a person.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Final

from schemas import traceparent
from schemas.errors import UserError
from schemas.meters import Metrics
from schemas.settings import Settings

Attributes = Mapping[str, str | int]

# Every span but those of requests, which have the names of their routes.
NAMES: Final = {
    "publish scans": "from the gateway to the broker's acknowledgement",
    "scan to row": "from the broker's append to the acknowledged insert, and what became of it",
    "batch": "the batch of a followed scan, from its judging to its acknowledgement",
    "judge": "decode, validate, resolve, deduplicate and convert one piece of the batch",
    "write": "insert the batch's rows and read them back",
    "follow up": "dead letters, alerts and requests to trace again, until the broker has them",
    "relay": "a change from the outbox to the broker's acknowledgement",
    "case": "a worker's work on one version of a case",
    "trace": "find the case's contacts",
    "store": "write the run to ClickHouse",
    "alert": "the officers' alerts, until the broker has them",
}
CURRENT: Final[ContextVar[str | None]] = ContextVar("span", default=None)


class Span:
    """One that nobody follows."""

    context: str | None = None

    def rename(self, name: str) -> None:
        """Give it another name."""

    def set(self, attributes: Attributes) -> None:
        """Add these to it."""


NOBODY: Final = nullcontext(Span())


class Spans:
    """Makes none."""

    on = False

    def begin(self, name: str, *, surely: bool = False) -> AbstractContextManager[Span]:
        """A request, and perhaps the first span of a trace: by the setting's share, or `surely`."""
        del name, surely
        return NOBODY

    def step(
        self, name: str, attributes: Attributes, context: str | None = None
    ) -> AbstractContextManager[Span]:
        """A step of what this context, or the current span, follows; nothing if none does."""
        del name, attributes, context
        return NOBODY

    def past(
        self,
        name: str,
        began_ms: int,
        ended_ms: int,
        context: str,
        attributes: Attributes,
        linked: Sequence[str] = (),
    ) -> str:
        """A step that has ended (Unix ms), linked to others; its own context."""
        del name, began_ms, ended_ms, attributes, linked
        return context

    def close(self) -> None:
        """What waits goes out, within two seconds. Blocking."""


OFF: Final = Spans()


def carried() -> dict[str, str]:
    """The header that tells whoever reads a record of the current span; none if there is none."""
    context = CURRENT.get()
    return {} if context is None else {traceparent.NAME: context}


def exemplar(context: str | None) -> dict[str, str] | None:
    """What leads from a histogram's bucket to a trace; None if nobody follows."""
    return None if context is None else {"trace_id": traceparent.trace_id(context)}


def open_spans(settings: Settings, metrics: Metrics, service: str) -> Spans:
    """As the settings say. Raises UserError where the library is not installed."""
    if not settings.otlp_endpoint:
        return OFF
    try:
        from streams.otlp import OtlpSpans, exporter_of
    except ImportError as error:
        raise UserError(
            "TRUYVET_OTLP_ENDPOINT được đặt nhưng thiếu thư viện: hãy cài truyvet[tracing]. / "
            f"TRUYVET_OTLP_ENDPOINT is set and its library is missing ({error.name}): install "
            "truyvet[tracing]."
        ) from None
    return OtlpSpans(exporter_of(settings), service, settings.otlp_ratio, metrics)
