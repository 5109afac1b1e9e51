"""A bad line to ClickHouse: an HTTP proxy on loopback that does to inserts what a plan says.

What the worker asks is taken whole, then a fault is chosen for it. Everything that is not an
insert into an outcome table passes untouched.
"""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Final
from urllib.parse import parse_qs, urlsplit

_OUTCOMES: Final = ("scans", "rejects", "duplicates", "expired", "erased")
# ClickHouse's own words when a disk is full (src/Disks, ErrorCodes 243).
NO_SPACE: Final = (
    b"Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE) "
    b"(version 25.8.2.1)\n"
)


class Fault(StrEnum):
    """What becomes of one insert."""

    REFUSED = "refused"  # closed before the engine hears of it
    CUT = "cut"  # half of the body arrives
    NO_SPACE = "no_space"  # the engine says that the disk is full; nothing was written
    NO_SPACE_AFTER = "no_space_after"  # it says so, and the rows are there
    CLOSED_AFTER = "closed_after"  # executed, and closed without an answer
    SLOW = "slow"  # the body's second half comes late, and all is well
    LATE = "late"  # executed at once, answered after `late_s`
    HANGS = "hangs"  # not passed on; nothing is said for `late_s`
    LEFT_BEHIND = "left_behind"  # closed to the worker; the second half arrives `slow_s` later


@dataclass(frozen=True)
class Insert:
    """An insert on its way: the table, and which attempt of the proxy's life it is."""

    table: str
    comment: str
    number: int


Plan = Callable[[Insert], Fault | None]


class Seeded:
    """Faults with a probability, from a seed."""

    def __init__(self, seed: int, probability: float, faults: Sequence[Fault]) -> None:
        self._rng = Random(seed)
        self._probability = probability
        self._faults = list(faults)
        self._lock = threading.Lock()

    def __call__(self, _insert: Insert) -> Fault | None:
        with self._lock:
            if self._rng.random() >= self._probability:
                return None
            return self._rng.choice(self._faults)


class Script:
    """Faults in this order for the inserts into one table, then none; `after` inserts first."""

    def __init__(self, faults: Sequence[Fault], table: str = "scans", after: int = 0) -> None:
        self._left: list[Fault | None] = [*[None] * after, *faults]
        self._table = table
        self._lock = threading.Lock()

    def __call__(self, insert: Insert) -> Fault | None:
        with self._lock:
            if insert.table != self._table or not self._left:
                return None
            return self._left.pop(0)


class Proxy(ThreadingHTTPServer):
    """`with Proxy(upstream, plan) as proxy:`; workers are given `proxy.url`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, upstream: str, plan: Plan, *, slow_s: float = 1.0, late_s: float = 7.0
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(upstream)
        assert parts.hostname is not None
        self.upstream = (parts.hostname, parts.port or 8123)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.plan = plan
        self.slow_s = slow_s
        self.late_s = late_s
        self.done: Counter[str] = Counter()
        self._inserts = 0
        self._lock = threading.Lock()

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self.server_close()

    def fault(self, path: str) -> Fault | None:
        """What the plan says of this request, counted."""
        query = parse_qs(urlsplit(path).query)
        words = query.get("query", [""])[0].split()
        table = words[2].strip("`") if words[:2] == ["INSERT", "INTO"] else ""
        if table not in _OUTCOMES:
            return None
        with self._lock:
            self._inserts += 1
            number = self._inserts
        fault = self.plan(Insert(table, query.get("log_comment", [""])[0], number))
        if fault is not None:
            with self._lock:
                self.done[fault.value] += 1
        return fault

    def handle_error(self, request: object, client_address: object) -> None:
        """A worker that dies in the middle of a request is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self._body()
        fault = self.server.fault(self.path)
        slow, late = self.server.slow_s, self.server.late_s
        if fault in (Fault.REFUSED, Fault.HANGS):
            time.sleep(late if fault is Fault.HANGS else 0)
            self._hang_up()
        elif fault is Fault.NO_SPACE:
            self._answer(500, [("X-ClickHouse-Exception-Code", "243")], NO_SPACE)
        elif fault is Fault.CUT:
            self._hang_up()
            self._pass_on(body, cut=True)
        elif fault is Fault.LEFT_BEHIND:
            # the engine knows of the request before the worker knows that the line is gone
            self._pass_on(body, pause=slow, before_pause=self._hang_up)
        else:
            answer = self._pass_on(body, pause=slow if fault is Fault.SLOW else 0.0)
            if fault is Fault.LATE:
                time.sleep(late)
            if answer is None or fault is Fault.CLOSED_AFTER:
                self._hang_up()
            elif fault is Fault.NO_SPACE_AFTER:
                self._answer(500, [("X-ClickHouse-Exception-Code", "243")], NO_SPACE)
            else:
                self._answer(*answer)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self._exactly(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while size := int(self.rfile.readline(1024).split(b";")[0], 16):
            pieces.append(self._exactly(size))
            self.rfile.readline(1024)
        while self.rfile.readline(1024) not in (b"\r\n", b"\n", b""):
            pass
        return b"".join(pieces)

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the worker went away within its request")
        return data

    def _pass_on(
        self,
        body: bytes,
        *,
        cut: bool = False,
        pause: float = 0.0,
        before_pause: Callable[[], None] | None = None,
    ) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The engine's answer; None if the line to it broke, or was cut."""
        engine = http.client.HTTPConnection(*self.server.upstream, timeout=60)
        try:
            engine.putrequest(self.command, self.path, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    engine.putheader(name, value)
            engine.putheader("Content-Length", str(len(body)))
            engine.endheaders()
            if pause or cut:
                engine.send(body[: len(body) // 2])
                time.sleep(0.05)
                if cut:
                    return None
                if before_pause is not None:
                    before_pause()
                time.sleep(pause)
                body = body[len(body) // 2 :]
            engine.send(body)
            response = engine.getresponse()
            content = response.read()
            kept = [
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in ("transfer-encoding", "content-length", "connection")
            ]
            return response.status, kept, content
        except (OSError, http.client.HTTPException):
            return None
        finally:
            engine.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        """Close, now: nothing more is said on this connection."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)
