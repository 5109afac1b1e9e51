"""A list of establishments as a request's body: its file's name, its size, its time."""

import asyncio
import re
from pathlib import Path
from typing import Final

from fastapi import Request

from console.api.errors import ApiError

MOST_BYTES: Final = 32 * 1024 * 1024
_WHOLE_BODY_S: Final = 120.0
_NAME: Final = re.compile(r"[^/\\\x00-\x1f]{1,128}\.(csv|tsv|txt|xlsx|xlsm|xls|ods)", re.IGNORECASE)
BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": "Tên cơ sở,Phường,Loại hình\nQuán Phở Thìn,Đằng Lâm,quán ăn\n",
            }
        },
    }
}


def check_name(file: str) -> None:
    """Raises ApiError (422) unless it is the name of a file that can be read."""
    if not _NAME.fullmatch(file):
        raise ApiError(
            422,
            "invalid",
            "file: tên tệp CSV, XLSX, XLS hoặc ODS, không có thư mục.",
            "file: the name of a CSV, XLSX, XLS or ODS file, without a folder.",
        )


async def receive(request: Request, path: Path, command: str) -> None:
    """The body into a file of its own. Raises ApiError: 408, 413."""
    size = 0
    try:
        async with asyncio.timeout(_WHOLE_BODY_S):
            with path.open("wb") as out:
                async for part in request.stream():
                    size += len(part)
                    if size > MOST_BYTES:
                        raise ApiError(
                            413,
                            "too_large",
                            f"Tệp tối đa {MOST_BYTES >> 20} MiB: hãy tách ra, hoặc nhập trên máy "
                            f"chủ bằng {command}.",
                            f"At most {MOST_BYTES >> 20} MiB: split it, or import it on the server "
                            f"with {command}.",
                        )
                    out.write(part)
    except TimeoutError:
        raise ApiError(408, "too_slow", "Gửi tệp quá chậm.", "The file came too slowly.") from None
