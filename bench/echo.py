"""`python -m bench.echo PORT`: the least a Python HTTP server can do with a posted body.

The same uvicorn, in the same settings, as the console; the body is read and its length answered.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def echo(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """See ASGI."""
    if scope["type"] != "http":
        return
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = bool(message.get("more_body", False))
    body = b"%d" % len(b"".join(parts))
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main(port: int) -> None:
    """Serve on loopback until a signal."""
    options: dict[str, Any] = {"lifespan": "off", "log_config": None, "access_log": False}
    uvicorn.run(echo, host="127.0.0.1", port=port, server_header=False, **options)


if __name__ == "__main__":
    main(int(sys.argv[1]))
