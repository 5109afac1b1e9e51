"""A register that goes from wards of three levels to those of two, a few hundred sites at a time.

A site that is in its new ward already is left alone, so a run is begun again with the same words.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update

from console.store import history, outbox, tables
from console.store.engine import Store, utc_now
from console.store.history import Why
from console.store.producers import list_producers, put_producer
from console.store.rows import site_entries, site_of, site_row
from console.store.sites import locked_places, put_places

_AT_ONCE: Final = 200
_PAUSE_S: Final = 0.02  # SQLite has one writer and no queue


@dataclass(frozen=True)
class SiteIn:
    """A site as far as a regrouping asks: where it is, and how a person knows it."""

    id: int
    ward: str
    name: str
    address: str


def sites_in(store: Store, wards: Sequence[str]) -> list[SiteIn]:
    """All sites of these wards, closed ones too, by number."""
    s = tables.sites.c
    found: list[SiteIn] = []
    with store.read() as connection:
        for begin in range(0, len(wards), 500):
            some = s.ward.in_(wards[begin : begin + 500])
            query = select(s.id, s.ward, s.name, s.address).where(some)
            rows = connection.execute(query)
            found += [SiteIn(number, ward, name, at or "") for number, ward, name, at in rows]
    return sorted(found, key=lambda site: site.id)


def regroup_sites(
    store: Store,
    moves: Mapping[tuple[str, str], Sequence[int]],
    why: Why,
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """These sites and their places, by (old, new) ward, in the new one; how many sites changed.

    One that is not in its old ward any more is left alone.
    """
    changed = 0
    for (old, new), numbers in sorted(moves.items()):
        for begin in range(0, len(numbers), _AT_ONCE):
            changed += _some(store, old, new, sorted(numbers)[begin : begin + _AT_ONCE], why)
            on_progress(changed)
            time.sleep(_PAUSE_S)
    return changed


def _some(store: Store, old: str, new: str, numbers: Sequence[int], why: Why) -> int:
    s, p = tables.sites.c, tables.places.c
    with store.write() as connection:
        query = select(tables.sites).where(s.id.in_(numbers), s.ward == old).order_by(s.id)
        before = [site_of(row) for row in connection.execute(query.with_for_update())]
        after = [
            site.model_copy(update={"ward": new, "version": site.version + 1}) for site in before
        ]
        for site in after:
            same = tables.sites.c.id == site.id
            connection.execute(update(tables.sites).where(same).values(site_row(site)))
        now = utc_now()
        history.remember(connection, list(zip(before, after, strict=True)), why, now)
        outbox.append(connection, site_entries(after, []), now)
        inside = p.site.in_([site.id for site in before])
        ids = connection.execute(select(p.id).where(inside, p.ward == old)).scalars()
        places = locked_places(connection, sorted(ids))
        put_places(
            connection,
            [(q, q.model_copy(update={"ward": new, "version": q.version + 1})) for q in places],
            why,
        )
    return len(after)


def widen_producers(store: Store, goes_to: Mapping[str, Sequence[str]]) -> list[str]:
    """Producers limited to old wards may report their new ones, too; which were changed.

    Before the sites move: a worker judges each scan by its place's ward.
    """
    changed = []
    for producer in list_producers(store):
        wards = producer.wards or ()
        new = [code for ward in wards for code in goes_to.get(ward, ())]
        added = tuple(dict.fromkeys(code for code in new if code not in wards))
        if added:
            put_producer(store, producer.model_copy(update={"wards": (*wards, *added)}))
            changed.append(producer.id)
    return changed


def move_cards(store: Store, goes_to: Mapping[str, Sequence[str]]) -> int:
    """Cards of the old wards to the (first) new one; how many. A batch whose name is taken there
    gets the old ward's code behind it.
    """
    c, moved = tables.cards.c, 0
    for old, into in sorted(goes_to.items()):
        new = into[0]
        with store.write() as connection:
            batches = connection.execute(select(c.batch).where(c.ward == old).distinct())
            for batch in batches.scalars().all():
                there = select(c.id).where(c.ward == new, c.batch == batch).limit(1)
                taken = batch is not None and connection.scalar(there) is not None
                name = f"{batch[: 63 - len(old)]}.{old}" if taken else batch
                mine = (c.ward == old) & (
                    c.batch == batch if batch is not None else c.batch.is_(None)
                )
                change = update(tables.cards).where(mine).values(ward=new, batch=name)
                moved += connection.execute(change).rowcount
    return moved
