"""Scans as programs write them, read by a compiled loop (`streams.kernels.scans`)."""

import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from schemas.scan import (
    MAX_CODE,
    MAX_COMPANIONS,
    MAX_DEVICE,
    MAX_NOTE,
    PRODUCER_PATTERN,
    Direction,
    Method,
)
from streams.batch import Scans
from streams.columns import BASE32, HEXADECIMAL, I64, Bytes
from streams.kernels import scans as kernel
from streams.kernels.copying import copy_texts
from streams.texts import Texts

_NUMBERS: Final = {"companions"}
_MOST: Final = {"code": MAX_CODE, "device": MAX_DEVICE, "trip": MAX_NOTE, "seat": MAX_NOTE}
_SHORT: Final = 64  # other texts are one of a few words


def read_fast(values: Texts) -> tuple[Scans | None, I64]:
    """Columns of the values that could be read so, and the rows of all others."""
    n, data = len(values), values.data
    found = kernel.room(n)
    count = kernel.read(data, values.begins, values.lengths, _GRAMMAR, _SALT, found)
    begins, lengths = found.producers[:, :count]
    producers = tuple(_texts(data, begins, lengths).to_pylist())
    named = np.array([_is_name(name) for name in producers or ("",)])
    good = found.good & named[found.producer]
    rows = np.arange(n, dtype=np.int64)
    kept: Any = slice(None) if good.all() else np.flatnonzero(good)
    if not len(rows[kept]):
        return None, rows
    texts = [_texts(data, begins[kept], lengths[kept]) for begins, lengths in found.spans]
    scans = Scans(
        rows[kept],
        found.event_hi[kept],
        found.event_lo[kept],
        found.person[kept],
        found.key[kept],
        found.code[kept],
        found.direction[kept],
        found.method[kept],
        found.scanned[kept],
        found.recorded[kept],
        found.companions[kept],
        found.producer[kept],
        producers,
        *texts,
    )
    return scans, np.flatnonzero(~good)


@lru_cache(maxsize=16_384)  # the same thousands are in every batch
def _is_name(text: str) -> bool:
    return _PRODUCER.match(text) is not None


def _texts(data: Bytes, begins: I64, lengths: I64) -> pa.StringArray:
    offsets = np.zeros(len(begins) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    texts = np.empty(offsets[-1], dtype=np.uint8)
    if len(texts):
        copy_texts(data, begins, lengths, texts)
    return pa.StringArray.from_buffers(len(begins), pa.py_buffer(offsets), pa.py_buffer(texts))


def _words(words: Sequence[str]) -> tuple[Bytes, I64]:
    """Words as a matrix of bytes, and their lengths."""
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    matrix = np.zeros((len(words), int(lengths.max())), dtype=np.uint8)
    for row, word in enumerate(words):
        matrix[row, : len(word)] = np.frombuffer(word.encode("ascii"), dtype=np.uint8)
    return matrix, lengths


_GRAMMAR: Final = kernel.Grammar(
    *_words([f'"{name}":' + '"' * (name not in _NUMBERS) for name in kernel.FIELDS]),
    np.array([_MOST.get(name, _SHORT) for name in kernel.FIELDS], np.int64),
    *_words([direction.value for direction in Direction]),
    *_words([method.value for method in Method]),
    HEXADECIMAL,
    BASE32,
    MAX_COMPANIONS,
)
_SALT: Final = np.uint64(secrets.randbits(64))
_PRODUCER: Final = re.compile(PRODUCER_PATTERN + r"\Z")
