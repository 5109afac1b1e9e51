"""A body that is made piece by piece in threads, and no further once nobody is there to read it."""

from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

log = structlog.get_logger()
_GONE: Final = 499  # as nginx notes it


async def begun(request: Request, body: Generator[bytes], count: int) -> list[bytes] | None:
    """Its first pieces that hold anything, fewer if there are no more; None if nobody waits for
    them any longer. An empty piece says that there is more to do before the next. Raises what the
    body raises: nothing is answered yet.
    """
    head: list[bytes] = []
    await request.is_disconnected()  # the first that comes is the request itself
    while len(head) < count:
        if await request.is_disconnected():
            body.close()
            log.info("list_export_left")
            return None
        piece = await run_in_threadpool(next, body, None)
        if piece is None:
            break
        if piece:
            head.append(piece)
    return head


class ToNobody(Response):
    """For the log and the counts alone: who asked has gone."""

    def __init__(self) -> None:
        super().__init__(status_code=_GONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        with suppress(OSError):
            await super().__call__(scope, receive, send)


class WhileRead(StreamingResponse):
    """The pieces that are there and those to come; when the asker goes, at most one more is made,
    and what the body holds is given up.
    """

    def __init__(
        self,
        request: Request,
        head: Sequence[bytes],
        body: Generator[bytes],
        *,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(self._pieces(request, head), media_type=media_type, headers=headers)
        self._body = body
        self._settled = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Whichever way the asker's leaving is noticed, it is the same."""
        try:
            with suppress(ClientDisconnect):
                await super().__call__(scope, receive, send)
        except Exception:
            self._settled = True  # a fault is said where it is caught
            raise
        finally:
            with suppress(ValueError):  # it runs still where the process itself is stopped
                self._body.close()
            if not self._settled:
                log.info("list_export_left")

    async def _pieces(self, request: Request, head: Sequence[bytes]) -> AsyncIterator[bytes]:
        for piece in head:
            yield piece
        while not await request.is_disconnected():
            made = await run_in_threadpool(next, self._body, None)
            if made is None:
                self._settled = True
                return
            if made:
                yield made
