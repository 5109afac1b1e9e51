"""Every request known to the server, from its headers to its end: what KILL and the stop act on."""

import select
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from deploy.embedded.engine.errors import ClientGone, EngineError, cancelled, overloaded, too_late
from deploy.embedded.engine.protocol import Call


class State(Enum):
    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"


@dataclass(eq=False)
class Request:
    call: Call
    client: socket.socket
    query_id: str
    deadline: float | None  # of the monotonic clock; time in the queue counts
    started: float
    # Marks the query in the engine, which chooses its own query_id (node.open_session).
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
    text: str = ""
    state: State = State.RECEIVING
    read_only: bool = False
    killed: bool = False

    def check(self) -> None:
        """Raises when this request must not go on."""
        if self.killed:
            raise cancelled()
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise too_late("before execution")

    def check_client(self) -> None:
        self.check()
        if client_gone(self.client):
            raise ClientGone("the client closed its connection")

    def remaining(self) -> float | None:
        return None if self.deadline is None else max(0.001, self.deadline - time.monotonic())


def client_gone(client: socket.socket) -> bool:
    """Whether the client closed its side. A half-closed connection counts as gone."""
    try:
        look = select.poll()
        look.register(client, select.POLLIN)
        # First poll: on a socket with a timeout recv would wait in spite of MSG_DONTWAIT.
        return bool(look.poll(0)) and client.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True


class Registry:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: dict[str, Request] = {}
        self._by_query_id: dict[str, str] = {}
        self._closed = False

    def add(self, call: Call, client: socket.socket) -> Request:
        now = time.monotonic()
        limit = call.seconds("max_execution_time")
        query_id = call.query_id or str(uuid.uuid4())
        request = Request(call, client, query_id, now + limit if limit else None, now)
        request.text = call.query[:4096]
        with self._changed:
            if self._closed:
                raise overloaded("The embedded engine is stopping")
            if query_id in self._by_query_id:
                message = f"Query with id = {query_id} is already running."
                raise EngineError(216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", message)
            self._requests[request.tag] = request
            self._by_query_id[query_id] = request.tag
        return request

    def remove(self, request: Request) -> None:
        with self._changed:
            del self._requests[request.tag]
            del self._by_query_id[request.query_id]
            self._changed.notify_all()

    def start(self, request: Request) -> None:
        """Queued → running. Under the lock of `kill`, so a killed request never starts."""
        with self._changed:
            request.check_client()
            request.state = State.RUNNING

    def snapshot(self) -> list[Request]:
        with self._changed:
            return list(self._requests.values())

    def kill(self, tags: Iterable[str]) -> list[Request]:
        """Marks them. What is not running will not start; what runs must be ended in the engine."""
        with self._changed:
            found = [self._requests[tag] for tag in tags if tag in self._requests]
            for request in found:
                request.killed = True
            self._changed.notify_all()
            return found

    def running(self, requests: Iterable[Request]) -> list[Request]:
        with self._changed:
            return [
                request
                for request in requests
                if request.state is State.RUNNING and request.tag in self._requests
            ]

    def wait(self, over: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(over, seconds)

    def close(self) -> None:
        with self._changed:
            self._closed = True
