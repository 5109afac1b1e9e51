"""Which messages a reminder is: one for each establishment, or for each ward what all may hear.

Pure: what is behind comes in as `Lagging`. The same thing is said once: a place that is behind at a
stage is not told again until it has caught up and fallen behind anew; a loudspeaker says a thing
to a ward once in a week.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from console.reminders.texts import Channel, Lang, Reason, authority, named, where, written
from issuer.units import ward as unit
from schemas.clock import local_text

MOST: Final = 5_000  # places of one batch: more are told ward by ward


@dataclass(frozen=True)
class Lagging:
    """A place behind: `place/12` of `site/3`; or an establishment that is not registered, which
    is both (`required/<list>/<entry>`)."""

    subject: str
    owner: str
    ward: str


@dataclass(frozen=True)
class Draft:
    """A message before it is released: to whom, of which ward, about what."""

    to: str
    ward: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """What all messages of a batch share. `days` without a scan; `as_of` the round looked at."""

    reason: Reason
    channel: Channel
    text: str
    lang: Lang
    reply_by: date
    as_of: datetime
    days: int


def drafts(lagging: Iterable[Lagging], channel: Channel) -> list[Draft]:
    """Messages in the order in which their first place comes."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in lagging:
        to = f"ward/{one.ward}" if channel is Channel.LOUDSPEAKER else one.owner
        found.setdefault((to, one.ward), []).append(one.subject)
    return [Draft(to, ward, tuple(items)) for (to, ward), items in found.items()]


def once(reason: Reason, subject: str) -> str:
    """What is said once: that this is behind at this stage."""
    return f"{reason.value}/{subject}"


def once_aloud(reason: Reason, to: str, day: date) -> str:
    """What a loudspeaker says once in a (local) week."""
    year, week, _ = day.isocalendar()
    return f"{once(reason, to)}/{year}-W{week:02}"


def letter(
    frame: Frame, ward: str, to_name: str, item_names: Sequence[str]
) -> tuple[str | None, str]:
    """Title and text of one message. Raises ValueError for a ward that is not there."""
    there = unit(ward)
    filled = {
        "authority": authority(there, frame.lang),
        "ward": named(there.name, frame.lang),
        "site": to_name,
        "where": where(list(item_names), frame.lang),
        "by": f"{frame.reply_by:%d/%m/%Y}",
        "as_of": local_text(frame.as_of),
        "days": str(frame.days),
    }
    return written(frame.text, frame.reason, frame.lang, filled)
