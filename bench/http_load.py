"""Posts prepared bodies over kept-open connections, one thread each, and counts the answers.

Raw sockets: the client shares its core with the broker and must cost little. A server that says
that it is busy (503) is left alone for a moment, as producers are asked to.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

BUSY: Final = 503
_TIMEOUT_S: Final = 30.0
_BUSY_S: Final = 0.25


@dataclass
class Answers:
    """What came back: requests by status, and seconds of each that was not turned away."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    last: bytes = b""

    def add(self, other: "Answers") -> None:
        """One connection's answers more."""
        self.statuses += other.statuses
        self.seconds += other.seconds
        self.last = other.last or self.last


def load(
    port: int, bodies: Sequence[bytes], headers: str, connections: int, seconds: float
) -> tuple[Answers, float]:
    """Post the bodies in turn until the time is up; the answers, and how long it took.

    Raises OSError when the server closes a connection.
    """
    found = [Answers() for _ in range(connections)]
    errors: list[OSError] = []
    begin = time.monotonic()
    deadline = begin + seconds

    def run(number: int) -> None:
        try:
            _run(port, bodies[number % len(bodies) :], headers, deadline, found[number])
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    if errors:
        raise errors[0]
    total = Answers()
    for one in found:
        total.add(one)
    return total, took


def _run(
    port: int, bodies: Sequence[bytes], headers: str, deadline: float, answers: Answers
) -> None:
    requests = [
        f"POST /v1/scans HTTP/1.1\r\nHost: bench\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        .encode() + body
        for body in bodies
    ]  # fmt: skip
    turn = 0
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (begun := time.monotonic()) < deadline:
            line.sendall(requests[turn % len(requests)])
            status, answers.last = _answer(line)
            answers.statuses[status] += 1
            if status == BUSY:
                time.sleep(_BUSY_S)
                continue
            answers.seconds.append(time.monotonic() - begun)
            turn += 1


def _answer(line: socket.socket) -> tuple[int, bytes]:
    head, data = b"", b""
    while b"\r\n\r\n" not in head:
        head += _received(line)
    head, _, data = head.partition(b"\r\n\r\n")
    length = next(
        int(value)
        for name, _, value in (row.partition(b":") for row in head.split(b"\r\n"))
        if name.lower() == b"content-length"
    )
    while len(data) < length:
        data += _received(line)
    return int(head.split(b" ", 2)[1]), data


def _received(line: socket.socket) -> bytes:
    part = line.recv(65536)
    if not part:
        raise ConnectionResetError("the server closed the connection")
    return part
