"""The supervisor, with children that start in milliseconds."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.embedded import doctor, environment, layout, logs, ports, status
from deploy.embedded.files import AlreadyRunning, DataDirLock, tail
from deploy.embedded.kafka import KafkaHome
from deploy.embedded.layout import SOURCE_ROOT, StackOptions
from deploy.embedded.ports import PortRequest, PortTaken
from deploy.embedded.probes import HttpReady, KafkaReady, TcpReady
from deploy.embedded.service import BackOff, Service, State
from deploy.embedded.starting import StackError, wait_up
from deploy.embedded.supervisor import Supervisor
from deploy.embedded.turns import stand_behind

FAST = BackOff(first_s=0.05, cap_s=0.2, healthy_after_s=0.3)
ENV = {"PATH": os.environ["PATH"]}

SERVER = """
import pathlib, signal, socket, sys, time
name, port, delay, diary = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
def end(*_):
    with open(diary, "a") as file:
        file.write(f"{name} stops\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
with open(diary, "a") as file:
    file.write(f"{name} starts\\n")
time.sleep(delay)
server = socket.create_server(("127.0.0.1", port))
print(f"{name} listens", flush=True)
while True:
    server.accept()[0].close()
"""


def free_port() -> int:
    return ports.choose((PortRequest("any"),), {})["any"]


def server(
    folder: Path, name: str, *depends_on: str, delay_s: float = 0.0, port: int | None = None
) -> Service:
    port = port or free_port()
    diary = str(folder / "diary")
    return Service(
        name,
        (sys.executable, "-I", "-S", "-c", SERVER, name, str(port), str(delay_s), diary),
        ENV,
        TcpReady(port),
        depends_on=depends_on,
        ports={"tcp": port},
    )


def script(name: str, code: str, *, one_shot: bool = False, stop_timeout_s: float = 5) -> Service:
    command = (sys.executable, "-I", "-S", "-c", code)
    return Service(name, command, ENV, one_shot=one_shot, stop_timeout_s=stop_timeout_s)


@contextmanager
def running(
    folder: Path, services: Sequence[Service], policy: BackOff = FAST
) -> Iterator[Supervisor]:
    supervisor = Supervisor(folder, services, policy)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.request_stop()
        thread.join(20)
        assert not thread.is_alive()


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def all_up(supervisor: Supervisor) -> bool:
    return all(s.state in ("ready", "done") for s in supervisor.snapshot().services)


def alive(pid: int) -> bool:
    """A zombie that nobody has reaped yet is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids(supervisor: Supervisor) -> list[int]:
    return [s.pid for s in supervisor.snapshot().services if s.pid is not None]


def test_starts_in_order_each_when_the_one_before_answers_and_stops_in_reverse(
    tmp_path: Path,
) -> None:
    first = server(tmp_path, "first", delay_s=0.3)
    once = Service(
        "once", (sys.executable, "-c", "pass"), ENV, depends_on=("first",), one_shot=True
    )
    last = server(tmp_path, "last", "first", "once")
    with running(tmp_path, [first, once, last]) as supervisor:
        wait_for(lambda: all_up(supervisor))
        seen = {s.name: s for s in supervisor.snapshot().services}
        assert seen["first"].since <= seen["once"].since <= seen["last"].since
        assert seen["once"].state == "done"
        assert seen["first"].ports == first.ports
        started = pids(supervisor)
        assert len(started) == 2
        assert "first listens" in tail(logs.log_path(tmp_path, "first"))
    assert (tmp_path / "diary").read_text().splitlines() == [
        "first starts",
        "last starts",
        "last stops",
        "first stops",
    ]
    assert not any(alive(pid) for pid in started)


def test_a_service_that_may_stand_behind_others_does(tmp_path: Path) -> None:
    first, last = server(tmp_path, "first"), replace(server(tmp_path, "last"), behind=True)
    with running(tmp_path, [first, last]) as supervisor:
        wait_for(lambda: all_up(supervisor))
        files = [Path(f"/proc/{pid}/autogroup") for pid in pids(supervisor)]
        if files[0].exists():  # else the kernel weighs no sessions
            assert files[0].read_text().endswith("nice 0\n")
            wait_for(lambda: files[1].read_text().endswith("nice 10\n"))
    assert stand_behind(2**22 + 1)  # nobody


def test_a_killed_service_comes_back_and_is_not_called_ready_before(tmp_path: Path) -> None:
    with running(tmp_path, [server(tmp_path, "one")]) as supervisor:
        wait_for(lambda: all_up(supervisor))
        old = supervisor.kill("one", signal.SIGKILL)
        assert supervisor.state("one") is not State.READY
        wait_for(lambda: all_up(supervisor))
        (service,) = supervisor.snapshot().services
        assert service.restarts == 1
        assert service.pid != old
        assert not alive(old)


def test_what_keeps_dying_is_tried_for_ever_ever_slower_and_says_so(tmp_path: Path) -> None:
    bad = script("bad", "print('no luck'); raise SystemExit(3)")
    never = replace(FAST, healthy_after_s=60)  # to start may take a while
    with running(tmp_path, [bad], never) as supervisor:
        wait_for(lambda: supervisor.snapshot().services[0].restarts >= 5)
        wait_for(lambda: supervisor.state("bad") is State.BACKING_OFF)
        message = supervisor.snapshot().services[0].message
        assert "exit code 3" in message
        assert "next start in 0.2 s" in message
        with pytest.raises(StackError, match=r"(?s)bad did not start.*exit code 3.*no luck"):
            wait_up(supervisor.snapshot, lambda: None, lambda _: None, 5)


def test_back_off_grows_to_its_cap_and_no_further() -> None:
    policy = BackOff(first_s=1, factor=2, cap_s=10)
    assert [policy.delay_s(failures) for failures in (1, 2, 3, 4, 5)] == [1, 2, 4, 8, 10]
    assert policy.delay_s(10_000) == 10


def test_health_forgives(tmp_path: Path) -> None:
    with running(tmp_path, [server(tmp_path, "one")]) as supervisor:
        for expected in (1, 2):
            wait_for(lambda: all_up(supervisor))
            time.sleep(2 * FAST.healthy_after_s)
            supervisor.kill("one", signal.SIGKILL)
            wait_for(lambda: supervisor.state("one") is State.BACKING_OFF)
            (service,) = supervisor.snapshot().services
            assert service.restarts == expected
            assert "failure 1," in service.message


def test_a_service_that_ignores_sigterm_is_killed_with_what_it_started(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    log = logs.log_path(tmp_path, "deaf")
    with running(tmp_path, [script("deaf", code, stop_timeout_s=0.2)]) as supervisor:
        wait_for(lambda: tail(log) != "")
        family = [*pids(supervisor), int(tail(log))]
        assert all(alive(pid) for pid in family)
    wait_for(lambda: not any(alive(pid) for pid in family))


def test_a_sigkilled_supervisor_leaves_no_child(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from deploy.embedded.supervisor import Supervisor\n"
        "from deploy.embedded.service import Service\n"
        "sleep = (sys.executable, '-c', 'import time; time.sleep(60)')\n"
        "Supervisor(Path(sys.argv[1]), [Service('a', sleep, {}), Service('b', sleep, {})]).run()\n"
    )
    boss = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=SOURCE_ROOT)
    try:
        seen: list[int] = []

        def both() -> bool:
            path = status.status_path(tmp_path)
            stored = json.loads(path.read_text()) if path.exists() else {"services": []}
            seen[:] = [s["pid"] for s in stored["services"] if s["state"] == "ready"]
            return len(seen) == 2

        wait_for(both)
        assert all(alive(pid) for pid in seen)
    finally:
        boss.kill()
        boss.wait()
    wait_for(lambda: not any(alive(pid) for pid in seen), 5)
    left = status.read(tmp_path)
    assert not left.running
    assert {(s.name, s.state, s.pid) for s in left.services} == {
        ("a", "stopped", None),
        ("b", "stopped", None),
    }


def test_a_second_start_on_the_same_data_directory_names_the_first(tmp_path: Path) -> None:
    first, second = DataDirLock(tmp_path), DataDirLock(tmp_path)
    first.acquire()
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}:"):
        second.acquire()
    assert second.holder() == os.getpid()
    first.release()
    assert second.holder() is None
    second.acquire()
    second.release()


