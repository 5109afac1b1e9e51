"""Spans of time as people type them: `14d`, `12h`, `30m`, `0d`."""

import re
from datetime import timedelta
from typing import Final

from schemas.errors import UserError

_SPAN = re.compile(r"(\d{1,5})([dhm])", re.ASCII)
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


def span_of(option: str, text: str) -> timedelta:
    """The span. Raises UserError that names the option."""
    found = _SPAN.fullmatch(text.strip().lower())
    if not found:
        raise UserError(
            f"{option}: {text!r} không phải khoảng thời gian như 14d, 12h, 30m. / "
            f"{option}: {text!r} is not a span such as 14d, 12h, 30m."
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
