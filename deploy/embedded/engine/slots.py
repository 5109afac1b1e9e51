"""The bounded queue before the engine, and who leaves it before execution."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.embedded.engine.errors import overloaded
from deploy.embedded.engine.registry import Registry, Request, State

_LOOK = 0.05  # seconds between two looks at whether a queued client is still there


class Slots:
    """First come, first served. A request is checked (killed, late, client gone) while it waits
    and once more under the registry's lock at the moment it starts."""

    def __init__(self, registry: Registry, slots: int, max_queue: int) -> None:
        assert slots > 0
        assert max_queue >= 0
        self._registry = registry
        self._free = slots
        self._max_queue = max_queue
        self._waiting: deque[Request] = deque()
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
            if self._free <= 0 and len(self._waiting) >= self._max_queue:
                raise overloaded(f"{self._max_queue} queries are waiting already")
            request.state = State.QUEUED
            self._waiting.append(request)
            try:
                while self._free <= 0 or self._waiting[0] is not request:
                    self._changed.wait(_LOOK)
                    request.check_client()
                self._registry.start(request)
                self._free -= 1
            finally:
                self._waiting.remove(request)
                self._changed.notify_all()
