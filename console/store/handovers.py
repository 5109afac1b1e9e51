"""Handing a contact to another area: asked, then accepted or refused, with who and when.

Until it is accepted the sender stays responsible, and the receiver sees that it was asked and no
more. From then on the contact is the receiver's to work; the case's area can still read it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, or_, select, update

from console.store import tables
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from console.store.worklist import Guard, locked, put
from console.worklist.areas import area_of_ward, areas_within
from issuer.units import EVERYWHERE


class HandoverState(StrEnum):
    """Where it stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Handover:
    """One contact from one area to another."""

    id: int
    case_id: str
    person: str
    from_area: str
    to_area: str
    state: HandoverState
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None = None
    answered_by: str | None = None


def ask(
    store: Store,
    case_id: str,
    person: str,
    to_area: str,
    *,
    by: str,
    guard: Guard,
    last_exposure: datetime | None,
    note: str | None = None,
) -> Handover:
    """A new one, pending. Raises NotFound; Conflict if one is pending or it is theirs already."""
    h = tables.contact_handovers.c
    with store.write() as connection:
        ward, before = locked(connection, case_id, person)
        guard(ward, before)
        from_area = before.responsible(ward)
        if from_area == to_area:
            raise Conflict(
                f"{to_area} đang phụ trách người này. / {to_area} is responsible already."
            )
        mine = (h.case_id == case_id) & (h.person == person)
        pending = select(h.id).where(mine, h.state == HandoverState.PENDING)
        if number := connection.scalar(pending):
            raise Conflict(
                f"Bàn giao {number} đang chờ trả lời. / Hand-over {number} waits for its answer."
            )
        row = {
            "case_id": case_id,
            "person": person,
            "from_area": from_area,
            "to_area": to_area,
            "state": HandoverState.PENDING.value,
            "asked_at": utc_now(),
            "asked_by": by,
        }
        made = connection.execute(
            insert(tables.contact_handovers).returning(h.id), row
        ).scalar_one()
        changes = {"last_exposure": last_exposure or before.last_exposure}
        also = {f"hand-over {made}": [None, f"pending: {to_area}"]}
        put(connection, before, changes, by=by, what="hand_over", note=note, also=also)
        return Handover(made, **(row | {"state": HandoverState.PENDING}))  # type: ignore[arg-type]


def answer(
    store: Store,
    handover_id: int,
    state: HandoverState,
    *,
    by: str,
    guard: Callable[[Handover], None],
    note: str | None = None,
) -> Handover:
    """Accepted or refused by the receiver, or withdrawn by the sender; the same again is as it was.

    Raises NotFound, or Conflict if it was answered otherwise.
    """
    assert state is not HandoverState.PENDING
    found = handover(store, handover_id)
    if found is None:
        raise _absent(handover_id)
    guard(found)
    h = tables.contact_handovers.c
    with store.write() as connection:
        ward, before = locked(connection, found.case_id, found.person)
        row = connection.execute(select(tables.contact_handovers).where(h.id == handover_id)).one()
        found = _handover(row)
        if found.state is state:
            return found
        if found.state is not HandoverState.PENDING:
            raise Conflict(
                f"Bàn giao {handover_id} đã được trả lời: {found.state}. / "
                f"Hand-over {handover_id} has been answered: {found.state}."
            )
        values = {"state": state.value, "answered_at": utc_now(), "answered_by": by}
        connection.execute(
            update(tables.contact_handovers).where(h.id == handover_id).values(values)
        )
        changes: dict[str, Any] = {}
        if state is HandoverState.ACCEPTED:
            home = found.to_area == area_of_ward(ward)
            changes = {"area": None if home else found.to_area, "assigned_to": None}
        also = {f"hand-over {handover_id}": ["pending", state.value]}
        put(connection, before, changes, by=by, what=f"hand_over_{state}", note=note, also=also)
        row = connection.execute(select(tables.contact_handovers).where(h.id == handover_id)).one()
        return _handover(row)


def handover(store: Store, handover_id: int) -> Handover | None:
    """One, or None."""
    h = tables.contact_handovers.c
    with store.read() as connection:
        row = connection.execute(
            select(tables.contact_handovers).where(h.id == handover_id)
        ).first()
    return _handover(row) if row else None


def handovers(
    store: Store, area: str, state: HandoverState | None, *, limit: int, offset: int
) -> list[Handover]:
    """From the area or to it, the newest first."""
    h = tables.contact_handovers.c
    query = select(tables.contact_handovers).order_by(h.id.desc()).limit(limit).offset(offset)
    if area != EVERYWHERE:
        areas = areas_within(area)
        query = query.where(or_(h.from_area.in_(areas), h.to_area.in_(areas)))
    if state is not None:
        query = query.where(h.state == state.value)
    with store.read() as connection:
        return [_handover(row) for row in connection.execute(query)]


def _handover(row: Row[Any]) -> Handover:
    fields = dict(row._mapping)
    return Handover(**(fields | {"state": HandoverState(fields["state"])}))


def _absent(handover_id: int) -> NotFound:
    return NotFound(
        f"Không có bàn giao {handover_id} trong địa bàn của khoá. / "
        f"There is no hand-over {handover_id} in this key's area."
    )
