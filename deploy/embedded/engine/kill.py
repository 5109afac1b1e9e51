"""Ends queries: KILL QUERY over requests in every state, the client that left, and the stop.

chdb's own KILL QUERY works across the connections of a process, but it does not know requests that
are still received or queued, nor those that started and are not registered in the engine yet; and
its SYNC waits for a streaming SELECT until its owner fetches again. So the condition is judged by
the engine over the registry's rows and `system.processes`, the requests found are marked (none of
them starts any more), and the engine's KILL is repeated by tag until none of them runs.
"""

import json
import re
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from deploy.embedded.engine.errors import EngineError
from deploy.embedded.engine.execute import Answer, Work
from deploy.embedded.engine.node import Node, quote
from deploy.embedded.engine.registry import Registry, Request, State, client_gone

_KILL = re.compile(
    r"KILL QUERY WHERE (?P<where>.*?) (?P<mode>SYNC|ASYNC|TEST)(?: FORMAT (?P<format>\w+))?\s*\Z",
    re.DOTALL,
)
_ROWS = (
    "tag String, query_id String, initial_query_id String, user String, initial_user String, "
    "query String, current_database String, Settings Map(String, String), elapsed Float64, "
    "is_initial_query UInt8, is_cancelled UInt8, read_rows UInt64, written_rows UInt64, "
    "memory_usage Int64"
)
_AGAIN = 0.05  # seconds between two KILLs of the engine
_STALLED = 2.0  # seconds after which a killed request's client is cut off, should it not read


def is_kill(text: bytes) -> bool:
    return re.match(rb"\s*KILL\s+QUERY\b", text, re.IGNORECASE) is not None


class Killer:
    def __init__(self, node: Node, registry: Registry) -> None:
        self._node = node
        self._registry = registry

    def run(self, session: Any, request: Request, work: Work) -> Answer:
        """A client's KILL QUERY … [SYNC | ASYNC | TEST]."""
        try:
            text = work.text.decode("utf-8", "surrogateescape")
            literal = quote(text.strip().rstrip(";"))
            formatted = bytes(
                session.query(f"SELECT formatQuerySingleLine({literal})", "RawBLOB").bytes()
            ).decode()
            parsed = _KILL.match(formatted)
            if parsed is None:
                raise EngineError(62, "SYNTAX_ERROR", f"Not KILL QUERY WHERE …: {formatted}")
            rows = [_row(known) for known in self._registry.snapshot() if known is not request]
            tags = self._matching(session, rows, parsed["where"])
            found = self._registry.kill(tags) if parsed["mode"] != "TEST" else []
            self.end(found, request if parsed["mode"] == "SYNC" else None)
            status = "finished" if parsed["mode"] == "SYNC" else "waiting"
            lines = "\n".join(json.dumps(row) for row in rows if row["tag"] in tags)
            result = session.query(
                f"SELECT {quote(status)} AS kill_status, query_id, user, query "  # noqa: S608 - quoted
                f"FROM format(JSONEachRow, {quote(_ROWS)}, {quote(lines)})",
                parsed["format"] or work.format,
            )
        except RuntimeError as error:
            raise EngineError.parse(str(error)) from None
        return Answer(parsed["format"] or work.format, iter((bytes(result.bytes()),)))

    def _matching(self, session: Any, rows: list[dict[str, Any]], where: str) -> set[str]:
        lines = quote("\n".join(json.dumps(row) for row in rows))
        result = session.query(
            f"SELECT tag FROM format(JSONEachRow, {quote(_ROWS)}, {lines}) WHERE {where} "  # noqa: S608 - the client's own SQL
            # A setting given in the query's own text is known to the engine only.
            "UNION DISTINCT SELECT Settings['query_cache_tag'] FROM system.processes "
            f"WHERE {where}",
            "TabSeparated",
        )
        return set(bytes(result.bytes()).decode().split())

    def end(self, found: list[Request], waiter: Request | None, limit: float = 0.0) -> None:
        """Kills in the engine what runs of them; with a waiter, until none runs."""
        began = time.monotonic()
        while running := self._registry.running(found):
            self.kill_tags(request.tag for request in running)
            if waiter is None and time.monotonic() - began >= limit:
                return
            if waiter is not None:
                waiter.check_client()
            if time.monotonic() - began > _STALLED:
                for request in running:
                    if request.read_only:
                        with suppress(OSError):
                            request.client.shutdown(socket.SHUT_RDWR)
            self._registry.wait(lambda: not self._registry.running(found), _AGAIN)

    def kill_tags(self, tags: Iterable[str]) -> None:
        wanted = ", ".join(quote(tag) for tag in tags)
        if wanted:
            self._node.query(f"KILL QUERY WHERE Settings['query_cache_tag'] IN ({wanted}) ASYNC")

    def watch(self, stop: threading.Event, every: float = 0.25) -> None:
        """Ends read-only queries whose client left; an INSERT that started goes to its end.
        What was killed is killed again: it may have been unknown to the engine the first time."""
        while not stop.wait(every):
            gone = [
                request.tag
                for request in self._registry.snapshot()
                if request.state is State.RUNNING
                and (request.killed or (request.read_only and client_gone(request.client)))
            ]
            self._registry.kill(gone)
            self.kill_tags(gone)


def _row(request: Request) -> dict[str, Any]:
    call = request.call
    return {
        "tag": request.tag,
        "query_id": request.query_id,
        "initial_query_id": request.query_id,
        "user": call.user,
        "initial_user": call.user,
        "query": request.text,
        "current_database": call.database or "default",
        "Settings": call.settings,
        "elapsed": time.monotonic() - request.started,
        "is_initial_query": 1,
        "is_cancelled": int(request.killed),
    }
