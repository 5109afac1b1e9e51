"""Is it ready? Asked of the service itself, never guessed from the time that passed."""

from __future__ import annotations

import http.client
import socket
import struct
from dataclasses import dataclass
from typing import Protocol


class ReadyCheck(Protocol):
    """One short question; False when there is no answer or not the right one."""

    def __call__(self, timeout_s: float) -> bool: ...


@dataclass(frozen=True)
class TcpReady:
    """Something accepts connections."""

    port: int

    def __call__(self, timeout_s: float) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s):
                return True
        except OSError:
            return False


@dataclass(frozen=True)
class HttpReady:
    """GET answers 200, and begins as it should."""

    port: int
    path: str
    begins: bytes = b""

    def __call__(self, timeout_s: float) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", self.path, headers={"Connection": "close"})
            response = connection.getresponse()
            return response.status == 200 and response.read(4096).startswith(self.begins)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True)
class KafkaReady:
    """The broker answers ApiVersions; KRaft opens the listener only when the broker is unfenced."""

    port: int

    def __call__(self, timeout_s: float) -> bool:
        # ApiVersions (key 18) version 0, correlation id 7, client id "up".
        body = struct.pack(">hhih2s", 18, 0, 7, 2, b"up")
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as link:
                link.settimeout(timeout_s)
                link.sendall(struct.pack(">i", len(body)) + body)
                answer = b""
                while len(answer) < 10:
                    part = link.recv(64)
                    if not part:
                        return False
                    answer += part
        except OSError:
            return False
        _size, correlation, error = struct.unpack(">iih", answer[:10])
        return bool(correlation == 7 and error == 0)
