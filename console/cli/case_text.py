"""The times that people type and read."""

from datetime import datetime
from typing import Any

from schemas.clock import LOCAL, local_text
from schemas.errors import UserError
from schemas.scan import format_timestamp


def moment(option: str, text: str | None) -> str | None:
    """As the API wants it. Raises UserError."""
    if text is None:
        return None
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
        if not set(text.upper()) & {"T", " "}:  # of a day alone, midnight is most likely not meant
            raise ValueError
        return format_timestamp(moment if moment.tzinfo else moment.replace(tzinfo=LOCAL))
    except (ValueError, OverflowError):
        raise UserError(
            f"{option}: thời điểm viết như 2026-11-20T08:30. / "
            f"{option}: {text!r} is not a time such as 2026-11-20T08:30."
        ) from None


def point_of(option: str, text: str) -> dict[str, Any]:
    """`PLACE,FROM,TO,SOURCE` as the API wants it. Raises UserError."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not (parts[0].isascii() and parts[0].isdigit()):
        raise UserError(
            f"{option} {text!r}: cần PLACE,FROM,TO,SOURCE. / {option} {text!r} is not "
            "PLACE,FROM,TO,SOURCE, such as 42,2026-11-20T08:00,2026-11-20T09:30,interview."
        )
    place, begin, end, source = parts
    times = {"begin": moment(option, begin), "end": moment(option, end)}
    return {"place": int(place), "source": source} | times


def day(text: str | None) -> str:
    """`DD/MM/YYYY`, or nothing."""
    return f"{datetime.fromisoformat(text):%d/%m/%Y}" if text else ""


def local(text: str | None) -> str:
    """A time in Asia/Ho_Chi_Minh, or nothing."""
    return local_text(datetime.fromisoformat(text)) if text else ""
