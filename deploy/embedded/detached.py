"""A stack that outlives the command that started it: start, stop, status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import environment
from deploy.embedded import status as status_file
from deploy.embedded.files import DataDirLock
from deploy.embedded.layout import SOURCE_ROOT, StackOptions
from deploy.embedded.progress import OnProgress, silent
from deploy.embedded.starting import START_TIMEOUT_S, StackError, fetched, wait_up
from deploy.embedded.status import StackStatus
from deploy.embedded.supervise import encode


@dataclass(frozen=True)
class StackInfo:
    data_dir: Path
    pid: int
    env: Mapping[str, str]
    """The TRUYVET_* variables, as in truyvet.env."""
    status: StackStatus


def start_detached(
    options: StackOptions,
    on_progress: OnProgress = silent,
    timeout_s: float = START_TIMEOUT_S,
) -> StackInfo:
    """Leave a supervisor behind, with everything ready. If that fails nothing is left running."""
    data_dir = options.data_dir
    fetched(options, on_progress)
    env = {**os.environ, **options.env, "PYTHONUNBUFFERED": "1"}
    path = filter(None, (str(SOURCE_ROOT), env.get("PYTHONPATH")))
    env["PYTHONPATH"] = os.pathsep.join(path)
    command = [sys.executable, "-m", "deploy.embedded.supervise", "--detach"]
    # It returns when the data directory is locked and the supervisor is on its own.
    launched = subprocess.run(
        [*command, "--data-dir", str(data_dir), "--options", encode(options)],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if launched.returncode != 0:
        raise StackError(
            launched.stderr.strip()
            or "Tiến trình giám sát không khởi động. / The supervisor did not start."
        )
    try:
        seen = wait_up(lambda: status(data_dir), lambda: time.sleep(0.1), on_progress, timeout_s)
    except BaseException:
        stop(data_dir)
        raise
    assert seen.supervisor_pid is not None
    return StackInfo(data_dir, seen.supervisor_pid, environment.load(data_dir), seen)


def stop(data_dir: Path, timeout_s: float = 180.0) -> bool:
    """Ask the supervisor to stop everything and wait for it; False if nothing ran.

    Past the time it is killed, and the kernel ends its children with it: the logs are those of a
    crash then, which the next start recovers from.
    """
    lock = DataDirLock(data_dir.expanduser().absolute())
    pid = lock.holder()
    if pid is None:
        return False
    for sig, patience in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, 10.0)):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if lock.holder() != pid:
                return True
            time.sleep(0.05)
    raise StackError(
        f"Tiến trình {pid} giữ {data_dir} và không chịu dừng. / "
        f"Process {pid} holds {data_dir} and does not end."
    )


def status(data_dir: Path) -> StackStatus:
    """What is running on this data directory; also when nothing is."""
    return status_file.read(data_dir.expanduser())
