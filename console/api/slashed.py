"""Another system's case in an address: `system/abc` is written `/v1/cases/system%2Fabc/…`.

A server hands on paths decoded, where that slash would be one between two parts and no route would
match. So it stays written as it came until a route has matched, for every route of cases alike.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

SLASH: Final = "%2F"
_SLASH: Final = re.compile(b"%2f", re.IGNORECASE)
_UNDER: Final = [b"", b"v1", b"cases"]
_PARAMETER: Final = "case_id"


class KeepSlash:
    """ASGI middleware: what is a case's id in the path keeps its slash written as `%2F`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http":
            parts = scope.get("raw_path", b"").split(b"/")
            if parts[:3] == _UNDER and len(parts) > 3 and _SLASH.search(parts[3]):
                case = SLASH.join(_text(part) for part in _SLASH.split(parts[3]))
                rest = (_text(part) for part in parts[4:])
                # in its place: who counts requests by route looks into this very scope
                scope["path"] = "/".join(["/v1/cases", case, *rest])
        await self._app(scope, receive, send)


async def with_slash(request: Request) -> None:
    """The id as it is, for the route that has matched; before its parameters are read."""
    case = request.path_params.get(_PARAMETER)
    if case is not None:
        request.path_params[_PARAMETER] = case.replace(SLASH, "/")


def _text(part: bytes) -> str:
    return unquote_to_bytes(part).decode("utf-8", "replace")
