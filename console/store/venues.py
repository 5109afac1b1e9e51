"""Where a case was at places that the register does not have: place-time points in words.

No scan can say who else was there, so no run has them and nothing of them is published: they are
for whoever works the case, until the place is in the register.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from console.store import tables
from console.store.case_entries import with_entries
from console.store.cases import locked
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from schemas.cases import MOST_POINTS, Case, Point, PointSource


@dataclass(frozen=True)
class NewVenue:
    """Where the case was in words, from when to when, and how that is known."""

    venue: str
    begin: datetime
    end: datetime
    source: PointSource


@dataclass(frozen=True)
class Venue(NewVenue):
    """One that stands. `number`: of the case's, from 1."""

    number: int
    entered_at: datetime
    entered_by: str


@dataclass(frozen=True)
class Steps:
    """Who did what of one, also of one that stands no longer; its words are not in it."""

    number: int
    entered_at: datetime
    entered_by: str
    removed_at: datetime | None
    removed_by: str | None
    became_place: int | None


def enter(store: Store, case_id: str, new: NewVenue, *, by: str) -> Venue:
    """One more of an open case; what is there already, as it was.

    Raises NotFound; Conflict if the case is not open or has too many.
    """
    v = tables.case_venues.c
    with store.write() as connection:
        locked(connection, case_id, None)
        standing = _standing(connection, case_id)
        for one in standing:
            if all(getattr(one, name) == value for name, value in vars(new).items()):
                return one
        if len(standing) >= MOST_POINTS:
            raise Conflict(
                f"venues: tối đa {MOST_POINTS} mục cho một ca. / "
                f"venues: a case has at most {MOST_POINTS} entries."
            )
        last = connection.scalar(select(func.max(v.number)).where(v.case_id == case_id)) or 0
        made = Venue(**vars(new), number=last + 1, entered_at=utc_now(), entered_by=by)
        row = vars(made) | {"case_id": case_id, "source": new.source.value}
        connection.execute(insert(tables.case_venues), [row])
        return made


def venues(store: Store, case_id: str) -> list[Venue]:
    """Those that stand, by time."""
    with store.read() as connection:
        return _standing(connection, case_id)


def steps(store: Store, case_id: str) -> list[Steps]:
    """Of all that were ever entered, by number."""
    v = tables.case_venues.c
    columns = [v[name] for name in Steps.__dataclass_fields__]
    with store.read() as connection:
        rows = connection.execute(select(*columns).where(v.case_id == case_id).order_by(v.number))
        return [Steps(**row._mapping) for row in rows]


def take_back(store: Store, case_id: str, number: int, *, by: str) -> None:
    """It counts no longer, and its words are gone. Raises NotFound, also of one that was taken
    back before; Conflict if the case is not open."""
    with store.write() as connection:
        locked(connection, case_id, None)
        _one(connection, case_id, number)
        _remove(connection, case_id, number, by)


def put_at_place(store: Store, case_id: str, number: int, place: int, *, by: str) -> Case:
    """The case with a place-time point there in its stead, in one step; asked again, as it is.
    Raises what `take_back` and `case_entries.change_entries` raise."""
    with store.write() as connection:
        before = locked(connection, case_id, None)
        if _became(connection, case_id, number) == place:
            return before
        one = _one(connection, case_id, number)
        point = Point(place=place, begin=one.begin, end=one.end, source=one.source)
        note = f"mốc ngoài danh bạ số {number} / venue {number}"
        after = with_entries(connection, before, {"points": (point,)}, {}, by=by, note=note)
        _remove(connection, case_id, number, by, place)
        return after


def one(store: Store, case_id: str, number: int) -> Venue | None:
    """The one of this number, if it stands."""
    return next((v for v in venues(store, case_id) if v.number == number), None)


def _standing(connection: Connection, case_id: str) -> list[Venue]:
    v = tables.case_venues.c
    query = select(tables.case_venues).where(v.case_id == case_id, v.removed_at.is_(None))
    return [_venue(row) for row in connection.execute(query.order_by(v.begin, v.number))]


def _one(connection: Connection, case_id: str, number: int) -> Venue:
    for one in _standing(connection, case_id):
        if one.number == number:
            return one
    raise NotFound(
        f"Ca {case_id} không có mốc ngoài danh bạ số {number}. / "
        f"Case {case_id} has no venue number {number}."
    )


def _venue(row: Row[Any]) -> Venue:
    fields = {name: row._mapping[name] for name in Venue.__dataclass_fields__}
    return Venue(**fields | {"source": PointSource(row.source)})


def _became(connection: Connection, case_id: str, number: int) -> int | None:
    v = tables.case_venues.c
    query = select(v.became_place).where(v.case_id == case_id, v.number == number)
    return connection.scalar(query)


def _remove(
    connection: Connection, case_id: str, number: int, by: str, place: int | None = None
) -> None:
    v = tables.case_venues.c
    gone = {"venue": "", "removed_at": utc_now(), "removed_by": by, "became_place": place}
    one = (v.case_id == case_id) & (v.number == number)
    connection.execute(update(tables.case_venues).where(one).values(gone))
