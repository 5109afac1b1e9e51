"""Reminders: what was proposed, what an officer released, to whom it went, and what helped."""

from typing import Final

from sqlalchemy import JSON, Date, ForeignKey, Integer, String, Table, Text

from console.store.column import Moment, column
from console.store.tables.base import metadata

# One proposal: who is behind at a stage, to be told over a channel. Its state says how far it is.
reminder_batches: Final = Table(
    "reminder_batches",
    metadata,
    column("id", Integer, primary_key=True, autoincrement=False),
    column("area", String(64), index=True),
    column("reason", String(16)),
    column("channel", String(16)),
    column("text", String(32)),
    column("lang", String(2)),
    column("sector", String(64), nullable=True),
    column("kind", String(64), nullable=True),
    column("reply_by", Date),
    column("rule", JSON),
    column("state", String(16)),
    column("proposed_at", Moment),
    column("proposed_by", String(32)),
    column("confirmed_at", Moment, nullable=True),
    column("confirmed_by", String(32), nullable=True),
    column("ended_at", Moment, nullable=True),
    column("ended_by", String(32), nullable=True),
)

# One message of it. `once`: what keeps a ward's loudspeaker from saying it twice in a week.
# `title` and `body` are what was said, written when it was released.
reminders: Final = Table(
    "reminders",
    metadata,
    column("id", Integer, primary_key=True, autoincrement=False),
    column("batch", Integer, ForeignKey("reminder_batches.id"), index=True),
    column("subject", String(330)),
    column("ward", String(64), index=True),
    column("state", String(16), index=True),
    column("once", String(128), nullable=True, unique=True),
    column("title", Text, nullable=True),
    column("body", Text, nullable=True),
    column("tries", Integer),
    column("next_try_at", Moment, nullable=True),
    column("changed_at", Moment),
    column("note", Text, nullable=True),
)

# What a message is about: places, or an establishment that is not registered. `once` keeps the
# same thing from being said again until it has ended; null before the release and after the end.
reminder_items: Final = Table(
    "reminder_items",
    metadata,
    column("reminder", Integer, ForeignKey("reminders.id"), primary_key=True),
    column("subject", String(330), primary_key=True),
    column("once", String(350), nullable=True, unique=True),
    column("ended_at", Moment, nullable=True),
    column("ended", String(16), nullable=True),
)
