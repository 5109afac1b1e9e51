"""Scans for tests, from the definition itself."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from streams.batch import RawBatch
from streams.texts import Texts

PERSON = "0123456789ABC"
TOKEN = "000001010000000000"
VALID: dict[str, Any] = {
    "event_id": "0193f6d0-7c1f-7000-8000-0123456789ab",
    "person": PERSON,
    "code": TOKEN,
    "direction": "in",
    "scanned_at": "2021-12-01T08:00:00.000Z",
    "method": "self",
    "producer": "sim",
    "device": "d-1",
}


def scan_json(**changes: Any) -> bytes:
    """A valid scan with some fields changed; a change to `...` leaves the field out."""
    scan = {k: v for k, v in (VALID | changes).items() if v is not ...}
    return json.dumps(scan, separators=(",", ":")).encode()


def raw_batch(
    values: Sequence[bytes | None],
    *,
    keys: Sequence[bytes | None] | None = None,
    first: int = 0,
    partition: int = 0,
    appended_ms: int = 1_638_345_600_000,  # 2021-12-01T08:00:00Z
) -> RawBatch:
    """A batch with consecutive offsets, all appended at the same time."""
    n = len(values)
    return RawBatch(
        partition,
        np.arange(first, first + n, dtype=np.int64),
        np.full(n, appended_ms, dtype=np.int64),
        Texts.of(list(keys) if keys is not None else [PERSON.encode()] * n),
        Texts.of(list(values)),
    )
