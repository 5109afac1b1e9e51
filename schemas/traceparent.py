"""The W3C trace context in one header: how a scan or a case is followed between processes.

Source: W3C Trace Context, section 3.2, version 00. Only a context whose trace is sampled counts:
any other says that nobody follows.
"""

import re
from collections.abc import Iterable
from typing import Final

NAME: Final = "traceparent"
PATTERN: Final = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
_FORM: Final = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def followed(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    """The context among a record's headers; None where there is none, or one of another form."""
    for name, value in headers:
        if name == NAME:
            followed = value and _FORM.fullmatch(value) and int(value[-2:], 16) & 1
            return value.decode() if value and followed else None
    return None


def context_of(trace: int, span: int) -> str:
    """The context of a span of a sampled trace."""
    return f"00-{trace:032x}-{span:016x}-01"


def ids_of(context: str) -> tuple[int, int]:
    """The trace's and the span's id."""
    return int(context[3:35], 16), int(context[36:52], 16)


def trace_id(context: str) -> str:
    """The trace's id, 32 hexadecimal digits."""
    return context[3:35]
