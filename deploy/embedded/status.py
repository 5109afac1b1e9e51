"""What is running, as the supervisor last wrote it: `<data_dir>/run/status.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.embedded.files import DataDirLock, write_atomically


@dataclass(frozen=True)
class ServiceStatus:
    name: str
    state: str
    pid: int | None
    restarts: int
    ports: dict[str, int]
    since: str
    """When it entered this state, UTC, RFC 3339."""
    message: str = ""


@dataclass(frozen=True)
class StackStatus:
    """`running` is known from the lock, not from a pid that another process may have by now."""

    data_dir: Path
    running: bool
    supervisor_pid: int | None
    since: str | None
    services: tuple[ServiceStatus, ...]

    def service(self, name: str) -> ServiceStatus | None:
        return next((service for service in self.services if service.name == name), None)


def status_path(data_dir: Path) -> Path:
    return data_dir / "run" / "status.json"


def rfc3339(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def write(status: StackStatus) -> None:
    content = asdict(status) | {"data_dir": str(status.data_dir)}
    write_atomically(status_path(status.data_dir), json.dumps(content, indent=2) + "\n")


def read(data_dir: Path) -> StackStatus:
    """Works when nothing runs: what was left is then shown as stopped, without pids."""
    data_dir = data_dir.absolute()
    pid = DataDirLock(data_dir).holder()
    running = DataDirLock(data_dir).held()
    try:
        stored = json.loads(status_path(data_dir).read_text(encoding="utf-8"))
        services = tuple(ServiceStatus(**service) for service in stored["services"])
        since, writer = stored["since"], stored["supervisor_pid"]
    except (OSError, ValueError, KeyError, TypeError):
        services, since, writer = (), None, None
    if running and writer == pid:
        return StackStatus(data_dir, True, pid, since, services)
    gone = tuple(
        ServiceStatus(s.name, "stopped", None, s.restarts, s.ports, s.since) for s in services
    )
    return StackStatus(data_dir, running, pid, None, gone)
