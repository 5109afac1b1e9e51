"""The names that reminders are written with, and a released one as it goes out."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from console.reminders.plan import Frame
from console.store import tables
from console.store.outbox import Entry
from schemas import cloudevents
from schemas.notices import Reminder
from schemas.topics import NOTICES

_AT_ONCE = 500  # SQLite takes a bounded number of parameters
SOURCE = "truyvet/console"


def names_of(connection: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """Names of places, sites and required establishments; what is not there is left out."""
    by_kind: dict[str, list[str]] = {"place": [], "site": [], "required": []}
    for subject in sorted(set(subjects)):
        kind, _, rest = subject.partition("/")
        if kind in by_kind:
            by_kind[kind].append(rest)
    found: dict[str, str] = {}
    for kind, table in (("place", tables.places), ("site", tables.sites)):
        numbers = [int(rest) for rest in by_kind[kind]]
        for begin in range(0, len(numbers), _AT_ONCE):
            some = table.c.id.in_(numbers[begin : begin + _AT_ONCE])
            query = select(table.c.id, table.c.name).where(some)
            found |= {f"{kind}/{number}": name for number, name in connection.execute(query)}
    r = tables.required.c
    for rest in by_kind["required"]:
        listed, _, entry = rest.partition("/")
        name = connection.scalar(select(r.name).where(r.list == listed, r.entry == entry))
        if name is not None:
            found[f"required/{rest}"] = name
    return found


def notice(
    frame: Frame,
    number: int,
    to: str,
    ward: str,
    items: Sequence[str],
    words: tuple[str | None, str],
    by: str,
    now: datetime,
) -> Entry:
    """A released message as a CloudEvent on `notices.v1`; again is the same id."""
    title, body = words
    reminder = Reminder(
        id=number,
        to=to,
        ward=ward,
        reason=frame.reason.value,
        channel=frame.channel.value,
        lang=frame.lang,
        title=title,
        body=body,
        places=tuple(int(s.removeprefix("place/")) for s in items if s.startswith("place/")),
        reply_by=frame.reply_by,
        released_at=now,
        released_by=by,
    )
    event = f"{cloudevents.NOTICE_PREFIX}reminder"
    headers = cloudevents.headers(f"reminder/{number}", SOURCE, event, now)
    return Entry(
        NOTICES.name,
        to,
        reminder.model_dump_json(exclude_none=True).encode(),
        {name: value.decode() for name, value in headers},
    )
