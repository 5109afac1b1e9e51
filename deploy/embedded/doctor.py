"""What stands in the way of a start, or of a running stack, and what to do about each."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from deploy.embedded import environment, ports
from deploy.embedded import status as status_file
from deploy.embedded.doctor_words import ADVICE
from deploy.embedded.kafka import fetch
from deploy.embedded.probes import HttpReady, KafkaReady, ReadyCheck
from deploy.embedded.software import java, packages, python_version
from deploy.embedded.status import StackStatus

Level = Literal["ok", "warn", "fail"]
GIB = 1024**3
WARN_FREE, FAIL_FREE = 5 * GIB, 1 * GIB
EARLIEST = 1_767_225_600  # 2026-01-01: no machine that runs this has an earlier clock
PROBE_S = 2.0


@dataclass(frozen=True)
class Check:
    name: str
    level: Level
    found: str
    advice_vi: str = ""
    """What to do about it; empty when all is well."""
    advice_en: str = ""


def _check(name: str, level: Level, found: str, advice: str | None = None) -> Check:
    if level == "ok":
        return Check(name, level, found)
    vietnamese, english = ADVICE[advice or name]
    return Check(name, level, found, vietnamese, english)


def checks(
    data_dir: Path,
    configured_ports: Mapping[str, int | None] | None = None,
    *,
    now_s: float | None = None,
    cache: Path | None = None,
) -> list[Check]:
    """All of them, in the order in which one would look. `configured_ports`: kafka, engine,
    console by name, None where they are chosen. Starts nothing and fetches nothing."""
    data_dir = data_dir.expanduser().absolute()
    stack = status_file.read(data_dir)
    variables = environment.load(data_dir)
    return [
        _python(),
        *_packages(),
        _kafka_jars(cache),
        *_data_dir(data_dir),
        *_ports(stack, configured_ports or {}),
        *_services(stack, variables),
        _clock(data_dir, time.time() if now_s is None else now_s),
    ]


def _python() -> Check:
    found = python_version()
    return _check("python", "ok" if sys.version_info[:2] == (3, 11) else "fail", found)


def _packages() -> Iterator[Check]:
    for name, version in packages().items():
        yield _check(name, "ok" if version else "fail", version or "-", "package")
    runs, said = java()
    yield _check("java", "ok" if runs else "fail", said)


def _kafka_jars(cache: Path | None) -> Check:
    """Not fetched yet is no fault: the first start fetches them."""
    path = fetch.home_path(cache)
    if not path.exists():
        return _check("kafka", "warn", f"{path}: -", "kafka-absent")
    home = fetch.installed(cache)
    if home is None:
        return _check("kafka", "warn", f"{path}: != kafka.lock", "kafka-other")
    if wrong := fetch.verify(home):
        return _check("kafka", "fail", ", ".join(wrong), "kafka-damaged")
    return _check("kafka", "ok", f"{len(home.jars)} jars = kafka.lock")


def _data_dir(data_dir: Path) -> Iterator[Check]:
    existing = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        yield _check("data-dir", "ok", str(data_dir))
    except OSError as error:
        yield _check("data-dir", "fail", f"{existing}: {error.strerror}")
    free = shutil.disk_usage(existing).free
    level: Level = "fail" if free < FAIL_FREE else "warn" if free < WARN_FREE else "ok"
    yield _check("disk", level, f"{free / GIB:.1f} GiB")
    env_file = environment.env_path(data_dir)
    if env_file.exists() and env_file.stat().st_mode & 0o077:
        yield _check("keys", "fail", f"{env_file}: {env_file.stat().st_mode & 0o777:o}")


def _ports(stack: StackStatus, configured: Mapping[str, int | None]) -> Iterator[Check]:
    ours = {p for s in stack.services for p in s.ports.values()} if stack.running else set()
    for name, port in configured.items():
        if port is None:
            continue
        fine = port in ours or ports.is_free(port)
        yield _check(f"port-{name}", "ok" if fine else "fail", str(port), "port")


def _services(stack: StackStatus, variables: Mapping[str, str]) -> Iterator[Check]:
    """Asked where the environment says they are; when nothing runs here, that is only a hint."""
    if stack.running:
        for service in stack.services:
            if service.state not in ("ready", "done"):
                found = f"{service.state} (x{service.restarts}) {service.message}".strip()
                yield _check(f"service-{service.name}", "fail", found, "service")
    probes: tuple[tuple[str, str, type[KafkaReady] | str], ...] = (
        ("broker", "TRUYVET_KAFKA_BOOTSTRAP", KafkaReady),
        ("engine", "TRUYVET_CLICKHOUSE_URL", "/ping"),
        ("console", "TRUYVET_CONSOLE_URL", "/ready"),
    )
    for name, variable, how in probes:
        address = variables.get(variable) or os.environ.get(variable, "")
        port = _loopback_port(address)
        if port is None:
            yield _check(name, "warn", address or "-", "not-local" if address else "not-running")
            continue
        probe: ReadyCheck = HttpReady(port, how) if isinstance(how, str) else how(port)
        if probe(PROBE_S):
            yield _check(name, "ok", address)
        elif stack.running:
            yield _check(name, "fail", address, "service")
        else:
            yield _check(name, "warn", address, "not-running")


def _loopback_port(address: str) -> int | None:
    """The probes speak to this machine only; another address is for its own monitoring."""
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        return parts.port if parts.hostname in ("127.0.0.1", "localhost") else None
    except ValueError:
        return None


def _clock(data_dir: Path, now_s: float) -> Check:
    """Codes, retention and tokens go by the clock; a file from the future says it went back."""
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s))
    written = (status_file.status_path(data_dir), environment.env_path(data_dir))
    newest = max((path.stat().st_mtime for path in written if path.exists()), default=0.0)
    if now_s < EARLIEST or newest > now_s + 120:
        return _check("clock", "fail", shown)
    return _check("clock", "ok", shown)
