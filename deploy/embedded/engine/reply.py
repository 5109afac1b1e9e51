"""Writes an answer: status, headers, compression, chunks, and an error in the midst of a stream."""

import json
import secrets
import socket
from collections.abc import Iterator
from http import HTTPStatus

from deploy.embedded.engine import codec
from deploy.embedded.engine.body import PIECE, new_spool
from deploy.embedded.engine.errors import ClientGone, EngineError
from deploy.embedded.engine.execute import Answer
from deploy.embedded.engine.registry import Request

DISPLAY_NAME = "truyvet-embedded"
_SMALL = 256 << 10  # up to here an answer goes out in one write with its length
_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "Native": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
}


class Reply:
    """One response on one socket. `broken` says that the connection cannot be used again."""

    def __init__(self, client: socket.socket, timezone: str, spool_folder: str) -> None:
        self._client = client
        self._timezone = timezone
        self._spool = spool_folder
        self.started = False
        self.broken = False

    def answer(self, request: Request, answer: Answer) -> None:
        call = request.call
        name = codec.choose(call.accept_encoding) if call.accept_encoding else None
        coder = codec.encoder(name) if name else None
        pieces = _encoded(answer.pieces, coder)
        # The first piece before the status: an early error has a status of its own.
        held = bytearray()
        limit = _SMALL
        for piece in pieces:
            held += piece
            if len(held) >= limit:
                break
        else:
            self._whole(request, answer, name, bytes(held))
            return
        if call.wait_end_of_query:
            self._spooled(request, answer, name, bytes(held), pieces)
        else:
            self._streamed(request, answer, name, bytes(held), pieces, coder)

    def _whole(self, request: Request, answer: Answer, name: str | None, data: bytes) -> None:
        head = self._head(request, answer, name, {"Content-Length": str(len(data))})
        self._send(head + data)

    def _spooled(
        self, request: Request, answer: Answer, name: str | None, held: bytes, rest: Iterator[bytes]
    ) -> None:
        """wait_end_of_query: no byte before the query's end, so every error has its status."""
        with new_spool(self._spool) as spool:
            spool.write(held)
            for piece in rest:
                spool.write(piece)
            length = spool.tell()
            spool.seek(0)
            self._send(self._head(request, answer, name, {"Content-Length": str(length)}))
            while data := spool.read(PIECE):
                self._send(data)

    def _streamed(
        self,
        request: Request,
        answer: Answer,
        name: str | None,
        held: bytes,
        rest: Iterator[bytes],
        coder: codec.Encoder | None,
    ) -> None:
        mark = secrets.token_hex(8)
        extra = {"Transfer-Encoding": "chunked", "X-ClickHouse-Exception-Tag": mark}
        self._send(self._head(request, answer, name, extra) + _chunk(held))
        try:
            for piece in rest:
                if piece:
                    self._send(_chunk(piece))
        except EngineError as error:
            # ClickHouse's block for an error after the status, then a stream without its end.
            message = error.text.encode("utf-8", "replace") + b"\n"
            tag = mark.encode()
            block = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (
                tag,
                message,
                len(message),
                tag,
            )
            data = coder.compress(block) + coder.flush() if coder else block
            self._send(_chunk(data))
            self.broken = True
            return
        self._send(b"0\r\n\r\n")

    def error(self, error: EngineError, query_id: str = "", *, close: bool = False) -> None:
        data = error.text.encode("utf-8", "replace") + b"\n"
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Length": str(len(data)),
            "X-ClickHouse-Exception-Code": str(error.code),
            "X-ClickHouse-Query-Id": query_id,
            "Connection": "close" if close else "keep-alive",
        }
        self.broken |= close
        self._send(self._lines(error.status, headers) + data)

    def plain(self, text: str, status: int = HTTPStatus.OK) -> None:
        data = text.encode()
        headers = {"Content-Type": "text/html; charset=UTF-8", "Content-Length": str(len(data))}
        self._send(self._lines(status, headers) + data)

    def _head(
        self, request: Request, answer: Answer, name: str | None, extra: dict[str, str]
    ) -> bytes:
        headers = {
            "Content-Type": _TYPES.get(answer.format, "text/plain; charset=UTF-8"),
            "X-ClickHouse-Query-Id": request.query_id,
            "X-ClickHouse-Format": answer.format,
            "X-ClickHouse-Timezone": request.call.settings.get("session_timezone")
            or self._timezone,
            "X-ClickHouse-Summary": json.dumps(answer.summary),
            "Connection": "keep-alive",
            **extra,
        }
        if name:
            headers["Content-Encoding"] = name
        return self._lines(HTTPStatus.OK, headers)

    def _lines(self, status: int, headers: dict[str, str]) -> bytes:
        headers["X-ClickHouse-Server-Display-Name"] = DISPLAY_NAME
        lines = [f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}"]
        # A client's query id comes back in a header: no line end may come with it.
        lines += [f"{k}: {v}".replace("\r", " ").replace("\n", " ") for k, v in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _send(self, data: bytes) -> None:
        self.started = True
        try:
            self._client.sendall(data)
        except OSError as error:
            raise ClientGone("the client does not read its answer") from error


def _encoded(pieces: Iterator[bytes], coder: codec.Encoder | None) -> Iterator[bytes]:
    if coder is None:
        yield from pieces
        return
    for piece in pieces:
        yield coder.compress(piece)
    yield coder.flush()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
