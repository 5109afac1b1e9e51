"""A place that lies within another of its site: a room in its building."""

from sqlalchemy import Connection, select

from console.store import tables
from console.store.errors import Conflict
from schemas.places import Place, Status


def must_nest(connection: Connection, place: Place) -> None:
    """Raises Conflict unless what it lies within is another, open place of its site that does not
    lie within it."""
    if place.within is None:
        return
    p = tables.places.c
    rows = connection.execute(select(p.id, p.within, p.status).where(p.site == place.site)).all()
    around = {row.id: row.within for row in rows}
    there = {row.id for row in rows if row.status == Status.ACTIVE}
    if place.within == place.id or place.within not in there:
        raise Conflict(
            f"within: cơ sở {place.site} không có điểm quét nào khác đang mở mang số "
            f"{place.within}. / within: site {place.site} has no other open place number "
            f"{place.within}."
        )
    at: int | None = place.within
    for _ in around:
        if at == place.id:
            raise Conflict(
                f"within: điểm quét {place.within} lại nằm trong điểm quét {place.id}. / "
                f"within: place {place.within} lies within place {place.id} itself."
            )
        at = around.get(at) if at is not None else None
