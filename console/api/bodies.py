"""A request's body, bounded in size and time, however much of it the sender announces."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request

from console.api.errors import ApiError


async def bounded(
    request: Request, most_bytes: int, seconds: float, too_large: tuple[str, str]
) -> AsyncIterator[bytes]:
    """Its parts as they come. Raises ApiError: 413 with these words (vi, en), 408."""
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most_bytes:
                    raise ApiError(413, "too_large", *too_large)
                yield part
    except TimeoutError:
        vi, en = "Gửi nội dung quá chậm.", "The body came too slowly."
        raise ApiError(408, "too_slow", vi, en) from None
