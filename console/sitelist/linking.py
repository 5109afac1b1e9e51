"""Which registered site is meant by an entry of a list of required establishments.

By itself only what leaves no doubt: the open site was registered from this very list, or it is the
only one of its ward with this name, at this address where both have one. What is merely likely is
shown to a person.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select

from console.sitelist.duplicates import Likely, Named, likely, telling
from console.sitelist.plain import plain
from console.sitelist.registered import AT_ONCE, SOURCE_PREFIX, open_sites
from console.store import required, tables
from console.store.engine import Store
from console.store.register import closed_of, ids_by_key
from console.store.required_reading import Standing, unregistered

BY: Final = "program"
_ENTRIES: Final = 20_000

Links = list[tuple[str, str, int | None]]


def link_certain(store: Store, wards: Sequence[str] | None = None) -> int:
    """Link every entry without a site of these wards (None: all) that leaves no doubt; how many."""
    linked = 0
    after = ("", "")
    while entries := unregistered(store, wards, limit=_ENTRIES, after=after):
        after = (entries[-1].list, entries[-1].entry)
        linked += required.link(store, certain(store, entries), BY)
    return linked


def link_new(store: Store, after_site: int) -> int:
    """`link_certain` in the wards of the sites with higher numbers; the highest number now."""
    s = tables.sites.c
    with store.read() as connection:
        newest = connection.scalar(select(func.max(s.id))) or 0
        some = select(tables.required.c.list).limit(1)
        if newest == after_site or connection.scalar(some) is None:
            return newest
        wards = list(
            connection.execute(select(s.ward).where(s.id > after_site).distinct()).scalars()
        )
    link_certain(store, wards if len(wards) < AT_ONCE else None)
    return newest


def certain(store: Store, entries: Sequence[Standing]) -> Links:
    """(list, entry, site) of those of these entries that leave no doubt."""
    from_list = _registered_from(store, entries)
    sites: dict[tuple[str, str], list[Named]] = defaultdict(list)
    for site in open_sites(store, sorted({entry.ward for entry in entries})):
        sites[site.ward, plain(site.name)].append(site)
    links: Links = []
    for entry in entries:
        meant = from_list.get((entry.list, entry.entry)) or _only(entry, sites)
        if meant is not None:
            links.append((entry.list, entry.entry, meant))
    return links


def suggested(store: Store, entries: Sequence[Standing]) -> list[tuple[Standing, Likely]]:
    """Of entries without a site, those that likely mean a registered one, the likest first."""
    listed = [
        Named(entry.name, entry.address or "", entry.ward, row=n)
        for n, entry in enumerate(entries, 1)
    ]
    pairs = likely(listed, open_sites(store, sorted({entry.ward for entry in entries})))
    return [
        (entries[pair.one.row - 1], pair)
        for pair in pairs
        if pair.one.row is not None and pair.other.site is not None
    ]


def _registered_from(store: Store, entries: Sequence[Standing]) -> dict[tuple[str, str], int]:
    keys: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        keys[entry.list].append(entry.entry)
    found: dict[tuple[str, str], int] = {}
    with store.read() as connection:
        for list_id, some in keys.items():
            known = ids_by_key(connection, SOURCE_PREFIX + list_id, "site", some)
            closed = closed_of(connection, list(known.values()))
            found |= {(list_id, key): s for key, s in known.items() if s not in closed}
    return found


def _only(entry: Standing, sites: dict[tuple[str, str], list[Named]]) -> int | None:
    door = telling(entry.address or "")
    there = [
        site
        for site in sites.get((entry.ward, plain(entry.name)), [])
        if not door or not site.address or telling(site.address) == door
    ]
    return there[0].site if len(there) == 1 else None
