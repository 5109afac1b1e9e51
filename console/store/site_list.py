"""Sites as a list and one by one, each with its places."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from console.store import tables
from console.store.engine import Store
from console.store.rows import site_of
from console.store.sites import places_by_id
from schemas.places import Place, Site, Status


@dataclass(frozen=True)
class Listed:
    """A site, and how many places it has that are not closed."""

    site: Site
    places: int


def list_sites(
    store: Store,
    wards: Sequence[str] | None,
    *,
    limit: int,
    sector: str | None = None,
    after: int = 0,
) -> list[Listed]:
    """Sites of these wards and this sector (None: of all) with numbers above `after`, by number."""
    s, p = tables.sites.c, tables.places.c
    query = select(tables.sites).where(s.id > after).order_by(s.id).limit(limit)
    if wards is not None:
        query = query.where(s.ward.in_(wards))
    if sector is not None:
        query = query.where(s.sector == sector)
    with store.read() as connection:
        found = [site_of(row) for row in connection.execute(query)]
        counts: dict[int, int] = {}
        for begin in range(0, len(found), 500):  # SQLite takes a bounded number of parameters
            ids = [site.id for site in found[begin : begin + 500]]
            count = (
                select(p.site, func.count())
                .where(p.site.in_(ids), p.status == Status.ACTIVE.value)
                .group_by(p.site)
            )
            counts.update({row[0]: row[1] for row in connection.execute(count)})
    return [Listed(site, counts.get(site.id, 0)) for site in found]


def places_of_site(store: Store, site_id: int) -> list[Place]:
    """All places of a site with their codes, by number."""
    p = tables.places.c
    with store.read() as connection:
        ids = connection.execute(select(p.id).where(p.site == site_id).order_by(p.id)).scalars()
        return places_by_id(connection, list(ids))
