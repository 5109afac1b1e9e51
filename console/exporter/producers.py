"""Each producer as `GET /v1/producers/activity` sees it: one meaning of *silent* for both."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from console.exporter.bounded import OTHER, bounded
from console.exporter.probe import Found
from console.gateway.activity import Limits, Seen, activity
from console.gateway.schemas import ProducerActivity
from schemas.meters import Labels
from schemas.metrics import (
    PRODUCER_LAST_SEEN,
    PRODUCER_RECENT,
    PRODUCER_SILENT,
    PRODUCERS_SILENT,
)
from schemas.places import Producer

MOST: Final = 200
UNREGISTERED: Final = "(unregistered)"  # a record can name anybody
OUTCOMES: Final = ("written", "duplicate", "rejected")


def producers_now(
    producers: Sequence[Producer], seen: Mapping[str, Seen], limits: Limits, now: datetime
) -> Found:
    """The silent ones first, then those of the most records, by name; the others together."""
    known = {producer.id for producer in producers}
    judged = activity(producers, seen, limits, now, others=False)
    named, rest = bounded(judged, lambda one: (not one.silent, -_recent(seen, one)), MOST)
    recent: dict[Labels, float] = {
        (one.producer, outcome): float(count)
        for one in named
        for outcome, count in _counts(seen, one.producer).items()
    }
    strangers = [name for name in seen if name not in known]
    for name, members in ((OTHER, [one.producer for one in rest]), (UNREGISTERED, strangers)):
        if members:
            counts = [_counts(seen, member) for member in members]
            recent |= {(name, o): float(sum(c[o] for c in counts)) for o in OUTCOMES}
    return {
        PRODUCER_RECENT: recent,
        PRODUCER_LAST_SEEN: {
            (one.producer,): one.last_seen_at.timestamp()
            for one in named
            if one.last_seen_at is not None
        },
        PRODUCER_SILENT: {(one.producer,): float(one.silent) for one in named},
        PRODUCERS_SILENT: {(): float(sum(one.silent for one in judged))},
    }


def _counts(seen: Mapping[str, Seen], producer: str) -> dict[str, int]:
    counts = seen.get(producer, Seen()).all
    return {outcome: c.quarter for outcome, c in zip(OUTCOMES, counts, strict=True)}


def _recent(seen: Mapping[str, Seen], one: ProducerActivity) -> int:
    return sum(_counts(seen, one.producer).values())
