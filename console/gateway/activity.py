"""Which producers are silent or noisy: judged from counts, told the time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from console.api.schemas import Sentence
from console.gateway.schemas import OutcomeCounts, ProducerActivity
from schemas.places import Producer

DAYS: Final = 7  # of history that "usual" is made of
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS
_STRANGERS: Final = 50  # names that nobody registered: a record can say anything
_FEWEST_JUDGED: Final = 20  # records, before a share of them says anything
_FEWEST_LOUD: Final = 1_000  # records in an hour, before a rate is called high


@dataclass(frozen=True)
class Limits:
    """When to call a producer silent or noisy."""

    silent_after_minutes: int = 60
    noisy_share: float = 0.2  # of an hour's or a day's records, rejected
    noisy_times: float = 5.0  # the usual of an hour


@dataclass(frozen=True)
class Counts:
    """One producer's records of one outcome. `last` in ms since 1970 UTC, 0 if there are none.

    `before` are those of the seven days before the last hour, in `hours` different hours.
    `then` are those of these days at the time of day that the last minutes have: the minutes
    that, without a record, make a producer silent. `quarter`: of the last 15 minutes.
    """

    last: int = 0
    hour: int = 0
    day: int = 0
    before: int = 0
    hours: int = 0
    then: int = 0
    quarter: int = 0


@dataclass(frozen=True)
class Seen:
    """One producer's records, by what became of them."""

    written: Counts = Counts()
    duplicates: Counts = Counts()
    rejected: Counts = Counts()

    @property
    def all(self) -> tuple[Counts, Counts, Counts]:
        """Whatever became of them."""
        return self.written, self.duplicates, self.rejected


def activity(
    producers: Iterable[Producer], seen: Mapping[str, Seen], limits: Limits, now: datetime,
    *, others: bool,
) -> list[ProducerActivity]:  # fmt: skip
    """How each does: silent and noisy ones first, then by the day's records, then by id.

    `others`: also the most frequent names in the tables that nobody registered.
    """
    named = {producer.id: producer for producer in producers}
    strangers = sorted(set(seen) - set(named), key=lambda i: (-_day(seen[i]), i)) if others else []
    ids = [*named, *strangers[:_STRANGERS]]
    found = [_one(i, named.get(i), seen.get(i, Seen()), limits, now) for i in ids]
    return sorted(found, key=_urgency)


def _day(seen: Seen) -> int:
    return sum(counts.day for counts in seen.all)


def _urgency(one: ProducerActivity) -> tuple[bool, int, str]:
    day = one.last_day
    return not (one.silent or one.noisy), -(day.written + day.rejected), one.producer


def _one(
    producer: str, record: Producer | None, seen: Seen, limits: Limits, now: datetime
) -> ProducerActivity:
    last = max(counts.last for counts in seen.all)
    before, hours = sum(c.before for c in seen.all), max(c.hours for c in seen.all)
    usual = before / hours if hours else 0.0
    last_hour, last_day = _outcomes(seen, "hour"), _outcomes(seen, "day")
    active = record is None or record.active
    silence = _silence(last, sum(c.then for c in seen.all) / DAYS, limits, now) if active else None
    noise = _noise(last_hour, last_day, usual, limits)
    said = [sentence for sentence in (silence, noise) if sentence is not None]
    return ProducerActivity(
        producer=producer,
        name=record.name if record else None,
        active=record.active if record else None,
        last_seen_at=datetime.fromtimestamp(last / 1000, UTC) if last else None,
        last_hour=last_hour,
        last_day=last_day,
        usual_per_hour=round(usual, 1),
        silent=silence is not None,
        noisy=noise is not None,
        sentence=Sentence(
            vi=" ".join(s.vi for s in said), en=" ".join(s.en for s in said)
        ) if said else None,
    )  # fmt: skip


def _outcomes(seen: Seen, span: str) -> OutcomeCounts:
    written, duplicates, rejected = (int(getattr(counts, span)) for counts in seen.all)
    total = written + duplicates + rejected
    share = round(rejected / total, 4) if total else None
    return OutcomeCounts(
        written=written, duplicates=duplicates, rejected=rejected, reject_share=share
    )


def _silence(last: int, expected: float, limits: Limits, now: datetime) -> Sentence | None:
    """A gate is not silent at night: only where some are usual at this time, or after a day."""
    if not last:
        return None
    minutes = int((now.timestamp() * 1000 - last) // _MINUTE_MS)
    if minutes < limits.silent_after_minutes:
        return None
    if expected >= 1:
        return Sentence(
            vi=f"Im lặng {minutes} phút; giờ này mọi ngày có khoảng {expected:.0f} bản ghi.",
            en=f"Silent for {minutes} minutes; about {expected:.0f} records are usual by now.",
        )
    if minutes * _MINUTE_MS < _DAY_MS:
        return None
    return Sentence(
        vi=f"Im lặng {minutes // 60} giờ.", en=f"Silent for {minutes // 60} hours."
    )  # fmt: skip


def _noise(
    hour: OutcomeCounts, day: OutcomeCounts, usual: float, limits: Limits
) -> Sentence | None:
    for counts, vi, en in ((hour, "giờ", "hour"), (day, "ngày", "day")):
        total = counts.written + counts.duplicates + counts.rejected
        share = counts.reject_share or 0.0
        if total >= _FEWEST_JUDGED and share > limits.noisy_share:
            return Sentence(
                vi=f"{share:.0%} bản ghi trong {vi} qua bị từ chối.",
                en=f"{share:.0%} of the last {en}'s records were rejected.",
            )
    total = hour.written + hour.duplicates + hour.rejected
    if usual and total >= max(_FEWEST_LOUD, limits.noisy_times * usual):
        return Sentence(
            vi=f"{total} bản ghi trong giờ qua, gấp {total / usual:.0f} lần thường ngày.",
            en=f"{total} records in the last hour, {total / usual:.0f} times the usual.",
        )
    return None
