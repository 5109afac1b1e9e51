"""Codes of many places at once: issued, rotated, revoked, a few hundred places a transaction.

What is to become of a place is decided by `issuer/rotation.py`, which leaves alone what is done;
so a run that was broken off is begun again with the same words.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from console.store import tables
from console.store.engine import Store
from console.store.history import Why
from console.store.sites import locked_places, put_places
from issuer.rotation import Left
from schemas.places import Place, Status
from tracer.columns import milliseconds
from tracer.struck import Revoked

_AT_ONCE: Final = 500
# SQLite has one writer and no queue: without a pause others would hardly ever find it free
_PAUSE_S: Final = 0.02

Decide = Callable[[Place], Place | Left]


@dataclass
class Changed:
    """The places that changed, as they stand, and the numbers of those left alone, by why."""

    places: list[Place] = field(default_factory=list)
    left: dict[Left, list[int]] = field(default_factory=dict)

    @property
    def seen(self) -> int:
        """How many places were looked at."""
        return len(self.places) + sum(map(len, self.left.values()))


def change_codes(
    store: Store,
    ids: Sequence[int],
    decide: Decide,
    why: Why,
    on_progress: Callable[[Changed], None] | None = None,
) -> Changed:
    """Each of these places as `decide` says, on its way to `sites.v1`.

    `on_progress` is told after each transaction. Raises NotFound if one is not there; what was
    done before stays done.
    """
    done = Changed()
    for begin in range(0, len(ids), _AT_ONCE):
        some = ids[begin : begin + _AT_ONCE]
        if begin:
            time.sleep(_PAUSE_S)
        with store.write() as connection:
            before = locked_places(connection, some)
            decided = [(place, decide(place)) for place in before]
            changes = [(b, after) for b, after in decided if isinstance(after, Place)]
            put_places(connection, changes, why)
        done.places += [after for _, after in changes]
        for place, after in decided:
            if isinstance(after, Left):
                done.left.setdefault(after, []).append(place.id)
        if on_progress:
            on_progress(done)
    return done


def taken_back(store: Store) -> list[Revoked]:
    """The codes that were revoked from before: what they struck does not count in a trace."""
    c = tables.codes.c
    query = select(c.place, c.version, c.revoked_at, c.taken_back_at)
    with store.read() as connection:
        rows = connection.execute(query.where(c.taken_back_at.is_not(None))).all()
    return [Revoked(p, version, *map(milliseconds, times)) for p, version, *times in rows]


def active_places(
    store: Store, *, wards: Iterable[str] = (), sites: Iterable[int] = ()
) -> list[int]:
    """The numbers of the active places of these wards and sites, in order."""
    p = tables.places.c
    chosen = p.ward.in_(list(wards)) | p.site.in_(list(sites))
    query = select(p.id).where(chosen, p.status == Status.ACTIVE.value).order_by(p.id)
    with store.read() as connection:
        return list(connection.execute(query).scalars())
