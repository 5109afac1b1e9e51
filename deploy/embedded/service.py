"""One supervised service: what it is, and the process that is it now."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from deploy.embedded.probes import ReadyCheck
from deploy.embedded.turns import stand_behind

LEASH = Path(__file__).with_name("leash.py")
PROBE_TIMEOUT_S = 1.0
RECHECK_S = 5.0
RECHECK_UNREADY_S = 0.5


def leashed(command: tuple[str, ...]) -> list[str]:
    """The command, in a process that the kernel ends with this one."""
    return [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command]


class State(StrEnum):
    WAITING = "waiting"  # for what it depends on
    STARTING = "starting"  # the process lives, and is not ready yet
    READY = "ready"
    UNREADY = "unready"  # it was ready, lives, and does not answer
    KILLED = "killed"  # a fault test sent SIGKILL; its end is not seen yet
    BACKING_OFF = "backing-off"  # it died; the next start is at a known time
    DONE = "done"  # a one-shot that succeeded
    STOPPED = "stopped"


UP = (State.READY, State.DONE)
ALIVE = (State.STARTING, State.READY, State.UNREADY)


@dataclass(frozen=True)
class BackOff:
    """How long to wait before the next start of a service that keeps dying. It never gives up."""

    first_s: float = 0.25
    factor: float = 2.0
    cap_s: float = 30.0
    healthy_after_s: float = 30.0
    """Ready for this long, and the count of failures starts anew."""

    def delay_s(self, failures: int) -> float:
        assert failures >= 1
        return min(self.cap_s, self.first_s * self.factor ** min(failures - 1, 32))


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    """The whole environment: nothing is inherited beside it."""
    ready: ReadyCheck | None = None
    """None: ready when it runs; for a one-shot, when it ended with 0."""
    stop_timeout_s: float = 20.0
    depends_on: tuple[str, ...] = ()
    one_shot: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)
    cwd: Path | None = None
    behind: bool = False
    """Whether others may have the processors first (`turns`)."""


def _ended_whole(process: subprocess.Popen[bytes]) -> bool:
    """Has it ended? Then what it had started ends too, before its pid may mean another process."""
    if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        return False
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it led a session of its own, and is not reaped
    process.wait()
    return True


@dataclass
class Managed:
    """The mutable side of a service. Only the supervisor's thread touches it, but for `kill`."""

    service: Service
    log: Path
    back_off: BackOff
    state: State = State.WAITING
    since: float = 0.0
    """Wall-clock seconds at which `state` began, for people."""
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    failures: int = 0
    """Deaths since it was last healthy for a while: what the back-off counts."""
    message: str = ""
    doomed: bool = False
    """SIGKILL was sent from another thread; until its end is seen, nothing here is believed."""
    placed: bool = False
    """Whether the process stands behind others, if it should."""
    changed_at: float = 0.0
    """Monotonic, like every `now` here."""
    next_at: float = 0.0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.state in ALIVE else None

    @property
    def visible_state(self) -> State:
        return State.KILLED if self.doomed and self.state in ALIVE else self.state

    def tick(self, now: float, wall: float, *, dependencies_up: bool) -> bool:
        """Look once, act once; True when the state changed."""
        if self.state in (State.DONE, State.STOPPED):
            return False
        if self.process is not None and _ended_whole(self.process):
            return self._ended(now, wall)
        if self.doomed:
            return False
        if self.process is not None and self.service.behind and not self.placed:
            self.placed = stand_behind(self.process.pid)
        if self.state is State.WAITING:
            return dependencies_up and self._spawn(now, wall)
        if self.state is State.BACKING_OFF:
            return now >= self.next_at and dependencies_up and self._spawn(now, wall)
        if self.state is State.STARTING:
            return self._probe_start(now, wall)
        if self.state in (State.READY, State.UNREADY):
            return self._recheck(now, wall)
        return False

    def _enter(self, state: State, now: float, wall: float, message: str = "") -> bool:
        self.state, self.changed_at, self.since, self.message = state, now, wall, message
        return True

    def _spawn(self, now: float, wall: float) -> bool:
        assert self.process is None
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as output:
                self.process = subprocess.Popen(
                    leashed(self.service.command),
                    env=dict(self.service.env),
                    cwd=self.service.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # the terminal's Ctrl-C is for the supervisor
                )
            self.placed = False
        except OSError as error:  # a full disk, no process to be had: it may pass
            return self._failed(now, wall, f"could not be started ({error})")
        return self._enter(State.STARTING, now, wall)

    def _probe_start(self, now: float, wall: float) -> bool:
        if self.service.one_shot:
            return False
        check = self.service.ready
        if check is not None and not check(PROBE_TIMEOUT_S):
            return False
        self.next_at = now + RECHECK_S
        return self._enter(State.READY, now, wall)

    def _recheck(self, now: float, wall: float) -> bool:
        if self.failures and now - self.changed_at >= self.back_off.healthy_after_s:
            self.failures = 0
        if now < self.next_at or self.service.ready is None:
            return False
        state = State.READY if self.service.ready(PROBE_TIMEOUT_S) else State.UNREADY
        self.next_at = now + (RECHECK_S if state is State.READY else RECHECK_UNREADY_S)
        if self.state is not state:
            return self._enter(state, now, wall)
        return False

    def _ended(self, now: float, wall: float) -> bool:
        assert self.process is not None
        code = self.process.returncode
        self.process, self.doomed = None, False
        if self.service.one_shot and code == 0:
            return self._enter(State.DONE, now, wall)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return self._failed(now, wall, f"ended with {how}")

    def _failed(self, now: float, wall: float, how: str) -> bool:
        self.failures += 1
        self.restarts += 1
        delay = self.back_off.delay_s(self.failures)
        self.next_at = now + delay
        message = f"{how}; failure {self.failures}, next start in {delay:g} s"
        return self._enter(State.BACKING_OFF, now, wall, message)

    def kill(self, sig: signal.Signals) -> None:
        """For fault tests. SIGKILL is noted at once, so that nobody waits on a dead `ready`."""
        process = self.process
        if process is None:
            raise RuntimeError(f"{self.service.name} is not running ({self.state})")
        if sig is signal.SIGKILL:
            self.doomed = True
        with suppress(ProcessLookupError):
            os.kill(process.pid, sig)

    def stop(self, now: float, wall: float) -> None:
        """SIGTERM, its time to end, SIGKILL for it and what it started; returns when it is gone."""
        process, self.process = self.process, None
        if process is not None and not _ended_whole(process):
            os.kill(process.pid, signal.SIGTERM)
            os.kill(process.pid, signal.SIGCONT)  # a stopped process cannot end
            deadline = time.monotonic() + self.service.stop_timeout_s
            while not _ended_whole(process):
                if time.monotonic() > deadline:
                    os.killpg(process.pid, signal.SIGKILL)
                time.sleep(0.01)
        self._enter(State.STOPPED, now, wall)