def test_status_where_nothing_ever_ran(tmp_path: Path) -> None:
    seen = status.read(tmp_path / "none")
    assert not seen.running
    assert seen.services == ()


def test_ports_are_kept_when_free_chosen_anew_when_taken_and_refused_when_fixed() -> None:
    kept = free_port()
    assert ports.choose((PortRequest("a"),), {"a": kept}) == {"a": kept}
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        chosen = ports.choose((PortRequest("a", count=3), PortRequest("b")), {"a": taken})
        assert chosen["a"] != taken
        assert chosen["b"] not in range(chosen["a"], chosen["a"] + 3)
        with pytest.raises(PortTaken, match=f"Port {taken} for console"):
            ports.choose((PortRequest("console", fixed=taken),), {})


def test_keys_are_made_once_and_the_user_wins_but_not_over_facts(tmp_path: Path) -> None:
    made = environment.merge(tmp_path, {"TRUYVET_DATA_DIR": str(tmp_path)}, {}, {})
    environment.save(tmp_path, environment.to_store(made, {}))
    assert environment.env_path(tmp_path).stat().st_mode & 0o777 == 0o600
    stored = environment.load(tmp_path)
    assert stored == made
    assert len(stored["TRUYVET_CODE_KEYS"]) == len("1:") + 64
    assert len(stored["TRUYVET_ADMIN_KEY"]) == len("tv_") + 43

    user = {"TRUYVET_PERSON_KEY": "mine", "TRUYVET_DATA_DIR": "/else", "HOME": "/root"}
    facts = {"TRUYVET_DATA_DIR": "/moved"}
    merged = environment.merge(Path("/moved"), facts, user, stored)
    assert merged["TRUYVET_PERSON_KEY"] == "mine"
    assert merged["TRUYVET_CODE_KEYS"] == stored["TRUYVET_CODE_KEYS"]
    assert merged["TRUYVET_DATA_DIR"] == "/moved"
    assert merged["TRUYVET_DATABASE_URL"] == "sqlite:////moved/console.db"
    assert "HOME" not in merged
    on_disk = environment.to_store(merged, stored)
    assert on_disk["TRUYVET_PERSON_KEY"] == stored["TRUYVET_PERSON_KEY"]


