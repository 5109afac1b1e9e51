"""Engines on loopback, each with a directory and tables of its own; one can be killed."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench.process_usage import usage
from deploy.embedded.service import leashed
from schemas.errors import UserError
from schemas.settings import load_settings
from streams.clickhouse import ClickHouse
from streams.migrate import migrate_tables

_MODULE: Final = ("-m", "deploy.embedded.engine")
_TIMEOUT_S: Final = 120.0
_STOP_S: Final = 30.0
_OWN: Final = {"clickhouse_database": "default", "clickhouse_cluster": "", "retention_days": 0}
_READY: Final = re.compile(r"engine ready on 127\.0\.0\.1:(\d+)")


class Engine:
    """One process, started when made, from the main thread: the kernel ends it with the thread.

    Its CPU time is counted over its deaths.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spent_s = 0.0
        self.port = 0
        self._process = self._start()

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all its processes so far."""
        return self._spent_s + usage(self._process.pid).cpu_s

    def kill(self) -> None:
        """SIGKILL: what it had not finished is not there."""
        self._spent_s = self.cpu_s
        self._process.kill()
        self._process.wait(_STOP_S)

    def start_again(self) -> None:
        """On the same directory and port. Raises UserError."""
        self._process = self._start()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if it does not end."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)

    def _start(self) -> "subprocess.Popen[str]":
        command = (sys.executable, *_MODULE, "--path", str(self._path), "--port", str(self.port))
        process = subprocess.Popen(leashed(command), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        ready = _READY.match(process.stdout.readline())
        if ready is None:
            process.kill()
            process.wait(_STOP_S)
            raise UserError(
                f"ClickHouse ở {self._path} không khởi động. / "
                f"The engine in {self._path} did not start."
            )
        self.port = int(ready[1])
        return process


@contextmanager
def running_engines(folder: Path, count: int) -> Iterator[tuple[list[Engine], list[ClickHouse]]]:
    """So many engines with truyvet's tables, and a client of each. Raises UserError, Retryable."""
    with ExitStack() as stack:
        engines, clients = [], []
        for number in range(count):
            engine = Engine(folder / str(number))
            stack.callback(engine.stop)
            url = f"http://127.0.0.1:{engine.port}"
            settings = load_settings(folder).model_copy(update=_OWN | {"clickhouse_url": url})
            list(migrate_tables(settings))
            client = ClickHouse(settings, _TIMEOUT_S)
            stack.callback(client.close)
            engines.append(engine)
            clients.append(client)
        yield engines, clients
