"""Who is behind, and which of what was said has ended: asked of coverage and of the lists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select

from console.coverage.behind import behind, lacking
from console.coverage.funnel import Asked, newest
from console.coverage.stages import Stage, Within
from console.reminders.plan import MOST, Lagging
from console.reminders.texts import Reason
from console.store import postings, tables
from console.store.engine import Store
from console.store.reminder_ends import End, Ended, Item
from console.store.required_reading import unregistered
from issuer.units import UNKNOWN_WARD, ward_codes
from schemas.errors import UserError
from streams.clickhouse import ClickHouse

GRACE: Final = timedelta(days=2)  # a code younger than this is nobody's neglect
_AT_ONCE: Final = 2_000  # places of one query, their numbers in its text


@dataclass(frozen=True)
class Look:
    """Who is behind, as of the round or (of lists) of now. `too_new`: left out, because their code
    is younger than `GRACE`, or than the days in which there should be a scan."""

    as_of: datetime
    lagging: list[Lagging]
    too_new: int


def look(
    store: Store,
    clickhouse: ClickHouse,
    asked: Asked,
    reason: Reason,
    within: Within,
    now: datetime,
) -> Look:
    """Who is behind in the area. Raises UserError if they are more than `MOST`, Retryable."""
    if reason is Reason.REGISTERED:
        return _unregistered(store, asked, now)
    at, found = behind(
        clickhouse,
        asked,
        Stage(reason.value),
        within,
        limit=MOST + 1,
    )
    _must_fit(len(found))
    grace = timedelta(days=within.scanned_days) if reason is Reason.SCANNED else GRACE
    places = [one for one in found if one.place and one.ward != UNKNOWN_WARD]
    old = [one for one in places if one.since is None or one.since <= at - grace]
    lagging = [Lagging(f"place/{o.place}", f"site/{o.site}", o.ward) for o in old]
    return Look(at, lagging, len(places) - len(old))


def _unregistered(store: Store, asked: Asked, now: datetime) -> Look:
    found = unregistered(
        store, ward_codes(asked.area), limit=MOST + 1, sector=asked.sector, kind=asked.kind
    )
    _must_fit(len(found))
    keys = [(f"required/{one.list}/{one.entry}", one.ward) for one in found]
    return Look(now, [Lagging(key, key, ward) for key, ward in keys], 0)


def _must_fit(count: int) -> None:
    if count > MOST:
        raise UserError(
            f"Hơn {MOST} điểm chưa đạt: hãy chọn từng phường, loại hình hoặc ngành. / "
            f"More than {MOST} are behind: name a ward, a kind or a sector."
        )


def ended(
    store: Store, clickhouse: ClickHouse, items: Iterable[Item], within: Within, now: datetime
) -> list[End]:
    """Which of these have caught up, and when, or are closed. Raises Retryable."""
    by_reason: dict[Reason, list[Item]] = {}
    for item in items:
        by_reason.setdefault(item.reason, []).append(item)
    ends: list[End] = []
    for reason, some in by_reason.items():
        for begin in range(0, len(some), _AT_ONCE):
            part = some[begin : begin + _AT_ONCE]
            if reason is Reason.REGISTERED:
                ends += _registered(store, part, now)
            else:
                ends += _caught_up(store, clickhouse, reason, part, within, now)
    return ends


def behind_still(
    store: Store, clickhouse: ClickHouse, reason: Reason, subjects: Sequence[str], within: Within
) -> set[str]:
    """Which of these are behind now. Raises Retryable."""
    if reason is Reason.REGISTERED:
        return {s for s, site, gone in _entries(store, subjects) if site is None and not gone}
    standing: dict[int, bool] = {}
    for begin in range(0, len(subjects), _AT_ONCE):
        numbers = [_number(subject) for subject in subjects[begin : begin + _AT_ONCE]]
        standing |= _standing(clickhouse, reason, numbers, within)
    return {f"place/{place}" for place, is_behind in standing.items() if is_behind}


def _caught_up(
    store: Store,
    clickhouse: ClickHouse,
    reason: Reason,
    items: Sequence[Item],
    within: Within,
    now: datetime,
) -> list[End]:
    at = newest(clickhouse)
    looked_at = [item for item in items if item.since < at]  # else the round knows nothing of it
    numbers = sorted({_number(item.subject) for item in looked_at})
    if not numbers:
        return []
    standing = _standing(clickhouse, reason, numbers, within)
    ends = [End(i, now, Ended.CLOSED) for i in looked_at if _number(i.subject) not in standing]
    done = [i for i in looked_at if standing.get(_number(i.subject)) is False]
    times = _times(store, clickhouse, reason, done)
    return ends + [
        End(i, t if (t := times.get(_number(i.subject))) and t >= i.since else at, Ended.REACHED)
        for i in done
    ]


def _standing(
    clickhouse: ClickHouse, reason: Reason, numbers: Sequence[int], within: Within
) -> dict[int, bool]:
    """Whether each place is behind; one whose code is not in force is (it has not caught up), one
    that is closed is left out."""
    behind_now = lacking(Stage(reason.value), within)
    rows = clickhouse.rows(
        f"SELECT place, NOT code OR ({behind_now}) FROM coverage "  # noqa: S608 (own values)
        f"WHERE round = (SELECT max(round) FROM coverage_rounds) "
        f"AND place IN ({', '.join(map(str, numbers))}) SETTINGS max_execution_time = 10"
    )
    return {int(place): bool(is_behind) for place, is_behind in rows}


def _times(
    store: Store, clickhouse: ClickHouse, reason: Reason, items: Sequence[Item]
) -> dict[int, datetime]:
    """When each place caught up: the fact's own time, or its first scan since it was told."""
    since = {_number(item.subject): item.since for item in items}
    if not since:
        return {}
    if reason is not Reason.SCANNED:
        with store.read() as connection:
            known = postings.postings(connection, list(since))
        times = {place: getattr(posting, f"{reason.value}_at") for place, posting in known.items()}
        return {place: at for place, at in times.items() if at is not None}
    places = ", ".join(map(str, since))
    told = ", ".join(str(int(at.timestamp() * 1000)) for at in since.values())
    rows = clickhouse.rows(
        f"""
SELECT place, toUnixTimestamp64Milli(min(scanned_at)) FROM scans
WHERE place IN ({places}) AND scanned_at >= fromUnixTimestamp64Milli({{earliest:Int64}}, 'UTC')
  AND toUnixTimestamp64Milli(scanned_at) >= transform(place, [{places}], [{told}], toInt64(0))
GROUP BY place SETTINGS max_execution_time = 10
""",  # noqa: S608 (own values)
        {"earliest": int(min(since.values()).timestamp() * 1000)},
    )
    return {int(place): datetime.fromtimestamp(int(ms) / 1000, UTC) for place, ms in rows}


def _registered(store: Store, items: Sequence[Item], now: datetime) -> list[End]:
    known = {s: (site, gone) for s, site, gone in _entries(store, [i.subject for i in items])}
    ends = []
    for item in items:
        site, gone = known.get(item.subject, (None, True))
        if site is not None or gone:
            ends.append(End(item, now, Ended.CLOSED if site is None else Ended.REACHED))
    return ends


def _entries(store: Store, subjects: Sequence[str]) -> list[tuple[str, int | None, bool]]:
    """Subject, the site registered for it, and whether it no longer counts."""
    r, listed = tables.required.c, tables.required_lists.c
    query = select(r.list, r.entry, r.site, r.exempt_reason, listed.withdrawn)
    query = query.join(tables.required_lists, listed.id == r.list)
    found = []
    with store.read() as connection:
        for subject in subjects:
            _, list_id, entry = subject.split("/", 2)
            row = connection.execute(query.where(r.list == list_id, r.entry == entry)).first()
            if row is not None:
                gone = row.exempt_reason is not None or row.withdrawn
                found.append((subject, row.site, gone))
    return found


def _number(subject: str) -> int:
    return int(subject.removeprefix("place/"))
