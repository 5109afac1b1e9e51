"""Opening days: a place that was shut all week has no scans, and that is nobody's fault."""

from datetime import date, datetime, timedelta
from typing import Final

from issuer.kinds import kinds
from schemas.clock import LOCAL

_SATURDAY: Final = 5


def opening_days(kind: str, until: datetime, days: int, since: datetime | None = None) -> int:
    """On how many of the last local days (today is one) a site of this kind is usually open;
    days before `since`, its first code, are not counted. Holidays are not known."""
    today = until.astimezone(LOCAL).date()
    first = since.astimezone(LOCAL).date() if since else date.min
    about = kinds().get(kind)
    workdays = about is not None and about.workdays
    return sum(
        1
        for day in (today - timedelta(days=n) for n in range(days))
        if day >= first and not (workdays and day.weekday() >= _SATURDAY)
    )
