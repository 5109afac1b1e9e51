"""What both ways of starting share: the jars fetched, the wait until all is up, the one error."""

from __future__ import annotations

import time
from collections.abc import Callable

from deploy.embedded.files import tail
from deploy.embedded.kafka import KafkaFetchError, KafkaHome
from deploy.embedded.kafka.training import ready_home
from deploy.embedded.layout import StackOptions
from deploy.embedded.logs import log_path
from deploy.embedded.progress import OnProgress, Progress
from deploy.embedded.service import UP
from deploy.embedded.status import StackStatus
from deploy.embedded.supervisor import blocked_by, failure_text

START_TIMEOUT_S = 300.0
READY_TIMEOUT_S = 120.0


class StackError(RuntimeError):
    """A sentence for a person, with the end of the log that says why."""


def fetched(options: StackOptions, on_progress: OnProgress) -> KafkaHome | None:
    if "kafka" not in options.services:
        return None
    try:
        return ready_home(on_progress)
    except KafkaFetchError as error:
        raise StackError(str(error)) from error


def wait_up(
    look: Callable[[], StackStatus],
    pause: Callable[[], None],
    on_progress: OnProgress,
    timeout_s: float,
) -> StackStatus:
    """Until every service is up; StackError names the one that is not and why."""
    deadline = time.monotonic() + timeout_s
    told: dict[str, str] = {}
    while True:
        seen = look()
        up = [service for service in seen.services if service.state in UP]
        for service in seen.services:
            if told.get(service.name) != service.state:
                told[service.name] = service.state
                on_progress(
                    Progress("start", service.name, service.state, len(up), len(seen.services))
                )
        if not seen.running:
            log = tail(log_path(seen.data_dir, "supervisor"))
            raise StackError(
                f"Tiến trình giám sát của {seen.data_dir} dừng khi đang khởi động. / "
                f"The supervisor of {seen.data_dir} ended while starting.\n{log}"
            )
        if seen.services and len(up) == len(seen.services):
            on_progress(Progress("ready", "stack", "ready", len(up), len(up)))
            return seen
        if name := blocked_by(seen):
            service = next(s for s in seen.services if s.name == name)
            raise StackError(failure_text(seen.data_dir, name, service.message))
        if time.monotonic() > deadline:
            name = next((s.name for s in seen.services if s.state not in UP), "supervisor")
            raise StackError(
                failure_text(
                    seen.data_dir,
                    name,
                    f"chưa sẵn sàng sau {timeout_s:.0f} giây / not ready within {timeout_s:.0f} s",
                )
            )
        pause()
