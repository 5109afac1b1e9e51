"""The times of anyone's check-ins, to milliseconds since 1970 UTC.

Accepted: ISO 8601 with or without a zone (also with a blank for the T), seconds, milliseconds,
microseconds or nanoseconds since 1970, `YYYYMMDDHHMMSS`, and `Tue Apr 03 18:00:09 +0000 2012` as
Foursquare writes it. A form that can be read in two ways (03/04/2012) is refused unless a format
is given. A day without a time of day is no check-in.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
# A timestamp of 9 to 11 digits is in seconds (1973 to 5138), then milli-, micro-, nanoseconds.
_UNITS: Final = {9: 1000, 10: 1000, 11: 1000, 12: 1, 13: 1, 14: 1, 15: 1e-3, 16: 1e-3, 17: 1e-3}
_NANO: Final = {18: 1e-6, 19: 1e-6}
_NUMBER: Final = re.compile(r"(\d{9,19})(\.\d*)?", re.ASCII)
_COMPACT: Final = re.compile(r"(?:19|20)\d{12}", re.ASCII)
_TO_MINUTES: Final = re.compile(  # YYYYMMDDHHMM, or a moment of 1976
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:\.0*)?",
    re.ASCII,
)
_DAY_ONLY: Final = re.compile(r"[\dW-]{4,10}", re.ASCII)
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_FOURSQUARE: Final = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)"
    r"(?: ([+-]\d{4}|UTC|GMT))? (\d{4})",
    re.ASCII,
)

ParseTime = Callable[[object], int]


_OUTSIDE: Final = "ngoài lịch / outside the calendar"


def time_parser(zone: tzinfo, form: str | None = None) -> ParseTime:
    """A function from a cell to milliseconds; it raises ValueError, saying why.

    `zone` is for times without one; `form` is strptime's and then the only one for text.
    """

    def parse(value: object) -> int:
        if isinstance(value, datetime):
            return _milliseconds(value, zone)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(
                f"{type(value).__name__} không phải thời điểm / {type(value).__name__} is no time"
            )
        text = value.strip() if isinstance(value, str) else repr(value)
        if form is not None and not isinstance(value, float):
            return _milliseconds(_of_form(text, form), zone)
        return _parse(text, zone)

    return parse


def _of_form(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 (the zone comes after)
    except ValueError:
        raise ValueError(f"không theo dạng {form} / not as {form}") from None


def _parse(text: str, zone: tzinfo) -> int:
    if _COMPACT.fullmatch(text):
        return _milliseconds(datetime.strptime(text, "%Y%m%d%H%M%S"), zone)  # noqa: DTZ007
    if _TO_MINUTES.fullmatch(text):
        raise ValueError(
            "đến phút hay mili giây? hãy nêu dạng / minutes or milliseconds? give the format"
        )
    if number := _NUMBER.fullmatch(text):
        return _of_number(number[1], number[2] or "")
    if found := _FOURSQUARE.fullmatch(text):
        return _milliseconds(_of_foursquare(found), zone)
    if _DAY_ONLY.fullmatch(text):
        raise ValueError("chỉ có ngày, thiếu giờ / a day without a time of day")
    try:
        return _milliseconds(datetime.fromisoformat(text), zone)
    except ValueError:
        raise ValueError("viết theo dạng chưa biết / not in a form that is known") from None


def _of_number(digits: str, fraction: str) -> int:
    length = len(digits.lstrip("0")) or 1
    unit = _UNITS.get(length) or _NANO.get(length)
    if unit is None:
        raise ValueError("số này không phải thời điểm từ 1970 / no time since 1970")
    if unit == 1000:
        return int(digits) * 1000 + int((fraction[1:] + "000")[:3])
    return int(digits) // round(1 / unit)


def _of_foursquare(found: re.Match[str]) -> datetime:
    name, day, hour, minute, second, zone, year = found.groups()
    if name not in _MONTHS:
        raise ValueError(f"không có tháng {name} / {name} is not a month")
    moment = datetime(int(year), _MONTHS[name], int(day), int(hour), int(minute), int(second))  # noqa: DTZ001
    if zone is None:
        return moment
    offset = timedelta(0)
    if zone[0] in "+-":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        offset = -offset if zone[0] == "-" else offset
    try:
        return (moment - offset).replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(_OUTSIDE) from None


def _milliseconds(moment: datetime, zone: tzinfo) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return (moment - _EPOCH) // _MS
    except OverflowError:
        raise ValueError(_OUTSIDE) from None


def moment_of(milliseconds: int) -> datetime:
    """Back to a datetime, UTC."""
    return _EPOCH + milliseconds * _MS
