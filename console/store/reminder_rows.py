"""Reminders as they stand: batches, their messages, what each is about, what was said before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, true

from console.reminders.plan import Frame, once
from console.reminders.texts import Channel, Reason
from console.store import tables
from console.store.engine import Store
from console.store.errors import NotFound
from console.worklist.areas import areas_within
from issuer.units import EVERYWHERE
from schemas.clock import local_text

AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters


class State(StrEnum):
    """How far a batch is."""

    PROPOSED = "proposed"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class Sent(StrEnum):
    """Where a message is. Handed out: an officer has its text; pending, sent, failed: a webhook.

    Dropped: nothing was left to say. Undelivered: the officer says that it reached nobody.
    """

    PROPOSED = "proposed"
    DROPPED = "dropped"
    HANDED_OUT = "handed_out"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True)
class Batch:
    """A batch as it stands. `confirmed_by`: who released it first where two are needed."""

    id: int
    area: str
    frame: Frame
    sector: str | None
    kind: str | None
    rule: Mapping[str, Any]
    state: State
    proposed_at: datetime
    proposed_by: str
    confirmed_at: datetime | None
    confirmed_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    messages: Mapping[Sent, int]


@dataclass(frozen=True)
class Message:
    """One message; before the release without words."""

    id: int
    batch: int
    to: str
    ward: str
    state: Sent
    title: str | None
    body: str | None
    tries: int
    changed_at: datetime
    note: str | None


@dataclass(frozen=True)
class Before:
    """When and how the same thing went out first."""

    subject: str
    message: int
    channel: Channel
    at: datetime
    by: str

    def words(self) -> tuple[str, str]:
        """For a refusal, in both languages."""
        at = local_text(self.at)
        return (
            f"đã nhắc lúc {at} qua {self.channel} (tin {self.message}, {self.by})",
            f"was reminded on {at} by {self.channel} (message {self.message}, {self.by})",
        )


def batch(store: Store, number: int) -> Batch:
    """One batch. Raises NotFound."""
    with store.read() as connection:
        return read_batch(connection, number)


def batches(store: Store, area: str, *, limit: int, before: int | None = None) -> list[Batch]:
    """Those of the area and of areas in it, the newest first, with numbers below `before`."""
    b = tables.reminder_batches.c
    query = select(b.id).where(in_area(area)).order_by(b.id.desc()).limit(limit)
    if before is not None:
        query = query.where(b.id < before)
    with store.read() as connection:
        return [read_batch(connection, number) for number in connection.execute(query).scalars()]


def messages(store: Store, number: int) -> list[Message]:
    """A batch's messages, in their order."""
    with store.read() as connection:
        return messages_of(connection, number)


def message(connection: Connection, number: int, *, lock: bool = False) -> Message:
    """One message. Raises NotFound."""
    query = select(tables.reminders).where(tables.reminders.c.id == number)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound(f"Không có tin nhắc {number}. / There is no reminder {number}.")
    return _message(row)


def read_batch(connection: Connection, number: int, *, lock: bool = False) -> Batch:
    """One batch; with `lock`, its row locked until the transaction ends. Raises NotFound."""
    query = select(tables.reminder_batches).where(tables.reminder_batches.c.id == number)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound(f"Không có đợt nhắc {number}. / There is no batch of reminders {number}.")
    r = tables.reminders.c
    counted = select(r.state, func.count()).where(r.batch == number).group_by(r.state)
    counts = {Sent(state): n for state, n in connection.execute(counted)}
    return _batch(row, counts)


def messages_of(connection: Connection, number: int) -> list[Message]:
    """A batch's messages, in their order."""
    query = select(tables.reminders).where(tables.reminders.c.batch == number)
    return [_message(row) for row in connection.execute(query.order_by(tables.reminders.c.id))]


def items_of(connection: Connection, number: int) -> dict[int, list[str]]:
    """What each message of a batch is about, by message."""
    r, i = tables.reminders.c, tables.reminder_items.c
    query = (
        select(i.reminder, i.subject)
        .join(tables.reminders, r.id == i.reminder)
        .where(r.batch == number)
        .order_by(i.reminder, i.subject)
    )
    found: dict[int, list[str]] = {}
    for reminder, subject in connection.execute(query):
        found.setdefault(reminder, []).append(subject)
    return found


def told(connection: Connection, reason: Reason, subjects: Iterable[str]) -> dict[str, Before]:
    """Of these, which were told the same and have not caught up since: when and how."""
    keys = {once(reason, subject): subject for subject in subjects}
    found = _before(connection, tables.reminder_items.c.once, list(keys))
    return {keys[one.subject]: replace(one, subject=keys[one.subject]) for one in found}


def told_aloud(connection: Connection, keys: Sequence[str]) -> dict[str, Before]:
    """Of what a loudspeaker says once in a week (`plan.once_aloud`), what it has said."""
    return {one.subject: one for one in _before(connection, tables.reminders.c.once, keys)}


def _before(connection: Connection, key: Any, keys: Sequence[str]) -> Iterator[Before]:
    r, b = tables.reminders.c, tables.reminder_batches.c
    query = select(key, r.id, b.channel, b.ended_at, b.ended_by).select_from(tables.reminders)
    query = query.join(tables.reminder_batches, b.id == r.batch)
    if key.table is tables.reminder_items:
        query = query.join(tables.reminder_items, tables.reminder_items.c.reminder == r.id)
    for begin in range(0, len(keys), AT_ONCE):
        for row in connection.execute(query.where(key.in_(keys[begin : begin + AT_ONCE]))):
            yield Before(row[0], row[1], Channel(row[2]), row[3], row[4])


def in_area(area: str) -> Any:
    """A condition on batches: of the area, or of one in it."""
    a = tables.reminder_batches.c.area
    return true() if area == EVERYWHERE else a.in_(areas_within(area))


def _batch(row: Row[Any], counts: dict[Sent, int]) -> Batch:
    fields = dict(row._mapping)
    rule = fields["rule"]
    frame = Frame(
        Reason(fields.pop("reason")),
        Channel(fields.pop("channel")),
        fields.pop("text"),
        fields.pop("lang"),
        fields.pop("reply_by"),
        datetime.fromisoformat(rule["as_of"]),
        rule["days"],
    )
    return Batch(frame=frame, messages=counts, **(fields | {"state": State(fields["state"])}))


def _message(row: Row[Any]) -> Message:
    return Message(
        row.id, row.batch, row.subject, row.ward, Sent(row.state), row.title, row.body, row.tries,
        row.changed_at, row.note,
    )  # fmt: skip
