"""The console's part of `truyvet bench places`: its commands and its server, as processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.process_stack import Bench
from bench.process_usage import peak_mb, usage
from bench.process_worker import parse_metrics, values, wait_for
from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.service import leashed
from schemas.errors import UserError
from schemas.metrics import OUTBOX_PENDING

Say = Callable[[str], None]
_PROGRAM: Final = (sys.executable, "-m", "console.cli.main")
_SAID_EVERY_S: Final = 10.0
_UP_S: Final = 120.0
_STOP_S: Final = 30.0


@dataclass(frozen=True)
class Ran:
    """A command that has ended well: its JSON object, how long it took and how much of that on a
    core, MB resident at most."""

    found: dict[str, Any]
    seconds: float
    cpu_s: float
    peak_mb: float


def ran(bench: Bench, say: Say, name: str, *arguments: str) -> Ran:
    """Run `truyvet …` to its end, saying now and then how far it is. Raises UserError."""
    logs = bench.settings.data_dir / "logs"
    out, log = logs / f"bench-{name}.json", logs / f"bench-{name}.log"
    begin = told = time.monotonic()
    peak = cpu_s = 0.0
    with out.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(
            leashed((*_PROGRAM, "--lang", "en", *arguments, "--json")),
            env=environment(bench), stdout=stdout, stderr=stderr,
        )  # fmt: skip
        try:
            while process.poll() is None:
                peak = max(peak, peak_mb(process.pid))
                cpu_s = max(cpu_s, _cpu_s(process.pid))
                now = time.monotonic()
                if now - told >= _SAID_EVERY_S:
                    told = now
                    say(f"  {name}: {now - begin:.0f} s, {peak:.0f} MB {_last_line(log)}")
                time.sleep(0.05)
        finally:
            _end(process)
    seconds = time.monotonic() - begin
    if process.returncode != 0:
        raise UserError(
            f"{name} kết thúc với mã {process.returncode}: {_last_line(log)} / "
            f"{name} ended with exit code {process.returncode}: {_last_line(log)}"
        )
    return Ran(json.loads(out.read_bytes()), round(seconds, 2), round(cpu_s, 2), round(peak, 1))


class Console:
    """`truyvet serve` as a process, and an API key of it. Start it by `served`."""

    def __init__(self, bench: Bench, key: str) -> None:
        port = choose((PortRequest("console"),), {})["console"]
        self.begun = time.monotonic()
        with (bench.settings.data_dir / "logs" / "bench-console.log").open("ab") as log:
            self._process = subprocess.Popen(
                leashed((*_PROGRAM, "serve")),
                env=environment(bench) | {"TRUYVET_CONSOLE_PORT": str(port)},
                stdout=log, stderr=log,
            )  # fmt: skip
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"},
            timeout=60, trust_env=False,
        )  # fmt: skip

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The answer, an object. Raises UserError unless it is 200."""
        return _object(self._client.get(path, params=query))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, an object. Raises UserError unless it is 200."""
        return _object(self._client.post(path, json=body))

    def pending(self) -> float:
        """Rows of the outbox that wait, by its metric."""
        text = self._client.get("/metrics").text
        return max(values(parse_metrics(text), OUTBOX_PENDING.name), default=0.0)

    @property
    def up(self) -> bool:
        """Whether it answers and its neighbours do. Raises UserError if it ended."""
        if self._process.poll() is not None:
            raise UserError(
                f"Console đã dừng (mã {self._process.returncode}). / "
                f"The console ended (exit code {self._process.returncode})."
            )
        try:
            return self._client.get("/ready").status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def cpu_s(self) -> float:
        """Seconds on a core since it began."""
        return usage(self._process.pid).cpu_s

    @property
    def rss_mb(self) -> float:
        """MB resident now."""
        return round(usage(self._process.pid).rss_mb, 1)

    @property
    def peak_mb(self) -> float:
        """MB resident at most."""
        return round(peak_mb(self._process.pid), 1)

    def end(self) -> None:
        """SIGTERM, and SIGKILL if it does not end."""
        self._client.close()
        _end(self._process)


@contextmanager
def served(bench: Bench, key: str) -> Iterator[Console]:
    """A console that answers, until the block's end."""
    console = Console(bench, key)
    try:
        wait_for(lambda: console.up, _UP_S, "the console to be ready", every_s=0.05)
        yield console
    finally:
        console.end()


def environment(bench: Bench) -> dict[str, str]:
    """Of the console's processes."""
    return {**os.environ, **bench.stack.env}


def _object(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        path = answer.request.url.path
        raise UserError(
            f"{path} trả lời {answer.status_code}: {answer.text[:300]} / "
            f"{path} answered {answer.status_code}: {answer.text[:300]}"
        )
    found: dict[str, Any] = answer.json()
    return found


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _cpu_s(pid: int) -> float:
    with suppress(UserError):  # it has just ended
        return usage(pid).cpu_s
    return 0.0


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    return lines[-1].strip()[-300:] if lines else ""
