"""Processes of a benchmark: what one says in its last line, and the CPU time another has taken."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from schemas.errors import UserError

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ERROR_CHARACTERS: Final = 400


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads, from its start, in seconds.

    Children that it has not waited for are not in it. Raises UserError if it is gone.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        raise UserError(
            f"Tiến trình {pid} không còn: không đọc được thời gian CPU. / "
            f"Process {pid} is gone: its CPU time cannot be read."
        ) from None
    return parse_stat(text) / _TICKS


def parse_stat(text: str) -> int:
    """utime + stime of a line of /proc/<pid>/stat, in clock ticks.

    The name of the program, in brackets, may itself hold spaces and brackets.
    """
    fields = text.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def total_cpu(pids: Iterable[int]) -> float:
    """`cpu_seconds` of all of them."""
    return sum(cpu_seconds(pid) for pid in pids)


def speak(
    command: Sequence[str],
    what: str,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Mapping[str, Any]:
    """Run a process to its end: the JSON object in its last line.

    Raises UserError, naming `what`, if there is none, the exit code is not 0, or it takes too long.
    """
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        start_new_session=True,  # so that whatever it started ends with it
    )
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        raise UserError(
            f"{what} không xong trong {timeout_s:.0f} giây. / "
            f"{what} did not finish within {timeout_s:.0f} s."
        ) from None
    except BaseException:
        _end(process)
        raise
    try:
        answer = json.loads(out.splitlines()[-1])
        if process.returncode == 0 and isinstance(answer, dict):
            return answer
    except (IndexError, ValueError):
        pass
    words = " ".join(err.decode("utf-8", "replace").split())[-_ERROR_CHARACTERS:]
    raise UserError(
        f"{what} dừng sớm (mã {process.returncode}): {words or 'không nói gì'} / "
        f"{what} ended early (exit code {process.returncode}): {words or 'no word'}"
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        process.kill()
    process.communicate()
