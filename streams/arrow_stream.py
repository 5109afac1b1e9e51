"""A table as an Arrow stream in pieces: its large buffers are sent as they lie, not copied."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

_PIECE: Final = 256 * 1024
_LARGE: Final = 64 * 1024  # less is joined to what comes before and after it


def arrow_stream(table: pa.Table) -> Iterator[memoryview]:
    """The stream's bytes, at most a quarter of a mebibyte at a time."""
    written = _Written()
    with pa.ipc.new_stream(written, table.schema) as stream:
        stream.write_table(table)
    for part in written.parts():
        for begin in range(0, len(part), _PIECE):
            yield part[begin : begin + _PIECE]


class _Written:
    """A file, as far as Arrow's writer needs one: it gives buffers, and bytes between them."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes | pa.Buffer] = []

    def write(self, data: bytes | pa.Buffer) -> int:
        """Keep it."""
        self._parts.append(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def parts(self) -> Iterator[memoryview]:
        """All that was written, in few parts."""
        small: list[bytes | pa.Buffer] = []
        for part in self._parts:
            if len(part) < _LARGE:
                small.append(part)
                continue
            yield memoryview(b"".join(small))
            small.clear()
            yield memoryview(part)
        yield memoryview(b"".join(small))
