"""Registering sites with their places and first codes, in bulk, once per external key."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, insert, select

from console.store import outbox, tables
from console.store.engine import Store, allocate, utc_now
from console.store.history import Why, remember_new
from console.store.rows import code_row, place_row, site_entries, site_row
from console.store.sites import places_by_id
from issuer.codes import issue
from issuer.keyring import KeyRing
from schemas.errors import UserError
from schemas.places import Code, Hours, Place, Site, Status, Trip

_CHUNK_PLACES: Final = 2_000
_MAX_PLACES: Final = 2**30 - 1
# SQLite has one writer and no queue: without a pause others would hardly ever find it free
_PAUSE_S: Final = 0.05


@dataclass(frozen=True)
class NewPlace:
    """A place to register. `external_key` is what the source calls it, unique in the source.

    `within`: the external key of the place of the same site around it.
    """

    name: str
    kind: str
    external_key: str
    hours: Hours | None = None
    capacity: int | None = None
    enclosed: bool = False
    small: bool = False
    gate: bool = False
    usual_stay: int | None = None
    within: str | None = None
    trips: tuple[Trip, ...] = ()


@dataclass(frozen=True)
class NewSite:
    """A site to register, with its places."""

    name: str
    kind: str
    ward: str
    sector: str
    external_key: str
    address: str | None = None
    places: tuple[NewPlace, ...] = ()


@dataclass
class _Chunk:
    """What one transaction adds, and the ids of everything asked for, by external key."""

    sites: list[Site] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    site_ids: dict[str, int] = field(default_factory=dict)
    place_ids: dict[str, int] = field(default_factory=dict)


def register_sites(
    store: Store,
    ring: KeyRing,
    new_sites: Iterable[NewSite],
    *,
    source: str,
    valid_from: datetime | None = None,
    why: Why | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> list[Place]:
    """`register_each`, all of them at once; `on_progress` is told how many places are done."""
    done: list[Place] = []
    for places in register_each(store, ring, new_sites, source, valid_from, why):
        done += places
        if on_progress:
            on_progress(len(done))
    return done


def register_each(
    store: Store,
    ring: KeyRing,
    new_sites: Iterable[NewSite],
    source: str,
    valid_from: datetime | None = None,
    why: Why | None = None,
) -> Iterator[list[Place]]:
    """The places of these sites, in the order given, each with a code valid from `valid_from`.

    A site or place that `source` registered before, by its external key, is returned as it
    stands; only what is new is added, and nothing to a site that has been closed or merged: such
    places are not among those returned. `why` goes into the history of new sites. A transaction,
    and what is yielded, holds a few thousand places: after a crash, call it again. Raises
    UserError if a place is within one that its site has not.
    """
    for number, sites in enumerate(_chunks(new_sites)):
        if number:
            time.sleep(_PAUSE_S)
        with store.write() as connection:
            places = _register(connection, ring, sites, source, valid_from, why)
        yield places


def _chunks(new_sites: Iterable[NewSite]) -> Iterator[list[NewSite]]:
    chunk: list[NewSite] = []
    size = 0
    for new in new_sites:
        chunk.append(new)
        size += 1 + len(new.places)
        if size >= _CHUNK_PLACES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _register(
    connection: Connection,
    ring: KeyRing,
    new_sites: Sequence[NewSite],
    source: str,
    valid_from: datetime | None,
    why: Why | None,
) -> list[Place]:
    chunk = _Chunk()
    site_keys = dict.fromkeys(site.external_key for site in new_sites)
    place_keys = dict.fromkeys(place.external_key for site in new_sites for place in site.places)
    # ids first: on PostgreSQL the counter's row keeps a second registration out until the end
    next_site = allocate(connection, "site", len(site_keys))
    next_place = allocate(connection, "place", max(1, len(place_keys)))
    chunk.site_ids = ids_by_key(connection, source, "site", list(site_keys))
    chunk.place_ids = ids_by_key(connection, source, "place", list(place_keys))
    old_places = list(chunk.place_ids.values())
    closed = closed_of(connection, list(chunk.site_ids.values()))
    new_site_keys, new_place_keys = [], []
    for new in new_sites:
        if new.external_key not in chunk.site_ids:
            chunk.site_ids[new.external_key] = next_site
            chunk.sites.append(_site(new, next_site))
            new_site_keys.append(new.external_key)
            next_site += 1
        fresh: list[NewPlace] = []
        for spot in new.places:
            over = chunk.site_ids[new.external_key] in closed
            if spot.external_key not in chunk.place_ids and not over:
                assert next_place <= _MAX_PLACES
                chunk.place_ids[spot.external_key] = next_place
                fresh.append(spot)
                next_place += 1
        site_id = chunk.site_ids[new.external_key]
        for spot in fresh:
            place_id = chunk.place_ids[spot.external_key]
            code = Code(version=1, token=issue(ring, place_id, 1), valid_from=valid_from)
            around = _around(new, spot, chunk.place_ids)
            chunk.places.append(_place(new, spot, place_id, site_id, code, around))
            new_place_keys.append(spot.external_key)
    _give_back(connection, "site", next_site)
    _give_back(connection, "place", next_place)
    _insert(connection, tables.sites, [site_row(site) for site in chunk.sites])
    _insert(connection, tables.places, [place_row(place) for place in chunk.places])
    _insert(
        connection, tables.codes, [code_row(p.id, code) for p in chunk.places for code in p.codes]
    )
    _remember(connection, source, "site", new_site_keys, chunk.site_ids)
    _remember(connection, source, "place", new_place_keys, chunk.place_ids)
    now = utc_now()
    if why is not None:
        remember_new(connection, chunk.sites, why, now)
    outbox.append(connection, site_entries(chunk.sites, chunk.places), now)
    by_id = {p.id: p for p in [*places_by_id(connection, old_places), *chunk.places]}
    asked = (spot.external_key for new in new_sites for spot in new.places)
    return [by_id[chunk.place_ids[key]] for key in asked if key in chunk.place_ids]


def _site(new: NewSite, site_id: int) -> Site:
    return Site(
        id=site_id,
        name=new.name,
        kind=new.kind,
        ward=new.ward,
        sector=new.sector,
        address=new.address,
    )


def _around(new: NewSite, spot: NewPlace, ids: dict[str, int]) -> int | None:
    """The place around it. Raises UserError if its site has no such place."""
    if spot.within is None:
        return None
    if spot.within == spot.external_key or all(p.external_key != spot.within for p in new.places):
        raise UserError(
            f"{spot.external_key}: cơ sở không có điểm quét {spot.within} bao quanh nó. / "
            f"{spot.external_key}: its site has no other place {spot.within} around it."
        )
    return ids[spot.within]


def _place(
    new: NewSite, spot: NewPlace, place_id: int, site_id: int, code: Code, within: int | None
) -> Place:
    return Place(
        id=place_id,
        site=site_id,
        name=spot.name,
        kind=spot.kind,
        ward=new.ward,
        sector=new.sector,
        hours=spot.hours,
        capacity=spot.capacity,
        enclosed=spot.enclosed,
        small=spot.small,
        gate=spot.gate,
        usual_stay=spot.usual_stay,
        within=within,
        codes=(code,),
        trips=spot.trips,
    )


def ids_by_key(
    connection: Connection, source: str, entity: str, keys: Sequence[str]
) -> dict[str, int]:
    """Ids of what this source registered before, by external key."""
    s = tables.sources.c
    found: dict[str, int] = {}
    for begin in range(0, len(keys), 500):
        rows = connection.execute(
            select(s.external_key, s.id).where(
                s.source == source,
                s.entity == entity,
                s.external_key.in_(keys[begin : begin + 500]),
            )
        )
        found.update((row.external_key, row.id) for row in rows)
    return found


def closed_of(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Which of these sites are closed, merged ones among them."""
    s = tables.sites.c
    found: set[int] = set()
    for begin in range(0, len(ids), 500):
        some = s.id.in_(ids[begin : begin + 500]) & (s.status == Status.CLOSED)
        found |= set(connection.execute(select(s.id).where(some)).scalars())
    return found


def _remember(
    connection: Connection, source: str, entity: str, keys: Sequence[str], ids: dict[str, int]
) -> None:
    rows = [
        {"source": source, "entity": entity, "external_key": key, "id": ids[key]} for key in keys
    ]
    _insert(connection, tables.sources, rows)


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _give_back(connection: Connection, name: str, unused: int) -> None:
    """Numbers taken but not needed, so that ids stay dense; the counter's row is still ours."""
    c = tables.counters.c
    change = tables.counters.update().where(c.name == name).values(value=unused - 1)
    connection.execute(change)
