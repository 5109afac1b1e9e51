"""What only the embedded engine's server promises: its queue, its bounds, its end."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.contract.clickhouse_fixtures import REPOSITORY, Address, Engine

SLOW = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"
CREATE = "CREATE TABLE t (a UInt64, p UInt8) ENGINE = MergeTree PARTITION BY p ORDER BY a"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One slot and a queue of two."""
    engine = Engine(tmp_path_factory.mktemp("narrow"), "--pool", "1", "--max-queue", "2")
    with engine.address.client(database="default") as client:
        client.command(CREATE)
    yield engine
    assert engine.stop() == 0


@pytest.fixture
def client(narrow: Engine) -> Iterator[Any]:
    with narrow.address.client(database="default", query_retries=0) as client:
        client.command("TRUNCATE TABLE t")
        yield client


class Busy:
    """Holds the only slot; `free` kills the query that does."""

    def __init__(self, address: Address, client: Any) -> None:
        self._address, self._client = address, client
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        _until(lambda: client.command(_PROCESSES.format("busy")) == 1)

    def _ask(self) -> None:
        with self._address.client(database="default") as asking, pytest.raises(DatabaseError):
            asking.command(SLOW, settings={"log_comment": "busy"})

    def free(self) -> None:
        self._client.command("KILL QUERY WHERE Settings['log_comment'] = 'busy' SYNC")
        self._thread.join(5)
        assert not self._thread.is_alive()


_PROCESSES = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{}'"


