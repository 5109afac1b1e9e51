"""How many people work at a site, as it declares: from a day to come on, with history."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select

from console.store import tables
from console.store.edits import Guard, anybody, locked_site
from console.store.engine import Store, utc_now
from console.store.errors import Conflict
from schemas.clock import LOCAL
from schemas.errors import UserError
from schemas.places import Site, Status


@dataclass(frozen=True)
class Headcount:
    """So many from `since` on; `number` tells several declarations for one day apart."""

    site: int
    since: date
    number: int
    headcount: int
    at: datetime
    by: str
    note: str | None


@dataclass(frozen=True)
class Declared:
    """A site with what it declares for a day and its staff entrances, without which nothing is
    counted."""

    site: int
    ward: str
    sector: str
    headcount: int
    entrances: tuple[int, ...]


def declare(
    store: Store,
    site: int,
    headcount: int,
    *,
    by: str,
    since: date | None = None,
    note: str | None = None,
    guard: Guard = anybody,
) -> Headcount:
    """Declared from tomorrow or a later day on; the same again adds nothing.

    Never for today or a day past: what is shown of a day must not change afterwards. Raises
    NotFound, Conflict if the site is closed, UserError for a day that is not to come.
    """
    tomorrow = utc_now().astimezone(LOCAL).date() + timedelta(days=1)
    day = since or tomorrow
    if day < tomorrow:
        raise UserError(
            "since: chỉ khai từ ngày mai trở đi; ngày đã qua không đổi được. / "
            "since: from tomorrow on only; days past do not change."
        )
    h = tables.headcounts.c
    with store.write() as connection:
        found = locked_site(connection, site)
        guard(found)
        _must_be_open(found)
        query = select(tables.headcounts).where(h.site == site, h.since == day)
        last = connection.execute(query.order_by(h.number.desc()).limit(1)).first()
        if last is not None and last.headcount == headcount:
            return Headcount(**last._mapping)
        number = last.number + 1 if last is not None else 1
        made = Headcount(site, day, number, headcount, utc_now(), by, note)
        connection.execute(insert(tables.headcounts), [vars(made)])
    return made


def history(store: Store, site: int) -> list[Headcount]:
    """Everything that was declared of a site, in its order."""
    h = tables.headcounts.c
    query = select(tables.headcounts).where(h.site == site).order_by(h.since, h.number)
    with store.read() as connection:
        return [Headcount(**row._mapping) for row in connection.execute(query)]


def declared_on(store: Store, day: date, entrance_kind: str) -> list[Declared]:
    """Every open site with a headcount on that day, by number."""
    h, s, p = tables.headcounts.c, tables.sites.c, tables.places.c
    counts = (
        select(h.site, h.headcount, s.ward, s.sector)
        .join(tables.sites, s.id == h.site)
        .where(h.since <= day, s.status == Status.ACTIVE.value)
        .order_by(h.site, h.since, h.number)
    )
    doors = select(p.site, p.id).where(p.kind == entrance_kind, p.status == Status.ACTIVE.value)
    entrances: dict[int, list[int]] = {}
    with store.read() as connection:
        for site, place in connection.execute(doors.order_by(p.id)):
            entrances.setdefault(site, []).append(place)
        newest = {row.site: row for row in connection.execute(counts)}  # the last of each wins
    return [
        Declared(site, row.ward, row.sector, row.headcount, tuple(entrances.get(site, ())))
        for site, row in newest.items()
        if row.headcount
    ]


def _must_be_open(site: Site) -> None:
    if site.status is Status.CLOSED:
        raise Conflict(f"Cơ sở {site.id} đã đóng. / Site {site.id} is closed.")
