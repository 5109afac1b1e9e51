"""A scan's fields as one value of fixed length, which is one block to read instead of five."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FIELDS: Final = ("scanned_at", "kafka_offset", "place", "kafka_partition", "direction")
# As `schemas/clickhouse/0010_packed.sql` joins them; `scanned_at` in milliseconds UTC.
LAYOUT: Final = np.dtype(list(zip(FIELDS, ("<i8", "<u8", "<u4", "<u2", "i1"), strict=True)))


def unpacked(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """The fields of each value, in an array of `LAYOUT`. Raises ValueError at another length."""
    chunks = [np.empty(0, LAYOUT), *map(_fields, column.chunks)]
    return np.concatenate(chunks)


def _fields(chunk: pa.Array) -> npt.NDArray[Any]:
    width = chunk.type.byte_width
    if width != LAYOUT.itemsize:
        raise ValueError(f"a packed scan has {LAYOUT.itemsize} bytes, not {width}")
    [_, values] = chunk.buffers()
    return np.frombuffer(values, LAYOUT, len(chunk), chunk.offset * width)
