"""Arrow's columns and tables in one piece: some of many texts, or several batches' rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from streams.columns import I64
from streams.kernels.copying import copy_texts
from streams.texts import Texts


def gathered(texts: Texts, rows: I64, kept: I64 | None = None) -> pa.LargeBinaryArray:
    """These rows, of each the first `kept` bytes (all, if that is not said); a null becomes
    empty."""
    lengths = np.maximum(texts.lengths[rows] if kept is None else kept, 0)
    copied = pa.allocate_buffer(int(lengths.sum()))  # Arrow's pool has had these pages before
    if copied.size:
        copy_texts(texts.data, texts.begins[rows], lengths, np.frombuffer(copied, dtype=np.uint8))
    return _column(lengths, copied)


def joined(columns: Sequence[pa.LargeBinaryArray]) -> pa.LargeBinaryArray:
    """Gathered ones, one behind the other.

    By numpy, for which the kernel zeroes large pages: together they are more than anyone had
    before, and page by page that costs four times the copying.
    """
    parts = [column.buffers() for column in columns]
    lengths = [np.diff(np.frombuffer(offsets, dtype=np.int64)) for _, offsets, _ in parts]
    data = np.concatenate([np.frombuffer(part, dtype=np.uint8) for *_, part in parts])
    return _column(np.concatenate(lengths), pa.py_buffer(data))


def whole(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of the same columns as one in one piece: ClickHouse makes a part of each piece it is
    sent."""
    if len(tables) == 1:
        return tables[0]
    table = pa.concat_tables(tables).unify_dictionaries()
    for number, field in enumerate(table.schema):
        if field.type == pa.large_binary():
            table = table.set_column(number, field, joined(table.column(number).chunks))
    return table.combine_chunks()


def _column(lengths: I64, data: Any) -> pa.LargeBinaryArray:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return pa.Array.from_buffers(
        pa.large_binary(), len(lengths), [None, pa.py_buffer(offsets), data]
    )
