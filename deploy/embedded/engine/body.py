"""A request body, taken whole before anything of it is executed.

A body that was cut short must never be executed in part: chdb's streaming insert commits parts as
they fill, so the server first has all of it, decoded, in memory or (beyond a bound) in a file.
"""

import tempfile
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from typing import IO

from deploy.embedded.engine.codec import Decoder
from deploy.embedded.engine.errors import ClientGone, EngineError, bad_argument

PIECE = 1 << 20
IN_MEMORY = 8 << 20  # per request; at most this times the admitted requests
MAX_BODY = 4 << 30
_MAX_LINE = 1024


def new_spool(folder: str) -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=folder)


def receive(
    stream: BufferedIOBase,
    headers: dict[str, str],
    folder: str,
    check: Callable[[], None],
) -> IO[bytes]:
    """Reads and decodes the body; `check` may raise between pieces (killed, too late)."""
    encoding = headers.get("content-encoding", "").strip().lower()
    decoder = Decoder(encoding) if encoding and encoding != "identity" else None
    spool = new_spool(folder)
    size = 0
    try:
        for piece in _pieces(stream, headers):
            check()
            data = decoder.feed(piece) if decoder else piece
            size += len(data)
            if size > MAX_BODY:
                raise EngineError(425, "QUERY_IS_TOO_LARGE", f"The body exceeds {MAX_BODY} bytes")
            spool.write(data)
        if decoder:
            decoder.finish()
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool


def _pieces(stream: BufferedIOBase, headers: dict[str, str]) -> Iterator[bytes]:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        yield from _chunks(stream)
        return
    try:
        left = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise bad_argument("Content-Length is not a number") from error
    while left > 0:
        piece = _exactly(stream, min(left, PIECE))
        left -= len(piece)
        yield piece


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    while True:
        line = stream.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            raise ClientGone("the body was cut short")
        try:
            left = int(line.split(b";")[0], 16)
        except ValueError as error:
            raise ClientGone("the chunk header is not a number") from error
        if left == 0:
            break
        while left > 0:
            piece = _exactly(stream, min(left, PIECE))
            left -= len(piece)
            yield piece
        _exactly(stream, 2)
    while True:  # trailers, which nobody here reads
        line = stream.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            raise ClientGone("the body was cut short")
        if line in (b"\r\n", b"\n"):
            return


def _exactly(stream: BufferedIOBase, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ClientGone("the body was cut short")
    return data
