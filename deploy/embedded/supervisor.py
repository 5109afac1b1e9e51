"""Start services in order, keep them up, stop them in reverse, and say all the while what is so.

One thread owns every process: the kernel ties a child's life to the thread that started it (see
leash.py), so that thread is the supervisor's whole life, in a detached process or within another.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from deploy.embedded import logs, status
from deploy.embedded.files import tail
from deploy.embedded.service import UP, BackOff, Managed, Service, State
from deploy.embedded.status import ServiceStatus, StackStatus, rfc3339

TICK_S = 0.05
ROTATE_EVERY_S = 2.0


class Supervisor:
    """`run` blocks until `request_stop`; the other methods may be called from any thread."""

    def __init__(
        self, data_dir: Path, services: Sequence[Service], back_off: BackOff | None = None
    ) -> None:
        self.data_dir = data_dir
        self._managed = {
            service.name: Managed(
                service, logs.log_path(data_dir, service.name), back_off or BackOff()
            )
            for service in services
        }
        assert len(self._managed) == len(services), "two services of one name"
        for position, service in enumerate(services):
            earlier = {other.name for other in services[:position]}
            assert set(service.depends_on) <= earlier, f"{service.name}: order of start"
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._since = ""
        self._running = True

    def run(self) -> None:
        """Until asked to stop; nothing this started is alive when it returns or raises."""
        self._since = rfc3339(time.time())
        for managed in self._managed.values():
            managed.since = time.time()
        rotated = time.monotonic()
        self._publish()
        try:
            while not self._stop.is_set():
                if self._tick():
                    self._publish()
                if time.monotonic() - rotated >= ROTATE_EVERY_S:
                    with suppress(OSError):  # a full disk must not end what still runs
                        logs.rotate_all(self.data_dir)
                    rotated = time.monotonic()
                self._stop.wait(TICK_S)
        finally:
            self._stop_all()

    def _tick(self) -> bool:
        changed = False
        for managed in self._managed.values():
            if self._stop.is_set():
                break
            dependencies_up = all(
                self._managed[name].state in UP for name in managed.service.depends_on
            )
            changed |= managed.tick(time.monotonic(), time.time(), dependencies_up=dependencies_up)
        return changed

    def _stop_all(self) -> None:
        for managed in reversed(self._managed.values()):
            managed.stop(time.monotonic(), time.time())
            self._publish()
        self._running = False

    def _publish(self) -> None:
        with suppress(OSError):
            status.write(self.snapshot())
        with self._changed:
            self._changed.notify_all()

    def request_stop(self) -> None:
        self._stop.set()

    def snapshot(self) -> StackStatus:
        services = tuple(
            ServiceStatus(
                name=managed.service.name,
                state=str(managed.visible_state),
                pid=managed.pid,
                restarts=managed.restarts,
                ports=dict(managed.service.ports),
                since=rfc3339(managed.since),
                message=managed.message,
            )
            for managed in self._managed.values()
        )
        return StackStatus(self.data_dir, self._running, os.getpid(), self._since, services)

    def wait_change(self, timeout_s: float) -> None:
        with self._changed:
            self._changed.wait(timeout_s)

    def kill(self, name: str, sig: signal.Signals) -> int:
        """Signal a service's process as a fault would; returns the pid that got it. Raises
        ProcessLookupError where there is none."""
        pid = self._managed[name].pid
        if pid is None:
            raise ProcessLookupError(f"{name} does not run")
        self._managed[name].kill(sig)
        return pid

    def state(self, name: str) -> State:
        return self._managed[name].visible_state


def blocked_by(seen: StackStatus, *, patience: int = 3) -> str | None:
    """The service a start waits for in vain: dead that many times, or a one-shot that failed."""
    for service in seen.services:
        if service.state == State.BACKING_OFF and service.restarts >= patience:
            return service.name
    return None


def failure_text(data_dir: Path, name: str, reason: str) -> str:
    last = tail(logs.log_path(data_dir, name))
    path = logs.log_path(data_dir, name)
    vi, _, en = reason.partition(" / ")
    return (
        f"{name} không khởi động ({vi}); nhật ký: {path}. / "
        f"{name} did not start ({en or vi}); its log: {path}." + (f"\n{last}" if last else "")
    )
