"""A day that is over: declared headcounts against people who scanned at staff entrances.

What leaves ClickHouse is a number for each site; what leaves here are groups. Today is not asked
for: two looks an hour apart would say who came late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from console.staff.groups import Group, Total, Unit, grouped, seen_from, total
from console.store.engine import Store
from console.store.headcounts import Declared, declared_on
from issuer.units import contains, wards_in
from issuer.units import ward as unit_of
from schemas.clock import LOCAL, local_midnight
from schemas.errors import UserError
from streams.clickhouse import ClickHouse
from tracer.queries import retained_from

STAFF_ENTRANCE: Final = "staff_entrance"
_AT_ONCE: Final = 3_000  # entrances of one query, their numbers in its text

_QUERY: Final = """
SELECT transform(place, [{places}], [{sites}], 0) AS site, uniqExact(person)
FROM scans
WHERE place IN ({places})
  AND scanned_at >= fromUnixTimestamp64Milli({{begin:Int64}}, 'UTC')
  AND scanned_at < fromUnixTimestamp64Milli({{end:Int64}}, 'UTC')
GROUP BY site SETTINGS max_execution_time = 10
"""


@dataclass(frozen=True)
class StaffDay:
    """Groups of an area on a day. `left_out`: units under ten even with others; `no_entrance`:
    units that declare people and have no staff entrance, so that nothing is counted of them."""

    day: date
    area: str
    groups: list[Group]
    total: Total
    left_out: int
    no_entrance: int


def staff_day(
    store: Store,
    clickhouse: ClickHouse,
    day: date,
    area: str,
    sector: str | None,
    *,
    retention_days: int,
    now: datetime,
) -> StaffDay:
    """The groups of an area and a sector. Raises UserError for a day that is not over or whose
    scans are no longer kept, Retryable."""
    _must_be_over(day, retention_days, now)
    known = [one for one in declared_on(store, day, STAFF_ENTRANCE) if _placed(one)]
    cities = {ward.province_code for ward in wards_in(area)}
    near = [one for one in known if unit_of(one.ward).province_code in cities]
    counted = _counted(clickhouse, [one for one in near if one.entrances], day)
    units = [
        Unit(one.site, one.ward, one.sector, one.headcount, counted.get(one.site, 0))
        for one in near
        if one.entrances
    ]
    groups, left = grouped(units)
    seen = seen_from(groups, area, sector)
    asked = [o for o in near if contains(area, o.ward) and sector in (None, o.sector)]
    sites = {one.site for one in left}
    return StaffDay(
        day,
        area,
        seen,
        total(seen),
        sum(1 for one in asked if one.site in sites),
        sum(1 for one in asked if not one.entrances),
    )


def _must_be_over(day: date, retention_days: int, now: datetime) -> None:
    if day >= now.astimezone(LOCAL).date():
        raise UserError(
            "date: chỉ xem được ngày đã qua. / date: only days that are over can be seen."
        )
    kept = retained_from(now, retention_days)
    if kept is not None and local_midnight(day) < kept:
        raise UserError(
            f"date: lượt quét chỉ được giữ {retention_days} ngày. / "
            f"date: scans are kept for {retention_days} days only."
        )


def _counted(clickhouse: ClickHouse, units: Sequence[Declared], day: date) -> dict[int, int]:
    """Distinct persons at each site's staff entrances on the local day."""
    begin, end = local_midnight(day), local_midnight(day + timedelta(days=1))
    times = {"begin": int(begin.timestamp() * 1000), "end": int(end.timestamp() * 1000)}
    found: dict[int, int] = {}
    for part in _parts(units):
        doors = [(place, one.site) for one in part for place in one.entrances]
        text = _QUERY.format(
            places=", ".join(str(place) for place, _ in doors),
            sites=", ".join(str(site) for _, site in doors),
        )
        found |= {int(site): int(count) for site, count in clickhouse.rows(text, times)}
    return found


def _parts(units: Sequence[Declared]) -> Iterator[list[Declared]]:
    """So many entrances at once; those of a site stay together."""
    part: list[Declared] = []
    size = 0
    for one in units:
        part.append(one)
        size += len(one.entrances)
        if size >= _AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _placed(one: Declared) -> bool:
    try:
        unit_of(one.ward)
    except ValueError:
        return False
    return True
