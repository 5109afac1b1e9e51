"""How reminders end: the place has caught up, is closed, or was never reached; and what helped.

While an item is open the same is not said of it again (`once`). When it ends, it can be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, select, update

from console.reminders.texts import Channel, Lang, Reason
from console.store import tables
from console.store.engine import Store, utc_now
from console.store.errors import Conflict
from console.store.reminder_rows import Message, Sent, State, in_area, message, read_batch

Guard = Callable[[str], None]
OUT: Final = (Sent.HANDED_OUT, Sent.PENDING, Sent.SENT)


class Ended(StrEnum):
    """How an item ended."""

    REACHED = "reached"
    CLOSED = "closed"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True)
class Item:
    """Something a released message is about. `since`: the release. None: it has not ended."""

    message: int
    subject: str
    reason: Reason
    channel: Channel
    text: str
    lang: Lang
    since: datetime
    ended: Ended | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class End:
    """An item that has ended, when and how."""

    item: Item
    at: datetime
    how: Ended


def open_items(store: Store, area: str) -> list[Item]:
    """What was said in the area and has not ended, the oldest first."""
    return _items(store, area, tables.reminder_items.c.ended.is_(None))


def items_since(store: Store, area: str, since: datetime) -> list[Item]:
    """Everything said in the area since then, ended or not, the oldest first."""
    return _items(store, area, tables.reminder_batches.c.ended_at >= since)


def _items(store: Store, area: str, condition: Any) -> list[Item]:
    r, i, b = tables.reminders.c, tables.reminder_items.c, tables.reminder_batches.c
    query = (
        select(
            r.id, i.subject, b.reason, b.channel, b.text, b.lang, b.ended_at, i.ended,
            i.ended_at.label("item_ended_at"),
        )
        .select_from(tables.reminder_items)
        .join(tables.reminders, r.id == i.reminder)
        .join(tables.reminder_batches, b.id == r.batch)
        .where(b.state == State.RELEASED.value, in_area(area), condition)
        .where(r.state.in_([state.value for state in (*OUT, Sent.UNDELIVERED, Sent.FAILED)]))
        .order_by(r.id, i.subject)
    )  # fmt: skip
    with store.read() as connection:
        return [
            Item(
                row.id, row.subject, Reason(row.reason), Channel(row.channel), row.text, row.lang,
                row.ended_at, Ended(row.ended) if row.ended else None, row.item_ended_at,
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def end(store: Store, ends: Sequence[End]) -> None:
    """Remember these; of what has ended before, nothing changes."""
    if not ends:
        return
    i = tables.reminder_items.c
    same = and_(i.reminder == bindparam("of"), i.subject == bindparam("what"), i.ended.is_(None))
    change = update(tables.reminder_items).where(same)
    change = change.values(ended=bindparam("how"), ended_at=bindparam("at"), once=None)
    rows = [
        {"of": e.item.message, "what": e.item.subject, "how": e.how.value, "at": e.at} for e in ends
    ]
    with store.write() as connection:
        connection.execute(change, rows)


def undelivered(store: Store, number: int, note: str, guard: Guard) -> Message:
    """The message reached nobody: what it said can be said again, another way. Said before, it
    stays as it is. Raises NotFound, Conflict if it is not out."""
    with store.write() as connection:
        found = message(connection, number, lock=True)
        guard(read_batch(connection, found.batch).area)
        if found.state is Sent.UNDELIVERED:
            return found
        if found.state not in (Sent.HANDED_OUT, Sent.SENT):
            raise Conflict(
                f"Tin {number} chưa được gửi ({found.state}). / "
                f"Message {number} is not out ({found.state})."
            )
        _not_out(connection, number, Sent.UNDELIVERED, note)
        return message(connection, number)


def _not_out(connection: Connection, number: int, state: Sent, note: str, **also: Any) -> None:
    now = utc_now()
    same = tables.reminders.c.id == number
    values = {"state": state.value, "note": note, "changed_at": now, "once": None} | also
    connection.execute(update(tables.reminders).where(same).values(values))
    i = tables.reminder_items.c
    gone = {"ended": Ended.UNDELIVERED.value, "ended_at": now, "once": None}
    open_ = (i.reminder == number, i.ended.is_(None))
    connection.execute(update(tables.reminder_items).where(*open_).values(gone))


def due(store: Store, now: datetime, limit: int) -> list[Message]:
    """Messages that a webhook is to be told now, the oldest first."""
    r = tables.reminders.c
    query = select(r.id).where(r.state == Sent.PENDING.value, r.next_try_at <= now)
    with store.read() as connection:
        numbers = connection.execute(query.order_by(r.id).limit(limit)).scalars().all()
        return [message(connection, number) for number in numbers]


def went(store: Store, number: int) -> None:
    """The webhook has taken it."""
    same = (tables.reminders.c.id == number, tables.reminders.c.state == Sent.PENDING.value)
    values = {
        "state": Sent.SENT.value,
        "tries": tables.reminders.c.tries + 1,
        "next_try_at": None,
        "changed_at": utc_now(),
        "note": None,
    }
    with store.write() as connection:
        connection.execute(update(tables.reminders).where(*same).values(values))


def failed(store: Store, number: int, why: str, again_at: datetime | None) -> None:
    """The webhook has not taken it: again then, or (None) no more, and another way is free."""
    r = tables.reminders.c
    with store.write() as connection:
        if again_at is None:
            _not_out(connection, number, Sent.FAILED, why, tries=r.tries + 1, next_try_at=None)
            return
        values = {"tries": r.tries + 1, "next_try_at": again_at, "note": why}
        connection.execute(update(tables.reminders).where(r.id == number).values(values))