def _until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _insert_request(target: str = "") -> bytes:
    query = quote("INSERT INTO t (a) FORMAT RowBinary")
    data = b"\1" * 8
    head = (
        f"POST /?query={query}{target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def _code(answer: bytes) -> int:
    for line in answer.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name == b"X-ClickHouse-Exception-Code":
            return int(value)
    return 0


class TestQueue:
    def test_a_client_that_left_the_queue_is_never_executed(
        self, narrow: Engine, client: Any
    ) -> None:
        busy = Busy(narrow.address, client)
        with narrow.address.socket() as leaving, narrow.address.socket() as staying:
            leaving.sendall(_insert_request())
            time.sleep(0.2)
            staying.sendall(_insert_request())
            time.sleep(0.2)
            leaving.close()
            time.sleep(0.2)
            busy.free()
            assert staying.recv(1 << 16).startswith(b"HTTP/1.1 200")
        time.sleep(0.2)
        assert client.command("SELECT count() FROM t") == 1

    def test_a_client_that_left_just_before_is_not_executed(
        self, narrow: Engine, client: Any
    ) -> None:
        busy = Busy(narrow.address, client)
        leaving = narrow.address.socket()
        leaving.sendall(_insert_request())
        time.sleep(0.2)
        leaving.close()
        busy.free()
        time.sleep(0.2)
        assert client.command("SELECT count() FROM t") == 0

    def test_the_deadline_counts_in_the_queue(self, narrow: Engine, client: Any) -> None:
        busy = Busy(narrow.address, client)
        began = time.monotonic()
        with narrow.address.socket() as late:
            late.sendall(_insert_request("&max_execution_time=0.5"))
            assert _code(late.recv(1 << 16)) == 159
        assert 0.4 < time.monotonic() - began < 2
        busy.free()
        assert client.command("SELECT count() FROM t") == 0

    def test_kill_drops_the_queued(self, narrow: Engine, client: Any) -> None:
        busy = Busy(narrow.address, client)
        with narrow.address.socket() as mine, narrow.address.socket() as other:
            mine.sendall(_insert_request("&log_comment=truyvet/scans.v1/3/7"))
            other.sendall(_insert_request("&log_comment=truyvet/scans.v1/33/7"))
            time.sleep(0.2)
            killed = client.query(
                "KILL QUERY WHERE Settings['log_comment'] LIKE 'truyvet/scans.v1/3/%' SYNC"
            )
            assert len(killed.result_rows) == 1
            assert _code(mine.recv(1 << 16)) == 394
            busy.free()
            assert other.recv(1 << 16).startswith(b"HTTP/1.1 200")
        assert client.command("SELECT count() FROM t") == 1

    def test_kill_drops_what_is_still_received(self, narrow: Engine, client: Any) -> None:
        request = _insert_request("&log_comment=receiving")
        with narrow.address.socket() as slow:
            slow.sendall(request[:-1])
            time.sleep(0.2)
            client.command("KILL QUERY WHERE Settings['log_comment'] = 'receiving' SYNC")
            slow.sendall(request[-1:])
            assert _code(slow.recv(1 << 16)) == 394
        assert client.command("SELECT count() FROM t") == 0

    def test_a_full_queue_refuses(self, narrow: Engine, client: Any) -> None:
        busy = Busy(narrow.address, client)
        waiting = [narrow.address.socket() for _ in range(2)]
        for one in waiting:
            one.sendall(_insert_request())
        time.sleep(0.2)
        with narrow.address.socket() as last:
            last.sendall(_insert_request())
            answer = last.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 503")
        assert _code(answer) == 202
        busy.free()
        for one in waiting:
            assert one.recv(1 << 16).startswith(b"HTTP/1.1 200")
            one.close()

    def test_the_same_query_id_at_once_is_refused(self, narrow: Engine, client: Any) -> None:
        busy = Busy(narrow.address, client)
        with narrow.address.socket() as first, narrow.address.socket() as second:
            first.sendall(_insert_request("&query_id=same"))
            time.sleep(0.1)
            second.sendall(_insert_request("&query_id=same"))
            assert _code(second.recv(1 << 16)) == 216
            client.command("KILL QUERY WHERE query_id = 'same' SYNC")
            assert _code(first.recv(1 << 16)) == 394
        busy.free()


class TestBounds:
    @pytest.mark.parametrize("wait", [0, 1])
    def test_a_large_answer_does_not_fill_memory(
        self, narrow: Engine, client: Any, wait: int
    ) -> None:
        process = psutil.Process(narrow.process.pid)
        client.command("SELECT 1")
        before = process.memory_info().rss
        peak, size = before, 0
        sql = "SELECT number, sipHash64(number) FROM numbers(20000000)"
        stream = client.raw_stream(sql, fmt="Native", settings={"wait_end_of_query": wait})
        while data := stream.read(1 << 20):
            size += len(data)
            peak = max(peak, process.memory_info().rss)
        assert size > 320_000_000
        assert peak - before < 150_000_000

    def test_a_long_header_is_refused(self, narrow: Engine) -> None:
        with narrow.address.socket() as raw:
            raw.sendall(b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\n")
            assert raw.recv(1 << 16).startswith(b"HTTP/1.1 414")

    def test_some_of_the_disk_is_kept_free(self, client: Any) -> None:
        """Merges that meet the end of a disk lose rows: a twentieth of it, at most a GiB."""
        query = "SELECT keep_free_space, total_space FROM system.disks WHERE name = 'default'"
        [(kept, total)] = client.query(query).result_rows
        assert 0 < kept == min(1 << 30, total // 20)

    def test_a_small_query_is_quick(self, narrow: Engine) -> None:
        """No delayed acknowledgement (40 ms) and no wait in the queue's poll (50 ms)."""
        took = []
        with narrow.address.socket() as raw:
            for _ in range(20):
                began = time.monotonic()
                raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nSELECT 1")
                assert raw.recv(1 << 16).endswith(b"1\n")
                took.append(time.monotonic() - began)
        assert min(took) < 0.02  # each of the two would be in every one


class TestProcess:
    def test_a_second_process_is_refused_in_one_line(self, narrow: Engine) -> None:
        second = subprocess.run(
            [*narrow.command, "--port", "0"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert second.returncode == 3
        assert second.stderr.count("\n") == 1
        assert f"(pid {narrow.process.pid})" in second.stderr

    def test_password(self, tmp_path: Path) -> None:
        environment = {"TRUYVET_ENGINE_USER": "tv", "TRUYVET_ENGINE_PASSWORD": "mật khẩu"}
        engine = Engine(tmp_path, environment=environment)
        port = engine.address.port
        with pytest.raises(DatabaseError, match="516"):
            Address("127.0.0.1", port).client(database="default")
        with Address("127.0.0.1", port, "tv", "mật khẩu").client(database="default") as client:
            assert client.command("SELECT 1") == 1
        assert engine.stop() == 0

    def test_sigterm_lets_a_query_finish(self, tmp_path: Path) -> None:
        engine = Engine(tmp_path)
        answers: list[object] = []

        def ask() -> None:
            with engine.address.client(database="default") as client:
                asked = {"log_comment": "asked"}
                answers.append(client.command("SELECT sleep(1.5)", settings=asked))

        thread = threading.Thread(target=ask)
        with engine.address.client(database="default") as client:
            thread.start()
            _until(lambda: client.command(_PROCESSES.format("asked")) == 1)
        assert engine.stop() == 0
        thread.join(5)
        assert answers == [0]

    def test_sigkill_in_the_midst_of_inserts(self, tmp_path: Path) -> None:
        """What was acknowledged is there; an insert is whole or absent in each partition."""
        size = 20_000
        written: list[int] = []
        engine = Engine(tmp_path)
        with engine.address.client(database="default") as client:
            client.command(CREATE)
        for round_ in range(3):

            def insert(base: int, address: Address = engine.address) -> None:
                try:
                    with address.client(database="default") as client:
                        for n in range(1000):
                            sql = "INSERT INTO t SELECT {n:UInt64}, number % 3 FROM numbers(20000)"
                            client.command(sql, parameters={"n": base + n})
                            written.append(base + n)
                except (DatabaseError, OSError):
                    return

            threads = [
                threading.Thread(target=insert, args=((round_ * 2 + n) * 1000,)) for n in range(2)
            ]
            for thread in threads:
                thread.start()
            time.sleep(0.7)
            engine.kill()
            for thread in threads:
                thread.join(10)
            engine = Engine(tmp_path)
        assert written
        with engine.address.client(database="default") as client:
            sql = "SELECT a, p, count() FROM t GROUP BY a, p"
            found = {(a, p): n for a, p, n in client.query(sql).result_rows}
            assert client.command("CHECK TABLE t SETTINGS check_query_single_value_result = 1") == 1
        whole = [len(range(p, size, 3)) for p in range(3)]
        assert all(n == whole[p] for (_, p), n in found.items())
        assert all((a, p) in found for a in written for p in range(3))
        assert os.listdir(tmp_path / "spool") == []
        assert engine.stop() == 0


@pytest.mark.parametrize("name", ["input", "INPUT"])
def test_input_in_an_insert_is_refused_rather_than_ignored(narrow: Engine, name: str) -> None:
    sql = f"INSERT INTO t SELECT a, p FROM {name}('a UInt64, p UInt8') FORMAT JSONEachRow\n"
    with narrow.address.client(database="default") as client:
        before = client.command("SELECT count() FROM t")
        with pytest.raises(DatabaseError, match="input"):
            client.raw_insert(table=None, insert_block=sql.encode() + b'{"a":1,"p":1}\n')
        client.command("INSERT INTO t SELECT number, 1 FROM numbers(3) AS input")
        assert client.command("SELECT count() FROM t") == before + 3
