"""Each request counted, timed, logged and perhaps followed, by its route's template: never its path
or query.

A trace begins here: whoever asks from outside cannot say that he is to be followed.
"""

import time
import traceback
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.admission import Admission
from console.api.errors import ApiError
from schemas.meters import Metrics
from schemas.metrics import REQUEST_SECONDS, REQUESTS
from streams.spans import OFF, Span, Spans, exemplar

log = structlog.get_logger()
_QUIET: Final = frozenset({"/live", "/ready", "/metrics"})


class Observe:
    """ASGI middleware, outermost; answers 500 in both languages for what nobody caught.

    A request leaves the room it took when its last byte is sent.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, admission: Admission, spans: Spans) -> None:
        self._app = app
        self._metrics = metrics
        self._admission = admission
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        spans = OFF if scope["path"] in _QUIET else self._spans
        with spans.begin(scope["method"], surely=_changes_a_case(scope)) as span:
            await self._answer(scope, receive, send, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, span: Span) -> None:
        begun = time.perf_counter()
        status: list[int] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 (the last resort of a request)
            # never the error's words: they can hold what somebody sent
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error(
                "request_failed",
                route=_template(scope),
                error=type(error).__name__,
                at=f"{where.filename}:{where.lineno}",
            )
            if not status:
                await _failed().response()(scope, receive, watched)
        finally:
            self._admission.leave(scope)
            self._note(scope, status[0] if status else 500, time.perf_counter() - begun, span)

    def _note(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        route = _template(scope)
        span.rename(f"{scope['method']} {route}")
        about = {"http.request.method": scope["method"], "http.route": route}
        span.set(about | {"http.response.status_code": status})
        self._metrics.counter(REQUESTS, route, str(status)).inc()
        self._metrics.histogram(REQUEST_SECONDS, route).observe(seconds, exemplar(span.context))
        if route not in _QUIET:
            fields: dict[str, Any] = {"ms": round(1000 * seconds, 1)}
            log.info("request", method=scope["method"], route=route, status=status, **fields)


def _template(scope: Scope) -> str:
    """`/v1/cases/{case_id}`; what matches no route is one name, so that labels stay bounded."""
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else "unmatched"


def _changes_a_case(scope: Scope) -> bool:
    """They are few, and each of them matters."""
    return scope["method"] != "GET" and str(scope["path"]).startswith("/v1/cases")


def _failed() -> ApiError:
    return ApiError(500, "failed", "Lỗi của hệ thống; đã ghi lại.", "An error here; it is noted.")
