"""The bounded queue before the engine, and who leaves it before execution."""

import threading
import time
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter

from deploy.embedded.engine.errors import overloaded
from deploy.embedded.engine.registry import Registry, Request, State

_LOOK = 0.05  # seconds between two looks at whether a queued client is still there

# Seconds that a query stands back behind those without a `priority`, which are inserts: the first
# priority goes before them, but not for ever; the others after all that came within these seconds.
_BEFORE = -0.5
_BEHIND = 5.0


class Slots:
    """First come, first served, but for ClickHouse's `priority` of a query (1 is the first; none or
    0 has none). One slot of several is never for the priorities behind the first.

    A request is checked (killed, late, client gone) while it waits and once more under the
    registry's lock at the moment it starts."""

    def __init__(self, registry: Registry, slots: int, max_queue: int) -> None:
        assert slots > 0
        assert max_queue >= 0
        self._registry = registry
        self._free = slots
        self._max_queue = max_queue
        self._kept = 1 if slots > 1 else 0
        self._waiting: list[tuple[float, Request]] = []
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, request: Request) -> Iterator[None]:
        self._enter(request)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _enter(self, request: Request) -> None:
        with self._changed:
            if len(self._waiting) >= self._max_queue and self._free <= self._kept_from(request):
                raise overloaded(f"{self._max_queue} queries are waiting already")
            request.state = State.QUEUED
            place = (time.monotonic() + _stands_back(request), request)
            insort(self._waiting, place, key=itemgetter(0))
            try:
                while self._next() is not request:
                    self._changed.wait(_LOOK)
                    request.check_client()
                self._registry.start(request)
                self._free -= 1
            finally:
                self._waiting.remove(place)
                self._changed.notify_all()

    def _next(self) -> Request | None:
        """Whose turn it is; None while there is no slot for any that waits."""
        for _, request in self._waiting:
            if self._free > self._kept_from(request):
                return request
        return None

    def _kept_from(self, request: Request) -> int:
        return self._kept if _stands_back(request) > 0 else 0


def _stands_back(request: Request) -> float:
    priority = request.call.settings.get("priority", "0")
    return {"0": 0.0, "": 0.0, "1": _BEFORE}.get(priority, _BEHIND)
