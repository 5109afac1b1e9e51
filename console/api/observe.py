"""Each request counted, timed and logged by its route's template: never its path or query."""

import time
import traceback
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.admission import Admission
from console.api.errors import ApiError
from schemas.meters import Metrics
from schemas.metrics import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger()
_QUIET: Final = frozenset({"/live", "/ready", "/metrics"})


class Observe:
    """ASGI middleware, outermost; answers 500 in both languages for what nobody caught.

    A request leaves the room it took when its last byte is sent.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, admission: Admission) -> None:
        self._app = app
        self._metrics = metrics
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status: list[int] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        structlog.contextvars.clear_contextvars()
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
            self._note(scope, status[0] if status else 500, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _template(scope)
        self._metrics.counter(REQUESTS, route, str(status)).inc()
        self._metrics.histogram(REQUEST_SECONDS, route).observe(seconds)
        if route not in _QUIET:
            fields: dict[str, Any] = {"ms": round(1000 * seconds, 1)}
            log.info("request", method=scope["method"], route=route, status=status, **fields)


def _template(scope: Scope) -> str:
    """`/v1/cases/{case_id}`; what matches no route is one name, so that labels stay bounded."""
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else "unmatched"


def _failed() -> ApiError:
    return ApiError(500, "failed", "Lỗi của hệ thống; đã ghi lại.", "An error here; it is noted.")
