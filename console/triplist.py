"""A timetable as operators have it, row by row: which vehicle, which trip, from when to when."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from console.sitelist.columns import cells_of, find_columns
from console.sitelist.plain import holds, plain
from console.sitelist.sheet import Row
from issuer.trips import TripError, check_same, check_trip, trip_name
from schemas.clock import LOCAL
from schemas.errors import UserError
from schemas.places import Trip
from schemas.scan import NOTE_PATTERN

_HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "vehicle": ("xe", "phuong tien", "bien so", "bien so xe", "vehicle", "place", "diem quet"),
    "trip": ("chuyen", "ma chuyen", "so chuyen", "trip"),
    "day": ("ngay", "ngay di", "day", "date"),
    "departs": ("gio di", "khoi hanh", "gio khoi hanh", "xuat ben", "departs", "departs at"),
    "arrives": ("gio den", "den noi", "gio den noi", "arrives", "arrives at"),
}
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])(?:h|:|g)([0-5]\d)?(?::[0-5]\d)?", re.ASCII)


@dataclass(frozen=True)
class RefusedRow:
    """One row that cannot be a trip, and why."""

    row: int
    vi: str
    en: str


@dataclass
class Timetable:
    """What a list says: trips by the number of their vehicle, and the rows that are refused."""

    trips: dict[int, list[Trip]] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many trips."""
        return sum(map(len, self.trips.values()))


def read_timetable(
    rows: Sequence[Row],
    names: Mapping[str, Sequence[int]],
    planned: Callable[[int], Sequence[Trip]] = lambda _place: (),
    *,
    now: datetime,
    cut_off: datetime | None,
) -> Timetable:
    """`names`: the vehicles that can be meant, each name with its places' numbers; `planned`: the
    trips that a place has.

    Raises UserError if there is no heading with a vehicle, a departure and an arrival.
    """
    columns = find_columns(rows, _HEADINGS, {"vehicle", "departs", "arrives"})
    if columns is None:
        raise UserError(
            "Không tìm thấy dòng tiêu đề có các cột xe, giờ đi, giờ đến. / "
            "There is no heading with the columns vehicle, departs and arrives."
        )
    at, first = columns
    finder = _Vehicles(names)
    table = Timetable()
    seen: dict[tuple[int, str], Trip] = {}
    before: dict[int, dict[str, Trip]] = {}
    for row in rows[first:]:
        if row.empty:
            continue
        cell = cells_of(row, at)
        try:
            place = finder.find(cell["vehicle"])
            trip = _trip(cell)
            check_trip(trip, now, cut_off)
            if place not in before:
                before[place] = {known.id: known for known in planned(place)}
            check_same(trip, before[place].get(trip.id), cut_off)
            if seen.setdefault((place, trip.id), trip) != trip:
                raise TripError(
                    f"chuyến {trip.id} đã có với giờ khác", f"trip {trip.id} is there already"
                )
        except TripError as error:
            table.refused.append(RefusedRow(row.number, error.vi, error.en))
            continue
        table.trips.setdefault(place, []).append(trip)
    return table


class _Vehicles:
    def __init__(self, names: Mapping[str, Sequence[int]]) -> None:
        self._names = {plain(name): tuple(numbers) for name, numbers in names.items()}
        self._numbers = {number for numbers in names.values() for number in numbers}
        self._known: dict[str, tuple[int, ...]] = {}

    def find(self, text: str) -> int:
        """The vehicle a cell means: its number, its name, or a part of it such as the plate."""
        if text.isascii() and text.isdecimal() and int(text) in self._numbers:
            return int(text)
        words = plain(text)
        if words not in self._known:
            exact = self._names.get(words, ())
            within = [n for name, n in self._names.items() if words and holds(name, words)]
            self._known[words] = exact or tuple(n for numbers in within for n in numbers)
        found = self._known[words]
        if len(found) == 1:
            return found[0]
        if found:
            some = ", ".join(map(str, found[:5]))
            raise TripError(f"{text!r} có thể là {some}", f"{text!r} can be {some}")
        raise TripError(f"không có xe {text!r}", f"there is no vehicle {text!r}")


def _trip(cell: Mapping[str, str]) -> Trip:
    departs = _moment(cell["departs"], _day(cell.get("day", "")), None)
    arrives = _moment(cell["arrives"], _day(cell.get("day", "")), departs)
    name = cell.get("trip") or trip_name(departs)
    if not re.fullmatch(NOTE_PATTERN, name):
        raise TripError(
            f"tên chuyến {name!r} chỉ gồm 1–32 ký tự A-Z, 0-9, dấu, không khoảng trắng",
            f"{name!r} is not 1 to 32 printable ASCII characters without spaces",
        )
    return Trip(id=name, departs_at=departs, arrives_at=arrives)


def _day(text: str) -> date | None:
    if not text:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.split()[0], form).replace(tzinfo=LOCAL).date()
        except ValueError:
            continue
    raise TripError(f"ngày không rõ: {text!r}", f"the day is not clear: {text!r}")


def _moment(text: str, day: date | None, after: datetime | None) -> datetime:
    """`2026-11-27 08:05`, `27/11/2026 08:05`, or a time of `day`; local unless it has a zone.

    A time of the day that is not `after` the departure is of the next day.
    """
    if (clock := _CLOCK.fullmatch(text)) and day is not None:
        at = datetime.combine(day, time(int(clock[1]), int(clock[2] or 0)), LOCAL)
        return at + timedelta(days=1) if after is not None and at <= after else at
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=LOCAL)
        except ValueError:
            raise TripError(f"giờ không rõ: {text!r}", f"the time is not clear: {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL)
