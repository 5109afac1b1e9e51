"""CPU seconds and resident memory of other processes, from `/proc` (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import UserError

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """CPU seconds since the process began (all threads), and MB resident now."""

    cpu_s: float
    rss_mb: float


def usage(pid: int) -> Usage:
    """Of a process that lives. Raises UserError when it does not, or where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError as error:
        raise UserError(
            f"Không xem được tiến trình {pid} ({error}). / "
            f"Process {pid} cannot be looked at ({error})."
        ) from None
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    return Usage((int(fields[11]) + int(fields[12])) / _TICKS, int(pages) * _PAGE / _MB)


def peak_mb(pid: int) -> float:
    """MB resident at most since the process's program began; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return 0.0
    [kb] = [line.split()[1] for line in lines if line.startswith("VmHWM:")] or ["0"]
    return int(kb) / 1024
