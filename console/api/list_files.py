"""A list of establishments as a request's body: its file's name, its size, its time."""

import re
from pathlib import Path
from typing import Final

from fastapi import Request

from console.api.bodies import bounded
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
    """The body into a file of its own. Raises ApiError: 408, 413, which names the command."""
    most = MOST_BYTES >> 20
    too_large = (
        f"Tệp tối đa {most} MiB: hãy tách ra, hoặc nhập trên máy chủ bằng {command}.",
        f"At most {most} MiB: split it, or import it on the server with {command}.",
    )
    with path.open("wb") as out:
        async for part in bounded(request, MOST_BYTES, _WHOLE_BODY_S, too_large):
            out.write(part)
