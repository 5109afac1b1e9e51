"""Loopback ports: the configured one, the one of last time, or a free one."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.files import write_atomically

# Below the ports that the system hands to outgoing connections (32768 and up on Linux), so that
# no client can sit on one between the choice and the bind.
FIRST, LAST = 21_000, 32_000


class PortTaken(RuntimeError):
    """A port that was asked for by number belongs to something else."""


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class PortRequest:
    """`count` neighbouring ports under one name; `fixed` must be had, `preferred` may be."""

    name: str
    fixed: int | None = None
    preferred: int | None = None
    count: int = 1


def choose(requests: tuple[PortRequest, ...], previous: Mapping[str, int]) -> dict[str, int]:
    """The first port of each request; no two overlap. PortTaken names a fixed one not to be had."""
    chosen: dict[str, int] = {}
    used: set[int] = set()

    def fits(port: int, count: int) -> bool:
        wanted = range(port, port + count)
        return all(number not in used and is_free(number) for number in wanted)

    for request in sorted(requests, key=lambda request: request.fixed is None):
        port = request.fixed
        if port is not None and not fits(port, request.count):
            raise PortTaken(
                f"Cổng {port} cho {request.name} đã có nơi dùng trên 127.0.0.1: hãy giải phóng, "
                "đặt cổng khác, hoặc để tự chọn. / "
                f"Port {port} for {request.name} is taken on 127.0.0.1: free it, set another port, "
                "or leave it to be chosen."
            )
        for wanted in (request.preferred, previous.get(request.name)):
            if port is None and wanted is not None and fits(wanted, request.count):
                port = wanted
        while port is None:
            candidate = FIRST + secrets.randbelow(LAST - FIRST - request.count)
            port = candidate if fits(candidate, request.count) else None
        chosen[request.name] = port
        used.update(range(port, port + request.count))
    return chosen


def load(path: Path) -> dict[str, int]:
    """Last time's ports; none when the file is missing or not ours."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(stored, dict):
        return {}
    return {str(name): port for name, port in stored.items() if isinstance(port, int)}


def save(path: Path, ports: Mapping[str, int]) -> None:
    write_atomically(path, json.dumps(dict(sorted(ports.items())), indent=2) + "\n")
