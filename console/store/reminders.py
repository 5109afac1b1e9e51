"""Reminders proposed, released, withdrawn. Nothing goes out that a person has not released.

A batch is proposed, shown, then released by an officer who says how many messages they saw; above
a number a second one must release it too. What has caught up or was told meanwhile is dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.exc import IntegrityError

from console.reminders.plan import Draft, Frame, letter, once, once_aloud
from console.reminders.texts import Channel, Reason
from console.store import outbox, tables
from console.store.engine import Store, allocate, utc_now
from console.store.errors import Conflict
from console.store.outbox import Entry
from console.store.reminder_rows import (
    Batch,
    Message,
    Sent,
    State,
    items_of,
    messages_of,
    read_batch,
    told,
    told_aloud,
)
from console.store.reminder_words import names_of, notice
from schemas.clock import LOCAL

GOOD_FOR: Final = timedelta(hours=24)  # a proposal: after that it is looked at anew

# Told a batch's area; raises what the asker is to hear.
Guard = Callable[[str], None]


@dataclass(frozen=True)
class NewBatch:
    """What is proposed, of which area, and by which rule it was found who is behind."""

    frame: Frame
    area: str
    by: str
    rule: Mapping[str, Any]
    sector: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Release:
    """Who releases, and the number of messages they saw. `caught_up`: items that are not behind
    any more. Above `two_above` messages it takes two."""

    by: str
    count: int
    caught_up: frozenset[str]
    two_above: int


def propose(store: Store, new: NewBatch, messages: Sequence[Draft]) -> Batch:
    """A batch that waits for its release; the asker's earlier one for the same is withdrawn."""
    now, frame, b = utc_now(), new.frame, tables.reminder_batches.c
    asked: dict[str, Any] = {
        "area": new.area,
        "reason": frame.reason.value,
        "channel": frame.channel.value,
        "sector": new.sector,
        "kind": new.kind,
        "proposed_by": new.by,
        "state": State.PROPOSED.value,
    }
    rule = dict(new.rule) | {"as_of": frame.as_of.isoformat(), "days": frame.days}
    words = {"text": frame.text, "lang": frame.lang, "reply_by": frame.reply_by}
    with store.write() as connection:
        same = [b[name].is_(None) if v is None else b[name] == v for name, v in asked.items()]
        gone = {"state": State.WITHDRAWN.value, "ended_at": now, "ended_by": new.by}
        connection.execute(update(tables.reminder_batches).where(*same).values(gone))
        number = allocate(connection, "reminder_batch")
        row = asked | words | {"id": number, "rule": rule, "proposed_at": now}
        connection.execute(insert(tables.reminder_batches), [row])
        _insert_messages(connection, number, messages, now)
        return read_batch(connection, number)


def _insert_messages(
    connection: Connection, batch: int, messages: Sequence[Draft], now: datetime
) -> None:
    first = allocate(connection, "reminder", max(1, len(messages)))
    fixed = {"batch": batch, "tries": 0, "state": Sent.PROPOSED.value, "changed_at": now}
    numbered = [*enumerate(messages, start=first)]
    rows = [{"id": n, "subject": m.to, "ward": m.ward} | fixed for n, m in numbered]
    items = [{"reminder": n, "subject": item} for n, m in numbered for item in m.items]
    if rows:
        connection.execute(insert(tables.reminders), rows)
        connection.execute(insert(tables.reminder_items), items)


def release(store: Store, number: int, asked: Release, guard: Guard) -> Batch:
    """The batch released, its words written and on their way to `notices.v1`; released before, as
    it is. Where two are needed, the first release only confirms it.

    Raises NotFound; Conflict if another number of messages is proposed, if it is older than a day
    or withdrawn, or if the second release comes from whom the first came from.
    """
    try:
        return _release(store, number, asked, guard)
    except IntegrityError:  # on PostgreSQL, another batch with the same place was first
        return _release(store, number, asked, guard)


def _release(store: Store, number: int, asked: Release, guard: Guard) -> Batch:
    now, by = utc_now(), asked.by
    with store.write() as connection:
        batch = read_batch(connection, number, lock=True)
        guard(batch.area)
        if batch.state is State.RELEASED:
            return batch
        _must_be_releasable(batch, asked.count, now)
        if asked.count > asked.two_above and batch.confirmed_by in (None, by):
            if batch.confirmed_by == by:
                most = asked.two_above
                raise Conflict(
                    f"Trên {most} tin cần hai người duyệt: lần hai phải là người khác. / "
                    f"Above {most} messages two people release: the second must be another."
                )
            _set(connection, number, {"confirmed_at": now, "confirmed_by": by})
        else:
            _let_out(connection, batch, asked, now)
            ended = {"state": State.RELEASED.value, "ended_at": now, "ended_by": by}
            _set(connection, number, ended)
        return read_batch(connection, number)


