"""A scan by itself, where a benchmark publishes one at a time."""

import uuid
from datetime import datetime
from typing import Any

import orjson

from bench.load_city import PRODUCER
from schemas.scan import format_timestamp


def one_scan(person: str, token: str, moment: datetime) -> bytes:
    """Somebody scans in by this code at that moment."""
    scan: dict[str, Any] = {
        "event_id": str(uuid.uuid4()),
        "person": person,
        "code": token,
        "direction": "in",
        "method": "self",
        "producer": PRODUCER,
        "device": "bench",
        "scanned_at": format_timestamp(moment),
    }
    return orjson.dumps(scan)
