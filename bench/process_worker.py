"""`truyvet worker` as a process to be measured: its metrics, its latencies, its CPU and memory."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from bench.process_usage import Usage, usage
from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.service import leashed
from deploy.embedded.turns import stand_behind
from schemas.errors import UserError

_STOP_S = 40
Samples = dict[tuple[str, str], float]


class Worker:
    """One worker; the kernel ends it with this process. Start it from the main thread.

    Its code is this process's, or that of another `tree` of truyvet's source.
    """

    def __init__(self, env: Mapping[str, str], log: Path, tree: Path | None = None) -> None:
        self.port = choose((PortRequest("metrics"),), {})["metrics"]
        self.log = log
        command = (sys.executable, "-m", "console.cli.main", "worker", "--metrics-port")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                leashed((*command, str(self.port))),
                env=dict(env) if tree is None else {**env, "PYTHONPATH": str(tree)},
                stdout=output,
                stderr=output,
                cwd=tree,
                start_new_session=True,  # as `truyvet up` starts one
            )
        while not stand_behind(self._process.pid):
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def usage(self) -> Usage:
        """CPU and memory now. Raises UserError if it ended."""
        self._must_live()
        return usage(self.pid)

    def ready(self) -> tuple[bool, list[str]]:
        """What `/ready` says, and what is missing. Raises UserError if the worker ended."""
        self._must_live()
        try:
            answer = self._get("/ready")
        except httpx.HTTPError as error:
            return False, [f"/ready does not answer ({type(error).__name__})"]
        return answer.status_code == 200, answer.json()["missing"]

    def wait_ready(self, timeout_s: float = 90.0) -> None:
        """Until `/ready` answers 200. Raises UserError."""
        wait_for(lambda: self.ready()[0], timeout_s, f"the worker to be ready; see {self.log}")

    def latency(self, *, reset: bool = False) -> dict[str, float]:
        """The delays since the last reset, ms."""
        answer: dict[str, float] = self._get("/latency", reset="1" if reset else "").json()
        return answer

    def metrics(self) -> Samples:
        """Every sample of `/metrics` by (name, labels as written)."""
        return parse_metrics(self._get("/metrics").text)

    def lag_s(self) -> float:
        """Age of the oldest unwritten record, of the worst partition."""
        return max(values(self.metrics(), "truyvet_lag_seconds"), default=0.0)

    def stop(self) -> int:
        """SIGTERM, and SIGKILL if it does not end; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._process.returncode

    def _get(self, path: str, **query: str) -> httpx.Response:
        params = {name: value for name, value in query.items() if value}
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", params=params, timeout=20)

    def _must_live(self) -> None:
        if self._process.poll() is not None:
            raise UserError(
                f"Worker đã dừng (mã {self._process.returncode}); {self.log} / "
                f"The worker ended (exit code {self._process.returncode}); {self.log}"
            )


def parse_metrics(text: str) -> Samples:
    """Prometheus's text format, as far as our own exporter writes it."""
    found: Samples = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            base, brace, labels = name.partition("{")
            found[base, labels.rstrip("}") if brace else ""] = float(value)
    return found


def values(samples: Samples, name: str) -> list[float]:
    """The values of a metric, all its labels."""
    return [value for (base, _), value in samples.items() if base == name]


def wait_for(
    condition: Callable[[], Any], timeout_s: float, what: str, every_s: float = 0.25
) -> None:
    """Until the condition holds. Raises UserError that says what did not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise UserError(
                f"Đợi {timeout_s:.0f} giây mà chưa có {what}. / "
                f"Waited {timeout_s:.0f} s in vain for {what}."
            )
        time.sleep(every_s)
