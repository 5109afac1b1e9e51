"""Sites, places and their codes as they stand, and how a change of a place is written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from console.store import history, outbox, tables
from console.store.engine import Store, utc_now
from console.store.errors import NotFound
from console.store.history import BY_PROGRAM, Why
from console.store.rows import code_row, place_of, place_row, site_entries, site_of
from issuer.codes import next_version, revoke_version
from issuer.keyring import KeyRing
from schemas.places import Place, Site

_AT_ONCE: Final = 5_000


def site(store: Store, site_id: int) -> Site | None:
    """One site, or None."""
    with store.read() as connection:
        row = connection.execute(select(tables.sites).where(tables.sites.c.id == site_id)).first()
    return site_of(row) if row else None


def place(store: Store, place_id: int) -> Place | None:
    """One place with its codes, or None."""
    with store.read() as connection:
        found = places_by_id(connection, [place_id])
    return found[0] if found else None


def known_places(store: Store, ids: Sequence[int]) -> set[int]:
    """Which of these places there are."""
    query = select(tables.places.c.id).where(tables.places.c.id.in_(ids))
    with store.read() as connection:
        return set(connection.execute(query).scalars())


def places(store: Store) -> Iterator[Place]:
    """All places with their codes, by id; read a few thousand at a time."""
    after = 0
    while True:
        query = (
            select(tables.places)
            .where(tables.places.c.id > after)
            .order_by(tables.places.c.id)
            .limit(_AT_ONCE)
        )
        with store.read() as connection:
            rows = connection.execute(query).all()
            if not rows:
                return
            first, last = rows[0].id, rows[-1].id
            c = tables.codes.c
            codes = connection.execute(
                select(tables.codes)
                .where(c.place.between(first, last))
                .order_by(c.place, c.version)
            ).all()
        yield from _together(rows, codes)
        after = last


def count_places(store: Store) -> int:
    """How many places there are."""
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(tables.places)) or 0


def places_by_id(connection: Connection, ids: Sequence[int]) -> list[Place]:
    """These places with their codes, by id; at most a few thousand."""
    rows: list[Row[Any]] = []
    codes: list[Row[Any]] = []
    for begin in range(0, len(ids), 500):  # SQLite takes a bounded number of parameters
        some = ids[begin : begin + 500]
        rows += connection.execute(select(tables.places).where(tables.places.c.id.in_(some)))
        codes += connection.execute(select(tables.codes).where(tables.codes.c.place.in_(some)))
    rows.sort(key=lambda row: row.id)
    codes.sort(key=lambda row: (row.place, row.version))
    return list(_together(rows, codes))


@dataclass(frozen=True)
class Named:
    """What a list shows of a place."""

    name: str
    site_name: str
    kind: str
    ward: str
    sector: str


def named(store: Store, ids: Iterable[int]) -> dict[int, Named]:
    """These places, by id; at most a few thousand. One that is unknown is left out."""
    wanted = sorted(set(ids))
    p, s = tables.places.c, tables.sites.c
    query = select(p.id, p.name, s.name, p.kind, p.ward, p.sector).join(
        tables.sites, s.id == p.site
    )
    found: dict[int, Named] = {}
    with store.read() as connection:
        for begin in range(0, len(wanted), 500):
            some = query.where(p.id.in_(wanted[begin : begin + 500]))
            found |= {row[0]: Named(*row[1:]) for row in connection.execute(some)}
    return found


def _together(rows: Iterable[Row[Any]], codes: Iterable[Row[Any]]) -> Iterator[Place]:
    by_place = {key: list(group) for key, group in groupby(codes, lambda code: code.place)}
    for row in rows:
        yield place_of(row, by_place.get(row.id, ()))


def revoke_code(
    store: Store, place_id: int, version: int, at: datetime, reason: str, why: Why = BY_PROGRAM
) -> Place:
    """The place with this version of its code revoked from `at` on, on its way to `sites.v1`.

    Revoked before, it stays as it is. Raises NotFound if there is no such place or version.
    """
    with store.write() as connection:
        [before] = locked_places(connection, [place_id])
        if all(code.version != version for code in before.codes):
            raise NotFound(
                f"Điểm quét {place_id} không có mã phiên bản {version}. / "
                f"Place {place_id} has no code of version {version}."
            )
        after = revoke_version(before, version, at, reason)
        put_places(connection, [(before, after)], why)
    return after


def add_code(
    store: Store,
    ring: KeyRing,
    place_id: int,
    *,
    valid_from: datetime,
    overlap: timedelta = timedelta(0),
    why: Why = BY_PROGRAM,
) -> Place:
    """The place with one more version of its code; older ones end `overlap` after `valid_from`.

    Raises NotFound if there is no such place.
    """
    with store.write() as connection:
        [before] = locked_places(connection, [place_id])
        after = next_version(before, ring, valid_from, overlap)
        put_places(connection, [(before, after)], why)
    return after


def locked_places(connection: Connection, ids: Sequence[int]) -> list[Place]:
    """These places by id, their rows locked until the transaction ends; a few thousand at most.

    Raises NotFound that names the first that is not there.
    """
    p = tables.places.c
    for begin in range(0, len(ids), 500):
        some = ids[begin : begin + 500]
        # in the order of ids, so that two at once wait for each other and not both
        query = select(p.id).where(p.id.in_(some)).order_by(p.id).with_for_update()
        there = set(connection.execute(query).scalars())
        if missing := [place_id for place_id in some if place_id not in there]:
            raise NotFound(f"Không có điểm quét {missing[0]}. / There is no place {missing[0]}.")
    return places_by_id(connection, ids)


def put_places(connection: Connection, changes: Sequence[tuple[Place, Place]], why: Why) -> None:
    """Write what differs between before and after, with its history, and publish it."""
    changed = [(before, after) for before, after in changes if after != before]
    if not changed:
        return
    p, c = tables.places.c, tables.codes.c
    rows, added = [], []
    for before, after in changed:
        assert (after.id, after.version) == (before.id, before.version + 1)
        rows.append(place_row(after) | {"key": after.id})
        old = {code.version: code for code in before.codes}
        for code in after.codes:
            row = code_row(after.id, code)
            if code.version not in old:
                added.append(row)
            elif code != old[code.version]:
                same = (c.place == after.id) & (c.version == code.version)
                connection.execute(update(tables.codes).where(same).values(row))
    connection.execute(update(tables.places).where(p.id == bindparam("key")), rows)
    if added:
        connection.execute(insert(tables.codes), added)
    now = utc_now()
    history.remember(connection, changed, why, now)
    outbox.append(connection, site_entries([], [after for _, after in changed]), now)
