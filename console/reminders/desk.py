"""What an officer does with reminders: propose, look, release; and what helped, looked up.

Everything here asks coverage as it is now first, so that who has caught up is not told, and who
fell behind anew can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from console.coverage.funnel import Asked
from console.coverage.stages import Within
from console.reminders.effect import Effect, effects
from console.reminders.looking import behind_still, ended, look
from console.reminders.plan import Frame, Lagging, drafts, letter, once_aloud
from console.reminders.texts import Channel, Lang, Reason, texts
from console.store import reminder_ends, reminder_rows
from console.store import reminders as store_
from console.store.engine import Store, utc_now
from console.store.errors import Conflict
from console.store.reminder_rows import Batch, Before, Message, State
from console.store.reminder_words import names_of
from console.store.reminders import Guard, NewBatch, Release
from schemas.clock import LOCAL
from schemas.errors import UserError
from schemas.settings import Settings
from streams.clickhouse import ClickHouse

REPLY_DAYS: Final = 3
SINCE: Final = timedelta(days=90)  # what helped is counted of so long
SHOWN: Final = 3


@dataclass(frozen=True)
class Wanted:
    """Who is to be told what. `text` None: the channel's first; `reply_by` None: in three days."""

    asked: Asked
    reason: Reason
    channel: Channel
    lang: Lang = "vi"
    text: str | None = None
    reply_by: date | None = None


@dataclass(frozen=True)
class Desk:
    """What it works with. `within`, `two_above` and whether there is a webhook are settings."""

    store: Store
    clickhouse: ClickHouse
    within: Within
    two_above: int
    webhook: bool

    def propose(self, wanted: Wanted, by: str) -> Batch:
        """A batch of all who are behind and were not told so already.

        Raises UserError for a text that is not of the channel or a day that is past; Conflict if
        nobody is left to tell, saying when and how they were; Retryable.
        """
        now = utc_now()
        if wanted.channel is Channel.WEBHOOK and not self.webhook:
            raise UserError("Kênh webhook chưa được bật. / The channel webhook is off.")
        frame_text = _text(wanted.channel, wanted.text)
        reply_by = _reply_by(wanted.reply_by, now)
        self.observe(wanted.asked.area, now)
        seen = look(self.store, self.clickhouse, wanted.asked, wanted.reason, self.within, now)
        left, before = self._left(wanted, seen.lagging, now)
        if not left:
            raise Conflict(_nobody(before, seen.too_new))
        frame = Frame(
            wanted.reason,
            wanted.channel,
            frame_text,
            wanted.lang,
            reply_by,
            seen.as_of,
            self.within.scanned_days,
        )
        rule = {"behind": len(seen.lagging), "told": len(before), "too_new": seen.too_new}
        asked = wanted.asked
        new = NewBatch(frame, asked.area, by, rule, asked.sector, asked.kind)
        return store_.propose(self.store, new, drafts(left, wanted.channel))

    def release(self, number: int, count: int, by: str, guard: Guard) -> Batch:
        """As `console.store.reminders.release`, without whom the batch has caught up."""
        batch = reminder_rows.batch(self.store, number)
        guard(batch.area)
        gone: frozenset[str] = frozenset()
        if batch.state is State.PROPOSED:
            self.observe(batch.area, utc_now())
            with self.store.read() as connection:
                items = reminder_rows.items_of(connection, number)
            about = sorted({subject for some in items.values() for subject in some})
            still = behind_still(
                self.store, self.clickhouse, batch.frame.reason, about, self.within
            )
            gone = frozenset(about) - still
        asked = Release(by, count, gone, self.two_above)
        return store_.release(self.store, number, asked, guard)

    def observe(self, area: str, now: datetime) -> int:
        """Remember what has ended of what was said in the area; how much."""
        items = reminder_ends.open_items(self.store, area)
        ends = ended(self.store, self.clickhouse, items, self.within, now)
        reminder_ends.end(self.store, ends)
        return len(ends)

    def effect(self, area: str, days: int) -> list[Effect]:
        """What helped, of the last ninety days."""
        now = utc_now()
        self.observe(area, now)
        return effects(reminder_ends.items_since(self.store, area, now - SINCE), days, now)

    def _left(
        self, wanted: Wanted, lagging: Sequence[Lagging], now: datetime
    ) -> tuple[list[Lagging], list[Before]]:
        """Who is left to tell, and what the others were told."""
        day = now.astimezone(LOCAL).date()
        with self.store.read() as connection:
            if wanted.channel is not Channel.LOUDSPEAKER:
                known = reminder_rows.told(
                    connection, wanted.reason, [one.subject for one in lagging]
                )
                return [o for o in lagging if o.subject not in known], list(known.values())
            weeks = {o.ward: once_aloud(wanted.reason, f"ward/{o.ward}", day) for o in lagging}
            said = reminder_rows.told_aloud(connection, list(weeks.values()))
        return [o for o in lagging if weeks[o.ward] not in said], list(said.values())


