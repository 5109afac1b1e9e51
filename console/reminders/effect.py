"""What helped: of what was said, how much had caught up within some days, by channel and text.

A number of what happened afterwards, not of what it caused: places that nobody reminded catch up,
too, and those that are told by telephone are not those that a loudspeaker reaches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.reminders.texts import Channel, Lang, Reason
from console.store.reminder_ends import Ended, Item


@dataclass
class Effect:
    """Places told of one thing in one text. `open`: their days are not over yet."""

    reason: Reason
    channel: Channel
    text: str
    lang: Lang
    told: int = 0
    in_time: int = 0
    later: int = 0
    not_yet: int = 0
    open: int = 0
    closed: int = 0
    undelivered: int = 0

    @property
    def share(self) -> float | None:
        """In time, of those whose days are over or that caught up; None if there are none."""
        decided = self.in_time + self.later + self.not_yet
        return self.in_time / decided if decided else None


def effects(items: Iterable[Item], days: int, now: datetime) -> list[Effect]:
    """By reason, channel, text and language, in this order."""
    found: dict[tuple[Reason, Channel, str, Lang], Effect] = {}
    for item in items:
        key = (item.reason, item.channel, item.text, item.lang)
        one = found.setdefault(key, Effect(*key))
        one.told += 1
        how = _how(item, days, now)
        setattr(one, how, getattr(one, how) + 1)
    return [found[key] for key in sorted(found)]


def _how(item: Item, days: int, now: datetime) -> str:
    until = item.since + timedelta(days=days)
    if item.ended is Ended.REACHED:
        assert item.ended_at is not None, "an end has its time"
        return "in_time" if item.ended_at <= until else "later"
    if item.ended is not None:
        return item.ended.value
    return "open" if now < until else "not_yet"
