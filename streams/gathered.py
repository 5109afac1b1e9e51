"""Some of many texts as a column of Arrow's, copied out of the bytes they lie in."""

import numpy as np
import pyarrow as pa

from streams.columns import I64
from streams.kernels.copying import copy_texts
from streams.texts import Texts


def gathered(texts: Texts, rows: I64) -> pa.LargeBinaryArray:
    """These rows; a null becomes empty."""
    lengths = np.maximum(texts.lengths[rows], 0)
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    copied = pa.allocate_buffer(int(offsets[-1]))  # Arrow's pool has had these pages before
    if copied.size:
        out = np.frombuffer(copied, dtype=np.uint8)
        copy_texts(texts.data, texts.begins[rows], lengths, out)
    buffers = [None, pa.py_buffer(offsets), copied]
    return pa.Array.from_buffers(pa.large_binary(), len(rows), buffers)
