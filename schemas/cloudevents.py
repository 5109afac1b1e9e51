"""CloudEvents 1.0 in Kafka binary mode: attributes in headers `ce_*`, the data as the value.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from schemas.scan import format_timestamp

ALERT_PREFIX: Final = "vn.truyvet.alert."
CASE_PREFIX: Final = "vn.truyvet.case."
NOTICE_PREFIX: Final = "vn.truyvet.notice."


def headers(event_id: str, source: str, event_type: str, time: datetime) -> list[tuple[str, bytes]]:
    """The headers of one event."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", event_type.encode()),
        ("ce_time", format_timestamp(time).encode()),
        ("content-type", b"application/json"),
    ]


def attributes(record_headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The CloudEvents attributes among a record's headers, without their prefix. A header that
    has no value, as Kafka allows, is none."""
    return {
        name.removeprefix("ce_"): value.decode("utf-8", "replace")
        for name, value in record_headers
        if name.startswith("ce_") and value is not None
    }
