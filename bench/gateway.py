"""`truyvet bench gateway`: scans over HTTP to the acknowledged topic, beside a bare echo.

The console and the echo (the same uvicorn, which only reads the body and answers its length) run
in turn on one core; the broker and the load share another. The same bodies for both. What the
console accepted is compared with what is on the topic: one scan less is an error.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import httpx
import numpy as np
import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.http_load import BUSY, Answers, load
from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.stack import Stack, StackOptions
from schemas.errors import UserError
from schemas.ids import person_text
from schemas.topics import SCANS

Say = Callable[[str], None]
PRODUCER: Final = "bench"
WANTED: Final = 20_000  # scans a second on one core, 1,000 a body
CONNECTIONS: Final = 8
_UP_S: Final = 60.0
_BODIES: Final = 24
_PARTITIONS: Final = 8


@dataclass(frozen=True)
class Row:
    """One size of body: medians over the rounds."""

    scans_a_body: int
    body_bytes: int
    scans_per_s: int
    echo_scans_per_s: int
    ratio_to_echo: float
    p99_ms: float
    gateway_cpu: float  # share of its core, under load
    busy: int  # bodies it had no room for and answered with 503, in all rounds
    rounds: list[int]
    echo_rounds: list[int]


@dataclass(frozen=True)
class Result:
    """All of it. `scans_per_s` and `ratio_to_echo` are those of 1,000 scans a body."""

    scans_per_s: int
    ratio_to_echo: float
    acknowledged: int
    on_topic: int
    seconds: float
    connections: int
    cores: int
    rows: list[Row]


def run(say: Say, *, short: bool = False) -> Result:
    """Everything, in a directory of its own. Raises UserError with a sentence."""
    seconds, rounds = (3.0, 1) if short else (8.0, 3)
    sizes = (1_000, 100) if short else (1_000, 100, 10_000, 1)
    with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as directory:
        return _run(Path(directory), say, sizes, seconds, rounds)


def _run(data_dir: Path, say: Say, sizes: Sequence[int], seconds: float, rounds: int) -> Result:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise UserError(
            "Cần hai lõi: một cho cổng nhận, một cho phần còn lại. / "
            "Two cores are needed: one for the gateway, one for the broker and the load."
        )
    rows, acknowledged = [], 0
    with _on(cores[1:]):
        options = StackOptions(data_dir=data_dir, services=frozenset({"kafka"}))
        with Stack(options) as stack:
            asyncio.run(_make_topic(stack.env["TRUYVET_KAFKA_BOOTSTRAP"]))
            env = {**os.environ, **stack.env, "TRUYVET_GATEWAY_KEY_RATE": "0"}
            for size in sizes:
                bodies = _bodies(size)
                row, more = _compared(env, cores[0], bodies, size, seconds, rounds, say)
                rows.append(row)
                acknowledged += more
            there = asyncio.run(_on_topic(stack.env["TRUYVET_KAFKA_BOOTSTRAP"]))
    if there != acknowledged:
        raise UserError(
            f"Đã xác nhận {acknowledged} lượt quét nhưng trên topic có {there}. / "
            f"{acknowledged} scans were acknowledged and {there} are on the topic."
        )
    first = rows[0]
    return Result(
        first.scans_per_s, first.ratio_to_echo, acknowledged, there, seconds, CONNECTIONS,
        len(cores), rows,
    )  # fmt: skip


def _compared(
    env: Mapping[str, str], core: int, bodies: list[bytes], size: int, seconds: float, rounds: int,
    say: Say,
) -> tuple[Row, int]:  # fmt: skip
    ours, echoes, p99s, shares, acknowledged, busy = [], [], [], [], 0, 0
    for number in range(rounds):
        with _served(env, core, ["-m", "bench.echo"], "echo") as (port, _):
            answers, took = load(port, bodies, "", CONNECTIONS, seconds)
            echoes.append(_accepted(answers, size) / took)
        console = ["-m", "console.cli.main", "serve"]
        with _served(env, core, console, "console") as (port, pid):
            headers = f"Authorization: Bearer {_key(env)}\r\nContent-Type: application/x-ndjson\r\n"
            warm, _ = load(port, bodies, headers, 2, 0.5)
            before = _cpu_s(pid)
            answers, took = load(port, bodies, headers, CONNECTIONS, seconds)
            shares.append((_cpu_s(pid) - before) / took)
        ours.append(_accepted(answers, size) / took)
        acknowledged += _accepted(warm, size) + _accepted(answers, size)
        busy += answers.statuses[BUSY]
        p99s.append(1000 * float(np.percentile(answers.seconds, 99)))
        say(
            f"{size} a body, round {number + 1}: gateway {ours[-1]:,.0f} scans/s, "
            f"echo {echoes[-1]:,.0f} scans/s, p99 {p99s[-1]:.1f} ms, "
            f"{shares[-1]:.0%} of its core"
        )
    rate, echo = statistics.median(ours), statistics.median(echoes)
    row = Row(
        size, len(bodies[0]), round(rate), round(echo), round(rate / echo, 4),
        round(statistics.median(p99s), 2),
        round(statistics.median(shares), 2), busy,
        [round(r) for r in ours], [round(r) for r in echoes],
    )  # fmt: skip
    return row, acknowledged


def _cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _accepted(answers: Answers, size: int) -> int:
    if not {202} <= set(answers.statuses) <= {202, BUSY}:
        told = f"{dict(answers.statuses)}, {answers.last[:300]!r}"
        raise UserError(f"Không phải tất cả được nhận: {told}. / Not all were accepted: {told}.")
    return answers.statuses[202] * size


@contextmanager
def _on(cores: Sequence[int]) -> Iterator[None]:
    """This thread, and what it starts, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _served(
    env: Mapping[str, str], core: int, arguments: list[str], name: str
) -> Iterator[tuple[int, int]]:
    """A server of its own process on this core, from its first answer to its end; its port, pid."""
    port = choose((PortRequest("console"),), {})["console"]
    if name == "echo":
        arguments = [*arguments, str(port)]
    with (Path(env["TRUYVET_DATA_DIR"]) / f"{name}.log").open("ab") as log, _on([core]):
        process = _started(arguments, {**env, "TRUYVET_CONSOLE_PORT": str(port)}, log)
    try:
        _wait_for(port, process, name)
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _started(
    arguments: list[str], env: Mapping[str, str], log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, *arguments], env=dict(env), stdout=log, stderr=log)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", name: str) -> None:
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/live", timeout=2, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise UserError(f"{name} không khởi động. / The {name} did not start.")


