"""What the register holds that a list is compared with."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import select

from console.sitelist.duplicates import Named
from console.store import tables
from console.store.engine import Store
from schemas.places import Status

SOURCE_PREFIX: Final = "list/"  # of the source under which a list's sites are registered
AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters


def open_sites(store: Store, wards: Sequence[str]) -> Iterator[Named]:
    """The sites of these wards that are not closed."""
    s = tables.sites.c
    query = select(s.id, s.name, s.address, s.ward).where(s.status == Status.ACTIVE)
    with store.read() as connection:
        for begin in range(0, len(wards), AT_ONCE):
            for row in connection.execute(query.where(s.ward.in_(wards[begin : begin + AT_ONCE]))):
                yield Named(row.name, row.address or "", row.ward, site=row.id)
