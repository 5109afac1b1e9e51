"""Sites, places and their codes as they stand, and what is changed of one code at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from console.store import outbox, tables
from console.store.engine import Store, utc_now
from console.store.errors import NotFound
from console.store.rows import code_row, place_of, site_entries, site_of
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


def named(store: Store, ids: Iterable[int]) -> dict[int, Named]:
    """These places, by id; at most a few thousand. One that is unknown is left out."""
    wanted = sorted(set(ids))
    p, s = tables.places.c, tables.sites.c
    query = select(p.id, p.name, s.name, p.kind, p.ward).join(tables.sites, s.id == p.site)
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


def revoke_code(store: Store, place_id: int, version: int, at: datetime, reason: str) -> Place:
    """The place with this version of its code revoked from `at` on, on its way to `sites.v1`.

    Revoked before, it stays as it is. Raises NotFound if there is no such place or version.
    """
    with store.write() as connection:
        before = _locked(connection, place_id)
        if all(code.version != version for code in before.codes):
            raise NotFound(
                f"Điểm quét {place_id} không có mã phiên bản {version}. / "
                f"Place {place_id} has no code of version {version}."
            )
        return _put(connection, before, revoke_version(before, version, at, reason))


def add_code(
    store: Store,
    ring: KeyRing,
    place_id: int,
    *,
    valid_from: datetime,
    overlap: timedelta = timedelta(0),
) -> Place:
    """The place with one more version of its code; older ones end `overlap` after `valid_from`.

    Raises NotFound if there is no such place.
    """
    with store.write() as connection:
        before = _locked(connection, place_id)
        return _put(connection, before, next_version(before, ring, valid_from, overlap))


def _locked(connection: Connection, place_id: int) -> Place:
    """The place, its row locked until the transaction ends."""
    p = tables.places.c
    if not connection.scalar(select(p.id).where(p.id == place_id).with_for_update()):
        raise NotFound(f"Không có điểm quét {place_id}. / There is no place {place_id}.")
    return places_by_id(connection, [place_id])[0]


def _put(connection: Connection, before: Place, after: Place) -> Place:
    """Write the difference in version and codes, and publish it; nothing if there is none."""
    if after == before:
        return before
    assert after.version == before.version + 1
    p, c = tables.places.c, tables.codes.c
    connection.execute(update(tables.places).where(p.id == after.id).values(version=after.version))
    old = {code.version: code for code in before.codes}
    for code in after.codes:
        row = code_row(after.id, code)
        if code.version not in old:
            connection.execute(insert(tables.codes), [row])
        elif code != old[code.version]:
            same = (c.place == after.id) & (c.version == code.version)
            connection.execute(update(tables.codes).where(same).values(row))
    outbox.append(connection, site_entries([], [after]), utc_now())
    return after