def _key(env: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "console.cli.main", "keys", "create", "--json"]
    made = subprocess.run(
        [*command, "--role", "producer", "--producer", PRODUCER],
        env=dict(env), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        why = made.stderr.decode()[-300:]
        raise UserError(f"Không tạo được khoá ({why}). / No key was made ({why}).")
    return str(orjson.loads(made.stdout)["key"])


def _bodies(size: int) -> list[bytes]:
    """Bodies of `size` scans each, of different people and ids, about 210 bytes a scan."""
    rng = np.random.default_rng(size)
    return [
        b"\n".join(_scan(words) for words in rng.integers(0, 2**63, (size, 3)).tolist())
        for _ in range(_BODIES)
    ]


def _scan(words: list[int]) -> bytes:
    high, low, person = words
    event = f"{high:016x}{low:016x}"
    event = f"{event[:8]}-{event[8:12]}-4{event[13:16]}-8{event[17:20]}-{event[20:]}"
    return orjson.dumps(
        {
            "event_id": event,
            "person": person_text(person),
            "code": "000001017FKXZVYR05",
            "direction": "in",
            "scanned_at": "2026-11-23T01:05:00.000Z",
            "method": "self",
            "producer": PRODUCER,
            "device": f"d-{person % 1000}",
        }
    )


async def _make_topic(bootstrap: str) -> None:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(SCANS.name, _PARTITIONS, 1, topic_configs=SCANS.config(21))]
        )
    finally:
        await admin.close()


async def _on_topic(bootstrap: str) -> int:
    consumer: Any = AIOKafkaConsumer(SCANS.name, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        return int(sum(ends.values()))
    finally:
        await consumer.stop()


def passes(result: Result, *, short: bool = False) -> bool:
    """Whether it carries what is wanted; a short run is for right or wrong only."""
    return short or result.scans_per_s >= WANTED


def document(result: Result, *, short: bool = False) -> dict[str, Any]:
    """For `--json`."""
    passed = passes(result, short=short)
    return {**asdict(result), "wanted_scans_per_s": WANTED, "passed": passed}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.gateway [--short]`: one JSON object on stdout, progress on stderr; exit
    code 1 below the limit, unless short."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(argv)
    try:
        result = run(lambda text: print(text, file=sys.stderr, flush=True), short=options.short)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    print(json.dumps(document(result, short=options.short)))
    return 0 if passes(result, short=options.short) else 1


if __name__ == "__main__":
    sys.exit(main())
