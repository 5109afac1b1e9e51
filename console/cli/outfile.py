"""A file that a command writes: not over another unless asked to, and there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from schemas.errors import UserError

Replace = Annotated[bool, typer.Option("--replace", help="Ghi đè tệp đã có. / Write over a file.")]


def check_out(out: Path, replace: bool) -> None:
    """Raises UserError if the file is there already, or its folder is not."""
    if out.exists() and not replace:
        raise UserError(f"{out} đã có: thêm --replace. / {out} is there already: add --replace.")
    if not out.parent.is_dir():
        raise UserError(f"Không có thư mục {out.parent}. / There is no directory {out.parent}.")


@contextmanager
def whole_file(out: Path) -> Iterator[IO[bytes]]:
    """Written beside its place under another name, and moved there when the block has ended.

    Only its owner can read it: what it holds may not be for everybody on the machine.
    """
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def write_whole(out: Path, content: bytes) -> None:
    """These bytes, all of them or none."""
    with whole_file(out) as file:
        file.write(content)
