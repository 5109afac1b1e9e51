"""The HTTP server: a thread a connection, keep-alive, from a request's headers to its end."""

import errno
import hmac
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deploy.embedded.engine import body, execute, kill, protocol, statement
from deploy.embedded.engine.changes import Changes
from deploy.embedded.engine.errors import ClientGone, EngineError, disk_full
from deploy.embedded.engine.handed import OLD_S, Tokens, given_by, may_be_handed
from deploy.embedded.engine.node import Node
from deploy.embedded.engine.protocol import Call
from deploy.embedded.engine.registry import Registry, Request
from deploy.embedded.engine.reply import Reply
from deploy.embedded.engine.slots import Slots

MAX_CONNECTIONS = 512
IDLE = 60.0  # seconds a connection may say nothing, between requests and within one
MAX_FORM = 64 << 20
CONTROL_SLOTS = 2  # KILL and looks at system.processes must not wait behind what they look at


@dataclass(frozen=True)
class Credentials:
    user: str
    password: str

    def check(self, call: Call) -> None:
        given = f"{call.user}\0{call.password}".encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"{self.user}\0{self.password}".encode()):
            message = f"{call.user}: Authentication failed: password is incorrect, or no such user."
            raise EngineError(516, "AUTHENTICATION_FAILED", message)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    # The handlers' threads are not joined at the stop: idle keep-alive connections would hold it.
    block_on_close = False

    def __init__(
        self, port: int, node: Node, slots: int, max_queue: int, credentials: Credentials | None
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.node = node
        self.credentials = credentials
        self.registry = Registry()
        self.slots = Slots(self.registry, slots, max_queue)
        self.control = Slots(self.registry, CONTROL_SLOTS, max_queue)
        self.killer = kill.Killer(node, self.registry)
        self.changes = Changes(node.spool.parent, self.server_address[1])
        self.tokens = Tokens()
        self._connections = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._stopping = threading.Event()
        threading.Thread(target=self.killer.watch, args=(self._stopping,), daemon=True).start()
        threading.Thread(target=self._tidy, daemon=True).start()

    def _tidy(self) -> None:
        while not self._stopping.wait(OLD_S):
            self.changes.tidy()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._connections.acquire(blocking=False):
            request.close()
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ClientGone | OSError):
            super().handle_error(request, client_address)

    def end(self, grace: float) -> None:
        """Refuses new work, gives what runs its time, then ends it; the engine closes cleanly."""
        self._stopping.set()
        self.registry.close()
        self.registry.wait(lambda: not self.registry.snapshot(), grace)
        self.killer.end(self.registry.kill(r.tag for r in self.registry.snapshot()), None, 5.0)
        self.server_close()
        self.changes.close()
        self.node.close()


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    rbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: object) -> None:
        """Silent: a query text may hold a person's id."""

    def _handle(self) -> None:
        reply = Reply(self.connection, self.server.node.timezone, str(self.server.node.spool))
        request: Request | None = None
        read = False
        try:
            call = protocol.parse(self.command, self.path, self.headers)
            if call.path == "/ping" or (self.command == "GET" and not call.query):
                reply.plain("Ok.\n")
                return
            if call.path != "/":
                reply.plain(f"There is no handle {call.path}\n", 404)
                self.close_connection = True
                return
            if self.server.credentials:
                self.server.credentials.check(call)
            request = self.server.registry.add(call, self.connection)
            with body.receive(
                self.rfile, call.headers, str(self.server.node.spool), request.check
            ) as data:
                read = True
                self._execute(request, reply, data)
        except EngineError as error:
            self._refuse(reply, error, request, close=not read)
        except (ClientGone, TimeoutError, ConnectionError):
            self.close_connection = True
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            self._refuse(reply, disk_full(), request, close=not read)
        finally:
            if request:
                self.server.registry.remove(request)
            self.close_connection |= reply.broken

    def _refuse(
        self, reply: Reply, error: EngineError, request: Request | None, *, close: bool
    ) -> None:
        """`close` when the body was not read to its end: the connection is at an unknown place."""
        if reply.started:
            self.close_connection = True
        else:
            reply.error(error, request.query_id if request else "", close=close)

    def _execute(self, request: Request, reply: Reply, data: Any) -> None:
        call = request.call
        if call.headers.get("content-type", "").startswith("multipart/form-data"):
            protocol.take_form(call, data.read(MAX_FORM))
            data.seek(0, 2)
        file = self.server.node.spool / f"{request.tag}.data"
        try:
            self._run(request, reply, execute.prepare(call, data, file))
        finally:
            file.unlink(missing_ok=True)

    def _run(self, request: Request, reply: Reply, work: execute.Work) -> None:
        call = request.call
        request.text = work.text[:4096].decode("utf-8", "replace")
        is_kill = kill.is_kill(work.text)
        control = is_kill or (
            b"system.processes" in work.text and statement.verb(work.text) == "SELECT"
        )
        slots = self.server.control if control else self.server.slots
        with slots.slot(request):
            session = self.server.node.open_session(call, request.tag, request.remaining())
            try:
                if is_kill:
                    answer = self.server.killer.run(session, request, work)
                else:
                    answer = self._ran(session, request, work)
                try:
                    reply.answer(request, answer)
                finally:
                    close = getattr(answer.pieces, "close", None)
                    if close:
                        close()
            finally:
                session.close()

    def _ran(self, session: Any, request: Request, work: execute.Work) -> execute.Answer:
        server, call = self.server, request.call
        insert = server.changes.believed and may_be_handed(call, work, server.tokens)
        begun = server.changes.insert_begins() if insert else None
        given = None
        try:
            answer = execute.run(session, request, work, server.node.spool)
            if insert:
                given = given_by(call, work, answer, server.node.spool / f"{request.tag}.given")
            return answer
        finally:
            read_only = request.read_only
            server.changes.ended(work.text, read_only=read_only, begun=begun, given=given)
