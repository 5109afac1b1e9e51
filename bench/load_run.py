"""The load's process seen from the benchmark: started, stopped, and its summary read."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load_encode import Mix
from deploy.embedded.service import leashed
from schemas.errors import UserError

_END_S = 200  # after SIGTERM: librdkafka's acknowledgements


@dataclass(frozen=True)
class Sent:
    """What a load published, all of it acknowledged."""

    sent: int
    repeats: int
    seconds: float
    acknowledged_s: float  # until the last acknowledgement
    records_per_s: float
    behind_s: float  # the furthest behind its rate
    value_bytes: float
    cpu_s: float


class RunningLoad:
    """`python -m bench.load`; the kernel ends it with this process."""

    def __init__(
        self,
        bootstrap: str,
        tokens: Path,
        *,
        rate: float,
        records: int,
        seed: int,
        mix: Mix | None = None,
        linger_ms: int = 5,
    ) -> None:
        mix = mix or Mix()
        command = [sys.executable, "-m", "bench.load", "--bootstrap", bootstrap]
        command += ["--tokens", str(tokens), "--rate", str(rate), "--records", str(records)]
        command += ["--seed", str(seed), "--people", str(mix.people)]
        command += ["--repeats", str(mix.repeats), "--spread-days", str(mix.spread_days)]
        command += ["--linger-ms", str(linger_ms)]
        self._process = subprocess.Popen(
            leashed(tuple(command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # those who publish are not those who measure
        )
        self._last: dict[str, Any] = {}
        self._began = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_begun(self, timeout_s: float = 60) -> None:
        """Until it has everything it needs and publishes. Raises UserError."""
        if not self._began.wait(timeout_s):
            raise UserError("Tải thử không bắt đầu gửi. / The load did not begin to publish.")
        if not self._last:
            self.result(1)

    @property
    def running(self) -> bool:
        """Whether it still publishes or waits for acknowledgements."""
        return self._process.poll() is None

    def stop(self) -> Sent:
        """End it early; what it sent until then."""
        if self.running:
            self._process.terminate()
        return self.result(_END_S)

    def kill(self) -> None:
        """For a benchmark that failed: end it at once."""
        if self.running:
            self._process.kill()
        self._process.wait()

    def result(self, timeout_s: float) -> Sent:
        """Wait for its end. Raises UserError with its reason if anything was not acknowledged."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise UserError(
                f"Tải thử không kết thúc trong {timeout_s:.0f} giây. / "
                f"The load did not end within {timeout_s:.0f} s."
            ) from None
        self._reader.join(10)
        # the summary decides: SIGTERM may also meet a load that has just ended
        if self._last.get("failed", 1) or "acknowledged_s" not in self._last:
            assert self._process.stderr is not None
            words = self._process.stderr.read()[-300:].strip()
            errors = self._last.get("errors", {})
            raise UserError(
                f"Tải thử hỏng ({words or errors or self._process.returncode}). / "
                f"The load failed ({words or errors or self._process.returncode})."
            )
        return Sent(**{name: self._last[name] for name in Sent.__dataclass_fields__})

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._last = json.loads(line)
            self._began.set()
        self._began.set()
