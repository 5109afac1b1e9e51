"""A step on its way in: what the system sees at a check, then the step recorded.

The code is judged, and scans are counted, by when the check was made: an old poster that was
current that morning stays so when the phone sends in the evening.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from console.inspections.steps import Checked, Decided, Ordered, Seen, Step
from console.store import sites
from console.store.engine import Store
from console.store.inspections import Guard, Inspection, anybody, record, recorded_in
from issuer.codes import BadToken
from issuer.delivered import read_text
from issuer.keyring import KeyRing
from issuer.standing import Standing, standing_of
from schemas.clock import LOCAL
from schemas.errors import Fatal, Retryable, UserError
from schemas.scan import FUTURE_SKEW_SECONDS
from schemas.settings import Settings
from streams.clickhouse import ClickHouse

SCANS_OVER: Final = timedelta(days=7)
OLDEST: Final = timedelta(days=366)
_SCANS: Final = """
SELECT uniqExact(person, event_id) FROM scans
WHERE place = {place:UInt32}
  AND scanned_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND scanned_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
SETTINGS max_execution_time = 3
"""


def check_moment(occurred_at: datetime, now: datetime) -> None:
    """Raises UserError for a step in the future or older than a year: a clock that is wrong."""
    if occurred_at > now + timedelta(seconds=FUTURE_SKEW_SECONDS):
        raise UserError(
            "occurred_at: ở tương lai; đồng hồ của máy có đúng không? / "
            "occurred_at: is in the future; is the clock right?"
        )
    if occurred_at < now - OLDEST:
        raise UserError(
            "occurred_at: đã hơn một năm; đồng hồ của máy có đúng không? / "
            "occurred_at: is more than a year ago; is the clock right?"
        )


def check_days(step: Step) -> None:
    """Raises UserError for a day to mend by that was over when it was said."""
    match step.content:
        case Ordered(by=day) | Decided(until=date() as day):
            if day < step.occurred_at.astimezone(LOCAL).date():
                raise UserError(
                    f"Hạn {day:%d/%m/%Y} đã qua khi bước này được ghi. / "
                    f"The day {day} was over when this happened."
                )


def take(
    store: Store,
    settings: Settings,
    clickhouse: ClickHouse,
    inspection: str,
    place: int,
    step: Step,
    *,
    now: datetime,
    by: str,
    guard: Guard = anybody,
) -> Inspection:
    """Record a step of this place's inspection. Raises UserError, and as `record` does."""
    check_moment(step.occurred_at, now)
    check_days(step)
    content = step.content
    if isinstance(content, Checked) and recorded_in(store, step.event_id) is None:
        seen = seen_at(store, settings, content, place, step.occurred_at)
        scans = scans_before(clickhouse, place, step.occurred_at, now, settings.retention_days)
        step = replace(step, seen=replace(seen, scans=scans))
    return record(store, inspection, place, step, by=by, guard=guard)


def seen_at(store: Store, settings: Settings, check: Checked, place: int, at: datetime) -> Seen:
    """What the scanned code was at that moment; nothing without a scan, or without our keys."""
    if check.scanned is None:
        return Seen()
    try:
        ring = KeyRing.parse(settings.code_keys.get_secret_value())
    except ValueError:
        return Seen()
    try:
        reading = read_text(ring, check.scanned)
    except BadToken:
        return Seen(Standing.UNREADABLE, here=False)
    number = reading.fields.place
    standing = standing_of(reading, sites.place(store, number), settings.code_origin, at)
    here = reading.ours and number == place
    return Seen(standing, here, reading.fields.version if here else None)


def scans_before(
    clickhouse: ClickHouse, place: int, at: datetime, now: datetime, retention_days: int
) -> int | None:
    """Scans of the place in the seven days before; None if ClickHouse is away, or they are gone."""
    since = at - SCANS_OVER
    if retention_days and since < now - timedelta(days=retention_days):
        return None
    what = {
        "place": place,
        "since": int(since.timestamp() * 1000),
        "until": int(at.timestamp() * 1000),
    }
    try:
        rows = clickhouse.rows(_SCANS, what)
    except (Retryable, Fatal):
        return None
    return int(rows[0][0]) if rows else None