def test_the_plan_of_the_whole_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUYVET_RETENTION_DAYS", "7")
    home = KafkaHome(tmp_path / "jars", (tmp_path / "jars" / "kafka.jar",))
    planned = layout.plan(StackOptions(tmp_path / "data", workers=2), home)
    by_name = {service.name: service for service in planned.services}
    assert list(by_name) == [
        "kafka-format",
        "kafka",
        "engine",
        "migrate",
        "console",
        "worker-0",
        "worker-1",
    ]
    for service in planned.services:
        secret = set(environment.SECRETS) & set(service.env)
        assert bool(secret) == service.name.startswith(("migrate", "console", "worker"))
        assert service.env["TRUYVET_RETENTION_DAYS"] == "7"
    base = int(planned.variables["TRUYVET_WORKER_METRICS_PORT_BASE"])
    assert by_name["worker-1"].ready == HttpReady(base + 1, "/ready")
    properties = (tmp_path / "data" / "kafka" / "server.properties").read_text()
    assert "log.message.timestamp.type=LogAppendTime" in properties
    again = layout.plan(StackOptions(tmp_path / "data", workers=2), home)
    assert again.ports == planned.ports
    assert again.variables == planned.variables

    part = layout.plan(StackOptions(tmp_path / "part", services=frozenset({"engine"})), None)
    assert [service.name for service in part.services] == ["engine"]
    assert "TRUYVET_KAFKA_BOOTSTRAP" not in part.variables


def test_logs_stay_small(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for generation in range(5):
        path.write_text(f"{generation}" * 100)
        assert logs.rotate(path, max_bytes=100, keep=2)
        assert path.stat().st_size == 0
    assert not logs.rotate(path, max_bytes=100, keep=2)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    assert tail(tmp_path / "x.log.1") == "4" * 100


def test_a_listener_that_is_not_the_service_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert TcpReady(port)(0.2)
        assert not HttpReady(port, "/ping")(0.2)
        assert not KafkaReady(port)(0.2)
    assert not TcpReady(port)(0.2)


def test_the_doctor_advises_in_two_languages_and_only_where_needed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        found = doctor.checks(tmp_path / "data", {"kafka": taken, "console": None}, cache=cache)
    by_name = {check.name: check for check in found}
    assert len(by_name) == len(found)
    assert by_name["python"].level == "ok"
    assert by_name["java"].level == "ok"
    assert by_name["port-kafka"].level == "fail"
    assert "port-console" not in by_name
    assert by_name["kafka"].level == "warn"
    assert by_name["broker"].level == "warn"
    for check in found:
        assert bool(check.advice_vi) == bool(check.advice_en) == (check.level != "ok")
    assert not (tmp_path / "data").exists()
    early = doctor.checks(tmp_path, now_s=0.0, cache=cache)
    assert {check.name: check.level for check in early}["clock"] == "fail"
