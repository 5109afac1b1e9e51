"""The truyvet stack on one machine: run it here, or leave it running behind you."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Any

from deploy.embedded import layout
from deploy.embedded.detached import StackInfo, start_detached, status, stop
from deploy.embedded.files import AlreadyRunning, DataDirLock
from deploy.embedded.layout import Layout, StackOptions
from deploy.embedded.ports import PortTaken
from deploy.embedded.progress import OnProgress, Progress, silent
from deploy.embedded.service import UP, BackOff
from deploy.embedded.starting import (
    READY_TIMEOUT_S,
    START_TIMEOUT_S,
    StackError,
    fetched,
    wait_up,
)
from deploy.embedded.status import ServiceStatus, StackStatus
from deploy.embedded.supervisor import Supervisor, failure_text

__all__ = [
    "Progress",
    "ServiceStatus",
    "Stack",
    "StackError",
    "StackInfo",
    "StackOptions",
    "StackStatus",
    "start_detached",
    "status",
    "stop",
]


class Stack:
    """The stack inside this process, for a demo or a test: `with Stack(options) as stack`.

    However the process ends, its services end: by `stop` on any exception, SIGINT or SIGTERM, and
    by the kernel on SIGKILL.
    """

    def __init__(
        self,
        options: StackOptions,
        *,
        back_off: BackOff | None = None,
        timeout_s: float = START_TIMEOUT_S,
        on_progress: OnProgress = silent,
    ) -> None:
        self.options = options
        self._back_off = back_off
        self._timeout_s = timeout_s
        self._on_progress = on_progress
        self._lock = DataDirLock(options.data_dir)
        self._layout: Layout | None = None
        self._supervisor: Supervisor | None = None
        self._thread: threading.Thread | None = None
        self._old_sigterm: Any = None

    def __enter__(self) -> Stack:
        self.start(self._on_progress)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, on_progress: OnProgress = silent) -> None:
        assert self._thread is None, "already started"
        home = fetched(self.options, on_progress)
        try:
            self._lock.acquire()
        except AlreadyRunning as error:
            raise StackError(str(error)) from error
        try:
            self._catch_sigterm()
            self._layout = layout.plan(self.options, home)
            supervisor = Supervisor(self.options.data_dir, self._layout.services, self._back_off)
            self._supervisor = supervisor
            self._thread = threading.Thread(target=supervisor.run, name="supervisor")
            self._thread.start()
            wait_up(
                supervisor.snapshot,
                lambda: supervisor.wait_change(0.2),
                on_progress,
                self._timeout_s,
            )
        except PortTaken as error:
            self.stop()
            raise StackError(str(error)) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Everything in reverse order; again is nothing."""
        if self._supervisor is not None:
            self._supervisor.request_stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._lock.release()
        if self._old_sigterm is not None:
            signal.signal(signal.SIGTERM, self._old_sigterm)
            self._old_sigterm = None

    def _catch_sigterm(self) -> None:
        """SIGTERM would end Python without `__exit__`; here it becomes SystemExit."""
        usable = threading.current_thread() is threading.main_thread()
        if usable and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._old_sigterm = signal.signal(signal.SIGTERM, _exit_on_signal)

    @property
    def env(self) -> Mapping[str, str]:
        """The TRUYVET_* variables of this stack."""
        assert self._layout is not None, "not started"
        return self._layout.variables

    @property
    def ports(self) -> Mapping[str, int]:
        assert self._layout is not None, "not started"
        return self._layout.ports

    def status(self) -> StackStatus:
        assert self._supervisor is not None, "not started"
        return self._supervisor.snapshot()

    def kill(self, service_name: str, sig: signal.Signals = signal.SIGKILL) -> int:
        """A fault: the signal goes to the service's process, whose pid is returned. Raises
        ProcessLookupError where there is none."""
        assert self._supervisor is not None, "not started"
        return self._supervisor.kill(service_name, sig)

    def wait_ready(self, service: str, timeout_s: float = READY_TIMEOUT_S) -> None:
        assert self._supervisor is not None, "not started"
        deadline = time.monotonic() + timeout_s
        while self._supervisor.state(service) not in UP:
            if time.monotonic() > deadline:
                raise StackError(
                    failure_text(
                        self.options.data_dir,
                        service,
                        f"chưa sẵn sàng sau {timeout_s:.0f} giây / "
                        f"not ready within {timeout_s:.0f} s",
                    )
                )
            self._supervisor.wait_change(0.1)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