def desk_of(settings: Settings, store: Store, clickhouse: ClickHouse) -> Desk:
    """The desk of these settings."""
    webhook = bool(settings.reminder_webhook_url)
    return Desk(store, clickhouse, Within.of(settings), settings.reminders_two_above, webhook)


def fields_of(batch: Batch, two_above: int) -> dict[str, Any]:
    """A batch as it is shown: beside its own fields those of its frame and of its rule."""
    count = sum(batch.messages.values())
    fields = vars(batch) | vars(batch.frame) | dict(batch.rule)
    fields |= {"as_of": batch.frame.as_of, "count": count, "needs_second": count > two_above}
    return {name: value for name, value in fields.items() if name not in ("frame", "rule")}


def shown_of(store: Store, batch: Batch) -> list[Message]:
    """All messages of what was released; else the first few, with the words they will have."""
    messages = reminder_rows.messages(store, batch.id)
    return messages if batch.state is State.RELEASED else _preview(store, batch, messages[:SHOWN])


def _preview(store: Store, batch: Batch, some: Sequence[Message]) -> list[Message]:
    with store.read() as connection:
        items = reminder_rows.items_of(connection, batch.id)
        about = [subject for m in some for subject in items.get(m.id, ())]
        names = names_of(connection, [*about, *(m.to for m in some)])
    shown = []
    for m in some:
        called = [names[s] for s in items.get(m.id, ()) if s in names and s != m.to]
        title, body = letter(batch.frame, m.ward, names.get(m.to, m.to), called)
        fields: dict[str, Any] = vars(m) | {"title": title, "body": body}
        shown.append(Message(**fields))
    return shown


def _text(channel: Channel, text: str | None) -> str:
    there = texts().of(channel)
    if text is None:
        return there[0]
    if text not in there:
        listed = ", ".join(there)
        raise UserError(
            f"text: kênh {channel} chỉ có {listed}. / text: the channel {channel} has {listed}."
        )
    return text


def _reply_by(day: date | None, now: datetime) -> date:
    today = now.astimezone(LOCAL).date()
    if day is not None and day <= today:
        raise UserError("reply_by: phải sau hôm nay. / reply_by: it must be after today.")
    return day or today + timedelta(days=REPLY_DAYS)


def _nobody(before: Sequence[Before], too_new: int) -> str:
    if not before and too_new:
        return (
            f"{too_new} điểm chưa đạt bước này, nhưng mã còn mới: chưa đến lúc nhắc. / "
            f"{too_new} places are behind at this stage, but their codes are too new to remind of."
        )
    if not before:
        return "Không có điểm nào chưa đạt bước này. / Nobody is behind at this stage."
    first = min(before, key=lambda one: one.at)
    vi, en = first.words()
    return (
        f"Tất cả {len(before)} điểm chưa đạt đều đã được nhắc: {first.subject} {vi}. "
        f"Bước tiếp theo là kiểm tra tại chỗ. / All {len(before)} that are behind were told: "
        f"{first.subject} {en}. What comes next is an inspection."
    )
