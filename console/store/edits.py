"""Edits of the register: fields changed, places and sites closed, sites merged.

Each raises the version, keeps a step of history and goes out on `sites.v1`. Nothing is ever
deleted and no number used again: the scans of a closed or merged site stay traceable.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, select, update

from console.store import history, outbox, required, tables
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from console.store.history import Why
from console.store.nesting import must_nest
from console.store.rows import site_entries, site_of, site_row
from console.store.sites import locked_places, put_places
from issuer.kinds import of_kind
from issuer.rotation import closed
from schemas.places import Place, Site, Status

PLACE_FIELDS: Final = frozenset(
    {
        "name", "kind", "hours", "capacity", "enclosed", "small", "gate", "usual_stay", "within",
        "sector",
    }
)  # fmt: skip
SITE_FIELDS: Final = frozenset({"name", "kind", "ward", "sector", "address"})

# Told what is to be changed, and what it becomes, under its lock; raises what the asker is to hear.
Guard = Callable[[Site | Place], None]
_Record = TypeVar("_Record", Site, Place)


def anybody(_: Site | Place) -> None:
    """The guard of the command line, which has the database itself."""


def edit_place(
    store: Store,
    place_id: int,
    changes: Mapping[str, Any],
    why: Why,
    *,
    on_version: int | None = None,
    guard: Guard = anybody,
) -> Place:
    """The place with these fields changed (of `PLACE_FIELDS`); without a difference, as it was.

    To another kind goes with it what its kind had said of it (`issuer.kinds.of_kind`). Raises
    NotFound, Conflict if it is closed or not at `on_version` or cannot lie within that place,
    pydantic's ValidationError.
    """
    assert set(changes) <= PLACE_FIELDS
    with store.write() as connection:
        [before] = locked_places(connection, [place_id])
        guard(before)
        must_be_open("điểm quét", "place", before, on_version)
        if changes.get("kind", before.kind) != before.kind:
            changes = {**_with_kind(connection, before, changes), **changes}
        after = _changed(before, changes)
        if after.within != before.within:
            must_nest(connection, after)
        put_places(connection, [(before, after)], why)
    return after


def _with_kind(connection: Connection, before: Place, changes: Mapping[str, Any]) -> dict[str, Any]:
    c = tables.sites.c
    # not locked: whoever edits a site holds it before its places
    site_kind = connection.scalar(select(c.kind).where(c.id == before.site))
    capacity = changes.get("capacity", before.capacity)
    return of_kind(before, changes["kind"], str(site_kind), capacity)


def edit_site(
    store: Store,
    site_id: int,
    changes: Mapping[str, Any],
    why: Why,
    *,
    on_version: int | None = None,
    guard: Guard = anybody,
) -> Site:
    """The site with these fields changed (of `SITE_FIELDS`); without a difference, as it was.

    Its places go with it to another ward, and to another sector those that had the site's.
    Raises as `edit_place` does.
    """
    assert set(changes) <= SITE_FIELDS
    with store.write() as connection:
        before = locked_site(connection, site_id)
        guard(before)
        must_be_open("cơ sở", "site", before, on_version)
        after = _changed(before, changes)
        guard(after)
        _put_site(connection, before, after, why)
        if (after.ward, after.sector) != (before.ward, before.sector):
            places = _places_of(connection, site_id)
            put_places(connection, [(p, _moved(p, before, after)) for p in places], why)
    return after


def close_place(store: Store, place_id: int, why: Why, *, guard: Guard = anybody) -> Place:
    """The place closed and its codes revoked; closed before, as it is. Raises NotFound."""
    with store.write() as connection:
        [before] = locked_places(connection, [place_id])
        guard(before)
        after = closed(before, utc_now())
        put_places(connection, [(before, after)], why)
    return after


def close_site(store: Store, site_id: int, why: Why, *, guard: Guard = anybody) -> Site:
    """The site and all its places closed, their codes revoked. Raises NotFound.

    Closed or merged before, it stays as it is.
    """
    with store.write() as connection:
        before = locked_site(connection, site_id)
        guard(before)
        if before.status is Status.CLOSED:
            return before
        after = _changed(before, {"status": Status.CLOSED})
        now = utc_now()
        places = _places_of(connection, site_id)
        _put_site(connection, before, after, why)
        put_places(connection, [(place, closed(place, now)) for place in places], why)
    return after


def merge_site(store: Store, site_id: int, into: int, why: Why, *, guard: Guard = anybody) -> Site:
    """The site closed as a double of `into`, which takes its places over.

    The places keep their numbers and their codes, so what is posted goes on working. Merged into
    the same before, it stays as it is. Raises NotFound, Conflict if either is closed.
    """
    if site_id == into:
        raise Conflict(
            f"into: không gộp cơ sở {into} vào chính nó. / into: site {into} is the site itself."
        )
    with store.write() as connection:
        # in the order of numbers: two merges at once wait for each other, and not both
        locked = {number: locked_site(connection, number) for number in sorted((site_id, into))}
        before, target = locked[site_id], locked[into]
        guard(before)
        guard(target)
        if before.merged_into == into:
            return before
        must_be_open("cơ sở", "site", before, None)
        must_be_open("into: cơ sở", "into: site", target, None)
        after = _changed(before, {"status": Status.CLOSED, "merged_into": into})
        places = _places_of(connection, site_id)
        _put_site(connection, before, after, why)
        put_places(connection, [(p, _moved(p, before, target)) for p in places], why)
        required.follow_merge(connection, site_id, into, why.by)
    return after


def locked_site(connection: Connection, site_id: int) -> Site:
    """The site, its row locked until the transaction ends. Raises NotFound."""
    query = select(tables.sites).where(tables.sites.c.id == site_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"Không có cơ sở {site_id}. / There is no site {site_id}.")
    return site_of(row)


def _places_of(connection: Connection, site_id: int) -> list[Place]:
    p = tables.places.c
    ids = connection.execute(select(p.id).where(p.site == site_id).order_by(p.id)).scalars()
    return locked_places(connection, list(ids))


def _moved(place: Place, before: Site, after: Site) -> Place:
    """A place that goes along with its site, or to another site."""
    sector = after.sector if place.sector == before.sector else place.sector
    return _changed(place, {"site": after.id, "ward": after.ward, "sector": sector})


def _changed(before: _Record, changes: Mapping[str, Any]) -> _Record:
    after = type(before).model_validate(before.model_dump() | dict(changes))
    if after == before:
        return before
    return after.model_copy(update={"version": before.version + 1})


def must_be_open(vi: str, en: str, record: Site | Place, on_version: int | None) -> None:
    """Raises Conflict for a record that is closed, or not at the version the asker saw."""
    number, version = record.id, record.version
    if record.status is Status.CLOSED:
        raise Conflict(f"{vi} {number} đã đóng. / {en} {number} is closed and stays as it was.")
    if on_version not in (None, version):
        raise Conflict(
            f"version: {vi} {number} đã có phiên bản {version}, hãy xem lại rồi sửa. / "
            f"version: {en} {number} is at version {version} by now: look again, then change it."
        )


def _put_site(connection: Connection, before: Site, after: Site, why: Why) -> None:
    if after == before:
        return
    row = site_row(after)
    connection.execute(update(tables.sites).where(tables.sites.c.id == after.id).values(row))
    now = utc_now()
    history.remember(connection, [(before, after)], why, now)
    outbox.append(connection, site_entries([after], []), now)
