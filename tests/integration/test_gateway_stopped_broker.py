"""A broker that stops answering under load: memory bounded, 503, nothing acknowledged is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

from console.store.engine import open_store
from console.store.keys import Role, create_key
from deploy.embedded.ports import PortRequest, choose
from schemas.ids import person_text
from schemas.scan import format_timestamp
from tests.console_kit import bearer
from tests.system import System, running_system, wait_for

SENDERS, LINES = 10, 10_000  # twice what may be between the gateway and the broker
STOPPED_S = 18.0  # longer than the gateway waits for an acknowledgement
ROOM_MB = 300  # 64 MiB of bodies, what is made of them, and the allocator's


class Served:
    """`truyvet serve` as its own process."""

    def __init__(self, system: System, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process = process

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def rss_mb(self) -> float:
        """Resident memory."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text("ascii").splitlines()
        return float(next(x.split()[1] for x in lines if x.startswith("VmRSS"))) / 1024

    def up(self) -> bool:
        """Whether it answers."""
        assert self._process.poll() is None
        try:
            return httpx.get(f"{self.url}/live", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def served(system: System, log: Path) -> Iterator[Served]:
    port = choose((PortRequest("console"),), {})["console"]
    env = os.environ | system.stack.env
    env |= {"TRUYVET_CONSOLE_PORT": str(port), "TRUYVET_GATEWAY_KEY_RATE": "0"}
    command = [sys.executable, "-m", "console.cli.main", "serve"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        console = Served(system, port, process)
        wait_for(console.up, 90, "the console")
        yield console
    finally:
        process.terminate()
        process.wait(30)


class Sender(threading.Thread):
    """Posts bodies, each of new scans, until told to end; an unacknowledged one again."""

    def __init__(self, number: int, url: str, headers: dict[str, str], token: str) -> None:
        super().__init__(name=f"sender-{number}")
        self._number, self._url, self._headers, self._token = number, url, headers, token
        self.ended = threading.Event()
        self.acknowledged: set[str] = set()
        self.answers: list[tuple[float, int, str | None]] = []

    def run(self) -> None:
        """See the class."""
        with httpx.Client(timeout=60, headers=self._headers) as client:
            body, ids = self._body()
            while not self.ended.is_set():
                answer = client.post(self._url, content=body)
                retry = answer.headers.get("Retry-After")
                self.answers.append((time.monotonic(), answer.status_code, retry))
                if answer.status_code == 202:
                    assert answer.json()["accepted"] == LINES
                    self.acknowledged |= ids
                    body, ids = self._body()
                else:
                    time.sleep(0.5)

    def _body(self) -> tuple[bytes, set[str]]:
        scan: dict[str, Any] = {
            "person": person_text(self._number + 1),
            "code": self._token,
            "direction": "in",
            "scanned_at": format_timestamp(datetime.now(UTC)),
            "method": "self",
            "producer": "gate-1",
            "device": f"d-{self._number}",
        }
        ids = [str(uuid.uuid4()) for _ in range(LINES)]
        return b"\n".join(orjson.dumps(scan | {"event_id": i}) for i in ids), set(ids)

    def since(self, moment: float) -> list[tuple[int, str | None]]:
        """Answers that came after this moment."""
        return [(status, retry) for at, status, retry in self.answers if at > moment]


def test_a_stopped_broker_under_load(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    with running_system(tmp_path / "data") as system, served(system, log) as console:
        store = open_store(system.settings)
        secret = create_key(store, Role.PRODUCER, "*", producer="gate-1", name="gate")
        store.close()
        headers = bearer(secret) | {"Content-Type": "application/x-ndjson"}
        senders = [
            Sender(n, f"{console.url}/v1/scans", headers, system.tokens[n]) for n in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        try:
            wait_for(lambda: all(s.acknowledged for s in senders), 60, "each to be acknowledged")
            before_mb = console.rss_mb
            system.stack.kill("kafka", signal.SIGSTOP)
            time.sleep(4)  # what the broker had acknowledged is on its way back
            stopped = time.monotonic()
            peak_mb = 0.0
            while time.monotonic() < stopped + STOPPED_S:
                peak_mb = max(peak_mb, console.rss_mb)
                assert console.up(), "it still answers"
                time.sleep(0.2)
            said = [answer for s in senders for answer in s.since(stopped)]
            system.stack.kill("kafka", signal.SIGCONT)
            going_on = time.monotonic()

            def all_go_on() -> bool:
                return all(202 in [status for status, _ in s.since(going_on)] for s in senders)

            wait_for(all_go_on, 60, "the gateway to go on by itself")
            recovered_s = time.monotonic() - going_on
            after_mb = console.rss_mb
        finally:
            system.stack.kill("kafka", signal.SIGCONT)
            for sender in senders:
                sender.ended.set()
            for sender in senders:
                sender.join(60)
        print(
            f"memory {before_mb:.0f} MB, stopped at most {peak_mb:.0f} MB, after {after_mb:.0f} MB;"
            f" {len(said)} answers while stopped; on again after {recovered_s:.1f} s"
        )
        assert {status for status, _ in said} == {503}
        assert all(retry and int(retry) >= 1 for _, retry in said)
        assert len(said) > 3 * SENDERS, "those over the bound were answered at once"
        assert peak_mb < before_mb + ROOM_MB
        assert after_mb < before_mb + ROOM_MB
        assert "producer_left_behind" not in log.read_text("utf-8")
        acknowledged = set().union(*(s.acknowledged for s in senders))
        on_topic = {orjson.loads(r.value)["event_id"] for r in system.read_topic()}
        assert len(acknowledged) >= 2 * SENDERS * LINES
        assert acknowledged - on_topic == set()
