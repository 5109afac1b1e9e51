"""Sites, places and their codes as they stand, and what is changed of one code at a time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from console.store import outbox, tables
from console.store.engine import Store, utc_now
from console.store.errors import NotFound
from console.store.rows import code_row, place_of, site_entries, site_of
from issuer.codes import KeyRing, issue
from schemas.places import Code, Place, Site

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


def _together(rows: Iterable[Row[Any]], codes: Iterable[Row[Any]]) -> Iterator[Place]:
    by_place = {key: list(group) for key, group in groupby(codes, lambda code: code.place)}
    for row in rows:
        yield place_of(row, by_place.get(row.id, ()))


def revoke_code(store: Store, place_id: int, version: int, at: datetime, reason: str) -> Place:
    """The place with this version of its code revoked from `at` on; revoked before, it stays so.

    Raises NotFound if there is no such place or version.
    """
    with store.write() as connection:
        before = _locked(connection, place_id)
        code = next((code for code in before.codes if code.version == version), None)
        if code is None:
            raise NotFound(
                f"Điểm quét {place_id} không có mã phiên bản {version}. / "
                f"Place {place_id} has no code of version {version}."
            )
        if code.revoked_at is not None:
            return before
        c = tables.codes.c
        connection.execute(
            update(tables.codes)
            .where(c.place == place_id, c.version == version)
            .values(revoked_at=at, revoked_reason=reason)
        )
        return _risen(connection, place_id)


def add_code(
    store: Store,
    ring: KeyRing,
    place_id: int,
    *,
    valid_from: datetime | None,
    valid_to: datetime | None = None,
) -> Place:
    """The place with one more version of its code. Raises NotFound if there is no such place."""
    with store.write() as connection:
        before = _locked(connection, place_id)
        version = 1 + max((code.version for code in before.codes), default=0)
        token = issue(ring, place_id, version)
        code = Code(version=version, token=token, valid_from=valid_from, valid_to=valid_to)
        connection.execute(insert(tables.codes), [code_row(place_id, code)])
        return _risen(connection, place_id)


def _locked(connection: Connection, place_id: int) -> Place:
    """The place, its row locked until the transaction ends."""
    p = tables.places.c
    if not connection.scalar(select(p.id).where(p.id == place_id).with_for_update()):
        raise NotFound(f"Không có điểm quét {place_id}. / There is no place {place_id}.")
    return places_by_id(connection, [place_id])[0]


def _risen(connection: Connection, place_id: int) -> Place:
    """The place with its version risen by one, on its way to `sites.v1`."""
    p = tables.places.c
    connection.execute(update(tables.places).where(p.id == place_id).values(version=p.version + 1))
    [after] = places_by_id(connection, [place_id])
    outbox.append(connection, site_entries([], [after]), utc_now())
    return after