def _must_be_releasable(batch: Batch, count: int, now: datetime) -> None:
    proposed = batch.messages.get(Sent.PROPOSED, 0)
    if batch.state is State.WITHDRAWN:
        raise Conflict("Đề xuất này đã được rút. / This proposal was withdrawn.")
    if now - batch.proposed_at > GOOD_FOR:
        raise Conflict(
            "Đề xuất đã quá một ngày: hãy lập lại. / "
            "This proposal is older than a day: propose it again."
        )
    if count != proposed:
        raise Conflict(
            f"count: đề xuất có {proposed} tin, không phải {count}: hãy xem lại. / "
            f"count: there are {proposed} messages, not {count}: look again."
        )


def _let_out(connection: Connection, batch: Batch, asked: Release, now: datetime) -> None:
    frame = batch.frame
    aloud = frame.channel is Channel.LOUDSPEAKER
    items, messages = items_of(connection, batch.id), messages_of(connection, batch.id)
    everything = [subject for some in items.values() for subject in some]
    today = now.astimezone(LOCAL).date()
    weeks = {m.id: once_aloud(frame.reason, m.to, today) for m in messages if aloud}
    said = told_aloud(connection, list(weeks.values()))
    known = {} if aloud else told(connection, frame.reason, everything)
    names = names_of(connection, [*everything, *(m.to for m in messages)])
    entries: list[Entry] = []
    for message in messages:
        left = [s for s in items[message.id] if s not in asked.caught_up and s not in known]
        if not left or weeks.get(message.id) in said:
            _mark(connection, message, {"state": Sent.DROPPED.value, "changed_at": now})
            continue
        # an establishment that is not registered has no places to name
        called = [names[s] for s in left if s in names and s != message.to]
        words = letter(frame, message.ward, names.get(message.to, message.to), called)
        _keep(connection, message, left, None if aloud else frame.reason)
        _mark(connection, message, _out(frame.channel, words, weeks.get(message.id), now))
        entries.append(
            notice(frame, message.id, message.to, message.ward, left, words, asked.by, now)
        )
    outbox.append(connection, entries, now)


def _out(
    channel: Channel, words: tuple[str | None, str], week: str | None, now: datetime
) -> dict[str, Any]:
    sends = channel is Channel.WEBHOOK
    return {
        "state": (Sent.PENDING if sends else Sent.HANDED_OUT).value,
        "next_try_at": now if sends else None,
        "once": week,
        "title": words[0],
        "body": words[1],
        "changed_at": now,
    }


def _keep(
    connection: Connection, message: Message, left: Sequence[str], reason: Reason | None
) -> None:
    """Of a message's items those that are said, each so that it is said once."""
    i = tables.reminder_items.c
    connection.execute(delete(tables.reminder_items).where(i.reminder == message.id))
    keys = [(s, once(reason, s) if reason else None) for s in left]
    rows = [{"reminder": message.id, "subject": s, "once": key} for s, key in keys]
    connection.execute(insert(tables.reminder_items), rows)


def withdraw(store: Store, number: int, by: str, guard: Guard) -> Batch:
    """The proposal taken back; withdrawn before, as it is. Raises NotFound, Conflict."""
    with store.write() as connection:
        batch = read_batch(connection, number, lock=True)
        guard(batch.area)
        if batch.state is State.RELEASED:
            raise Conflict(
                "Đã duyệt và gửi, không rút lại được. / It was released and cannot be taken back."
            )
        if batch.state is State.PROPOSED:
            ended = {"state": State.WITHDRAWN.value, "ended_at": utc_now(), "ended_by": by}
            _set(connection, number, ended)
        return read_batch(connection, number)


def _set(connection: Connection, number: int, values: dict[str, Any]) -> None:
    same = tables.reminder_batches.c.id == number
    connection.execute(update(tables.reminder_batches).where(same).values(values))


def _mark(connection: Connection, message: Message, values: dict[str, Any]) -> None:
    same = tables.reminders.c.id == message.id
    connection.execute(update(tables.reminders).where(same).values(values))
