"""What a day's report says: put together once, then set as a page, a workbook or a text.

Nothing of a case is in it, and nothing is ranked: parts stand in the order of their names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from console.coverage.funnel import Asked, By, Line
from console.coverage.stages import STAGES, Stage
from console.reminders.desk import Desk
from console.reminders.effect import Effect
from console.reports.days import two_days
from console.reports.inspections import Inspections, inspections_of
from console.store.engine import utc_now
from console.store.reminder_ends import items_since
from console.store.required_reading import ListStanding, lists
from issuer.kinds import kinds
from issuer.units import ward as unit_of
from issuer.walk import fold
from schemas.clock import LOCAL
from schemas.errors import UserError

HELPED_DAYS: Final = 7
_SATURDAY: Final = 5
# what an area is shown by: a district by its wards
_SPLIT: Final = {"*": "city", "city": "district", "district": "ward"}


@dataclass(frozen=True)
class Part:
    """A district, a ward or a kind of the area: its name in both languages, its line."""

    vi: str
    en: str
    line: Line


@dataclass(frozen=True)
class Reminded:
    """Places told on the day; and of the last ninety days, those told and those that caught up in
    a week. None of it is said of a sector: a place is told whatever its sector."""

    today: int
    told: int
    in_time: int
    decided: int


@dataclass(frozen=True)
class Daily:
    """A day's report. `free_days`: Saturdays and Sundays among the days in which a scan counts."""

    asked: Asked
    day: date
    at: datetime
    scanned_days: int
    inspected_days: int
    free_days: int
    whole: Line
    before: Line | None
    by: str
    parts: list[Part]
    lists: list[ListStanding]
    inspections: Inspections
    reminded: Reminded | None

    @property
    def silent(self) -> int:
        """Places with a code and no scan in the days that count."""
        reached = self.whole.stages
        return max(0, reached[Stage.CODE].places - reached[Stage.SCANNED].places)


def daily(desk: Desk, asked: Asked, day: date | None = None) -> Daily:
    """The report of an area (and a sector) on a day, else today. Raises UserError, Retryable."""
    today = utc_now().astimezone(LOCAL).date()
    day = day or today
    if day > today:
        raise UserError("date: ngày chưa đến. / date: it is a day to come.")
    whole = two_days(desk.clickhouse, asked, day, None)
    split = By.KIND if asked.area.startswith("ward/") else By.WARD
    lines = two_days(desk.clickhouse, asked, day, split).lines
    by, parts = _parts(asked.area, lines)
    scanned = desk.within.scanned_days
    return Daily(
        asked=asked,
        day=day,
        at=whole.at,
        scanned_days=scanned,
        inspected_days=desk.within.inspected_days,
        free_days=sum(
            1 for n in range(scanned) if (day - timedelta(days=n)).weekday() >= _SATURDAY
        ),
        whole=whole.lines[""],
        before=whole.before.get(""),
        by=by,
        parts=parts,
        lists=[one for one in lists(desk.store) if not one.list.withdrawn],
        inspections=inspections_of(desk.store, asked, day),
        reminded=_reminded(desk, asked.area, day) if asked.sector is None else None,
    )


def _reminded(desk: Desk, area: str, day: date) -> Reminded:
    effects: list[Effect] = desk.effect(area, HELPED_DAYS)
    begin = datetime.combine(day, datetime.min.time(), LOCAL)
    end = begin + timedelta(days=1)
    today = [one for one in items_since(desk.store, area, begin) if one.since < end]
    return Reminded(
        len(today),
        sum(one.told for one in effects),
        sum(one.in_time for one in effects),
        sum(one.in_time + one.later + one.not_yet for one in effects),
    )


def _parts(area: str, lines: Mapping[str, Line]) -> tuple[str, list[Part]]:
    """Of a ward its kinds, of a district its wards, of a city its districts, of all its cities."""
    if area.startswith("ward/"):
        named = [(*_kind(key), line) for key, line in lines.items()]
        return "kind", [Part(*one) for one in sorted(named, key=lambda one: fold(one[0]))]
    found: dict[tuple[str, str], list[Line]] = {}
    by = _SPLIT[area.partition("/")[0]]
    for key, line in lines.items():
        found.setdefault(_unit(key, by), []).append(line)
    if by == "district" and all(code in lines for _, code in found):
        by = "ward"  # a city of two levels has no districts
    merged = [(name, added(some)) for (name, _), some in found.items()]
    return by, [Part(name, name, line) for name, line in sorted(merged, key=_folded)]


def _unit(code: str, by: str) -> tuple[str, str]:
    """Name and code of the unit that a ward's line is added to."""
    try:
        ward = unit_of(code)
    except ValueError:
        return code, code
    if by == "city":
        return ward.province_name, ward.province_code
    if by == "district" and ward.district_code:
        return ward.district_name, ward.district_code
    return ward.name, ward.code


def added(lines: Iterable[Line]) -> Line:
    """The lines of disjoint parts as one."""
    lines = list(lines)
    stages = {
        stage: type(lines[0].stages[stage])(
            sum(line.stages[stage].sites for line in lines),
            sum(line.stages[stage].required for line in lines),
            sum(line.stages[stage].places for line in lines),
        )
        for stage in STAGES
    }
    return Line((), sum(line.required for line in lines), stages, sum(line.scans for line in lines))


def _folded(one: tuple[str, object]) -> str:
    return fold(one[0])


def _kind(key: str) -> tuple[str, str]:
    about = kinds().get(key)
    return (about.name.vi, about.name.en) if about else (key, key)
