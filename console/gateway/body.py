"""A posted body: read up to its limits, as numbered lines."""

import asyncio
import re
from typing import Final

from starlette.requests import ClientDisconnect, Request

from console.api.errors import ApiError
from console.gateway.flow import MAX_BODY_BYTES, MAX_LINES, Flow

Line = tuple[int, bytes]

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
# a field `card`, which a method of that name is not
CARD_FIELD: Final = re.compile(rb'"card"\s*:')
_READ_S: Final = 30.0


class Body:
    """Takes room in the flow while it is read and worked on: `with Body(…) as body`."""

    def __init__(self, request: Request, flow: Flow) -> None:
        self._request = request
        self._flow = flow
        self._size = 0
        self.names_cards = False  # known once it is read

    def __enter__(self) -> "Body":
        return self

    def __exit__(self, *_: object) -> None:
        self._flow.give_back(self._size)

    async def lines(self) -> list[Line]:
        """The scans as they came, numbered from 1; blank lines of NDJSON are passed over.

        Raises ApiError: 400, 408, 413, 415, 422 for no scan at all, 503.
        """
        kind = self._kind()
        data = await self._read()
        # one pass over all of it, 0.06 µs a scan: a look at each line would cost more
        self.names_cards = CARD_FIELD.search(data) is not None
        if kind == JSON:
            lines = [(1, data)] if data.strip() else []
        else:
            if data.count(b"\n") > MAX_LINES:  # before they are taken apart: it costs memory
                raise _too_large()
            numbered = enumerate(data.split(b"\n"), start=1)
            lines = [(number, line.rstrip(b"\r")) for number, line in numbered if line.strip()]
        if not lines:
            raise ApiError(422, "invalid", "Không có lượt quét nào.", "There is no scan.")
        if len(lines) > MAX_LINES:
            raise _too_large()
        return lines

    def _kind(self) -> str:
        headers = self._request.headers
        kind = headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind not in (JSON, NDJSON) or headers.get("content-encoding", "identity") != "identity":
            raise ApiError(
                415,
                "unsupported",
                f"Chỉ nhận {JSON} (một lượt) hoặc {NDJSON} (mỗi dòng một lượt), không nén.",
                f"Send {JSON} (one scan) or {NDJSON} (one a line), not compressed.",
            )
        return kind

    async def _read(self) -> bytes:
        said = self._request.headers.get("content-length", "")
        if said.isdecimal() and int(said) > MAX_BODY_BYTES:
            raise _too_large()
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(_READ_S):
                async for part in self._request.stream():
                    if self._size + len(part) > MAX_BODY_BYTES:
                        raise _too_large()
                    self._flow.take_bytes(len(part))
                    self._size += len(part)
                    parts.append(part)
        except TimeoutError:
            raise ApiError(
                408, "too_slow", "Nội dung gửi lên quá chậm.", "The body came too slowly."
            ) from None
        except ClientDisconnect:
            raise ApiError(400, "gone", "Kết nối bị ngắt.", "The connection was lost.") from None
        return b"".join(parts)


def _too_large() -> ApiError:
    return ApiError(
        413,
        "too_large",
        f"Mỗi lần gửi tối đa {MAX_LINES} dòng và {MAX_BODY_BYTES >> 20} MiB; không nhận dòng nào.",
        f"At most {MAX_LINES} lines and {MAX_BODY_BYTES >> 20} MiB at once; nothing was taken.",
    )
