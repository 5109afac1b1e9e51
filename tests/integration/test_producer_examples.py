"""The producers' examples against the real system: every scan in its place, and once."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from console.store.engine import open_store
from console.store.keys import Role, create_key
from console.store.migrations.run import upgrade
from console.store.producers import put_producer
from deploy.embedded.kafka import ensure, maven
from deploy.embedded.kafka.fetch import cache_dir
from deploy.embedded.kafka.java import java_executable
from deploy.embedded.kafka.lockfile import LockedJar, sha256_of
from deploy.embedded.ports import PortRequest, choose
from schemas.ids import partition_of, person_text
from schemas.places import Producer
from schemas.scan import format_timestamp
from streams.convert import OUTCOMES
from tests.system import System, WorkerProcess, running_system, wait_for

EXAMPLES = Path(__file__).parents[2] / "examples"
BIN = Path(sys.executable).parent
PEOPLE, SCANS_EACH = 120, 4
COUNT = PEOPLE * SCANS_EACH
# The runtime that Kafka runs on here has no compiler; this one is a jar of its own.
ECJ = LockedJar(
    "org.eclipse.jdt",
    "ecj",
    "3.43.0",
    "c786468c65e906498e7e36ece4e0d04c6d3dd34c9a61b34a3a5b512801911a82",
    3_329_190,
)


class World:
    """The system with a worker and a console, and what an example needs to know of it."""

    def __init__(self, system: System, worker: WorkerProcess, console: str, key: str) -> None:
        self.system, self.worker, self.console, self.key = system, worker, console, key

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run an example; its output. Fails with what it said if it failed."""
        done = self.try_run(*command, cwd=cwd)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def try_run(
        self, *command: str | Path, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run an example, however it ends."""
        env = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",  # node and npm of the wheel
            "KAFKA_BOOTSTRAP": self.system.settings.kafka_bootstrap,
            "TRUYVET_URL": self.console,
            "TRUYVET_KEY": self.key,
        }
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def misplaced(self) -> float:
        """What the worker's metric says."""
        lines = self.worker.get("/metrics").text.splitlines()
        [value] = [x.split()[1] for x in lines if x.startswith("truyvet_scans_misplaced_total")]
        return float(value)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory: Path = tmp_path_factory.mktemp("examples")
    with running_system(directory, session_timeout_s=6, insert_timeout_s=3) as system:
        upgrade(system.settings)
        store = open_store(system.settings)
        put_producer(store, Producer(id="sim", name="sim"))
        key = create_key(store, Role.PRODUCER, "*", producer="sim", name="example")
        store.close()
        worker = system.start_worker()
        with _console(system, directory) as url:
            yield World(system, worker, url, key)


class _console:  # noqa: N801 (used as a function)
    """`truyvet serve` as its own process, ready."""

    def __init__(self, system: System, directory: Path) -> None:
        port = choose((PortRequest("c"),), {})["c"]
        self._url = f"http://127.0.0.1:{port}"
        self._log = directory / "logs" / "test-console.log"
        env = {**os.environ, **system.stack.env, "TRUYVET_CONSOLE_PORT": str(port)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "console.cli.main", "serve"],
                env=env,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> str:
        wait_for(self._ready, 60, f"the console; see {self._log}")
        return self._url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        try:
            return httpx.get(f"{self._url}/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def python(world: World, file: Path, directory: Path) -> int:
    said = world.run(sys.executable, EXAMPLES / "python" / "aiokafka_producer.py", file)
    return int(said.split()[0])


def python_confluent(world: World, file: Path, directory: Path) -> int:
    said = world.run(sys.executable, EXAMPLES / "python" / "confluent_producer.py", file)
    return int(said.split()[0])


def java(world: World, file: Path, directory: Path) -> int:
    classes = directory / "classes"
    # what an application has beside its own classes: the client, its lz4, its logging interface
    wanted = ("kafka-clients-", "lz4-java-", "slf4j-api-")
    jars = [str(jar) for jar in ensure().jars if jar.name.startswith(wanted)]
    assert len(jars) == len(wanted)
    if not classes.exists():
        source = EXAMPLES / "java" / "Producer.java"
        compiler = (java_executable(), "-jar", _compiler(), "-17", "-proc:none")
        world.run(*compiler, "-cp", os.pathsep.join(jars), "-d", classes, source)
    path = os.pathsep.join([*jars, str(classes)])
    return int(world.run(java_executable(), "-cp", path, "Producer", file).split()[0])


def _compiler() -> Path:
    """The compiler's jar, fetched once into the cache that also keeps Kafka's."""
    jar = cache_dir() / ECJ.file_name
    if not jar.exists() or sha256_of(jar) != ECJ.sha256:
        fetched = maven.download(ECJ, maven.context(cache_dir() / "test-tools"))
        assert sha256_of(fetched) == ECJ.sha256
        shutil.copyfile(fetched, jar)
    return jar


def javascript(world: World, file: Path, directory: Path) -> int:
    project = directory / "javascript"
    if not project.exists():
        shutil.copytree(
            EXAMPLES / "javascript", project, ignore=shutil.ignore_patterns("node_modules")
        )
        world.run(BIN / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=project)
    return int(world.run(BIN / "node", "producer.mjs", file, cwd=project).split()[0])


def curl(world: World, file: Path, directory: Path) -> int:
    answers = world.run("sh", EXAMPLES / "curl" / "publish.sh", file).splitlines()
    assert all(json.loads(answer)["refused"] == [] for answer in answers)
    return sum(int(json.loads(answer)["accepted"]) for answer in answers)


def _scans(system: System) -> list[bytes]:
    people = [person_text(uuid.uuid4().int & (2**64 - 1)) for _ in range(PEOPLE)]
    begun = datetime.now(UTC) - timedelta(hours=5)
    return [
        json.dumps(
            {
                "event_id": str(uuid.uuid4()),
                "person": person,
                "code": system.tokens[number % 50],
                "direction": "in",
                "scanned_at": format_timestamp(begun + timedelta(minutes=number)),
                "method": "self",
                "producer": "sim",
                "device": "d-1",
            },
            separators=(",", ":"),
        ).encode()
        for number in range(SCANS_EACH)
        for person in people
    ]


@pytest.mark.parametrize("publish", [python, python_confluent, java, javascript, curl])
def test_an_example_run_twice(
    world: World, tmp_path: Path, publish: Callable[[World, Path, Path], int]
) -> None:
    system = world.system
    scans = _scans(system)
    file = tmp_path / "scans.ndjson"
    file.write_bytes(b"\n".join(scans) + b"\n")
    before = {table: len(all_) for table, all_ in system.all_offsets().items()}
    at = {(r.partition, r.offset) for r in system.read_topic()}

    assert publish(world, file, tmp_path) == COUNT
    assert publish(world, file, tmp_path) == COUNT

    records = [r for r in system.read_topic() if (r.partition, r.offset) not in at]
    assert sorted(r.value for r in records) == sorted(scans * 2), "the bytes as they are"
    people = {json.loads(scan)["event_id"]: json.loads(scan)["person"] for scan in scans}
    for record in records:
        assert record.key.decode() == people[json.loads(record.value)["event_id"]]
        assert record.partition == partition_of(record.key, system.settings.scan_partitions)
    assert len({r.partition for r in records}) == system.settings.scan_partitions

    system.drain()
    after = {table: len(all_) for table, all_ in system.all_offsets().items()}
    added = {table: after[table] - before[table] for table in after}
    assert added == {**dict.fromkeys(OUTCOMES, 0), "scans": COUNT, "duplicates": COUNT}
    assert world.misplaced() == 0


def test_the_shell_example_says_what_was_refused(world: World, tmp_path: Path) -> None:
    good, *_ = _scans(world.system)
    bad = good.replace(b'"direction":"in"', b'"direction":"up"')
    file = tmp_path / "scans.ndjson"
    file.write_bytes(good + b"\n" + bad + b"\n")
    done = world.try_run("sh", EXAMPLES / "curl" / "publish.sh", file)
    assert done.returncode == 2, done.stderr
    answer = json.loads(done.stdout)
    assert answer["accepted"] == 1
    [refused] = answer["refused"]
    assert (refused["line"], refused["reason"]) == (2, "wrong_schema")


@pytest.mark.parametrize("name", ["aiokafka_producer.py", "confluent_producer.py"])
def test_an_example_without_a_broker_says_so(world: World, tmp_path: Path, name: str) -> None:
    file = tmp_path / "scans.ndjson"
    file.write_bytes(_scans(world.system)[0])
    nobody = f"127.0.0.1:{choose((PortRequest('n'),), {})['n']}"
    code = (EXAMPLES / "python" / name).read_text("utf-8").replace("120_000", "3_000")
    script = tmp_path / name
    script.write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, script, file],
        env={**os.environ, "KAFKA_BOOTSTRAP": nobody},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert b"published" not in done.stdout
