"""A city's scans for `truyvet bench trace`: two weeks of stays, a day at a time, from a seed.

Forty scans a person: twenty stays, each with its scan in and its scan out, in twenty of the
fourteen days' 28 halves. A third of the stays are where a person works or learns, the
others anywhere. How busy a place is, is lognormal, as `bench.load` has it; the busiest has 0.3 %
of all scans and the next ones a half, a third of that, as far as this is more than their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.clock import local_midnight
from schemas.places import Place
from sim.dwell import dwell_of

DAYS: Final = 14
SCANS_A_PERSON: Final = 40
SCANS_A_PLACE: Final = 2_000  # 5,000 places for ten million scans
BUSIEST: Final = 0.003
SIGMA: Final = 0.82
_REGULARS: Final = 0.7  # of the stays by day
_MASKS: Final = 4_096
_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
# Kinds that can be a city's busiest.
_CROWDED: Final = ("stall_row", "supermarket", "waiting_room", "canteen")
_HUBS: Final = 10

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scans:
    """Scans in the order of time. `who` is a person's number; `out` whether it is a scan out."""

    who: I32
    place: I32
    at: I64  # milliseconds since 1970 UTC
    out: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.who)

    def part(self, begin: int, end: int) -> "Scans":
        """Rows `begin` to `end`."""
        return self.rows(slice(begin, end))

    def rows(self, which: slice | I64) -> "Scans":
        """These rows, in this order."""
        return Scans(self.who[which], self.place[which], self.at[which], self.out[which])


def shares(places: int, rng: np.random.Generator) -> F64:
    """Each place's share of all stays, the busiest first. Their sum is 1."""
    found: F64 = np.sort(rng.lognormal(0.0, SIGMA, places))[::-1]
    found /= found.sum()
    hubs = BUSIEST / np.arange(1, min(_HUBS, places) + 1)
    hubs = hubs[: max(1, int(np.argmax(hubs <= found[: len(hubs)])) or len(hubs))]
    rest = np.minimum(found[len(hubs) :], hubs[-1])
    return np.concatenate([hubs, rest * (1 - hubs.sum()) / rest.sum()])


class TraceCity:
    """People (numbers from 0), their places, and what they scanned on each day.

    The day `until` (local) is the first after the last. One more person than the city has, the
    number `people`, spends every day from 5:00 to 20:00 at the busiest place.
    """

    def __init__(self, places: Sequence[Place], scans: int, seed: int, until: date) -> None:
        self.people = scans // SCANS_A_PERSON
        self.seed = seed
        self.until = local_midnight(until)
        self._first_ms = int(self.until.timestamp() * 1000) - DAYS * _DAY_MS
        rng = np.random.default_rng([seed, scans])
        self.busiest, self._ids, self._errands = _crowds(places, rng)
        kinds = sorted({place.kind for place in places})
        self._kind = np.zeros(max(p.id for p in places) + 1, np.int32)
        self._kind[[p.id for p in places]] = [kinds.index(p.kind) for p in places]
        self._dwell = np.array([(d.median, d.sigma, d.longest) for d in map(dwell_of, kinds)])
        regulars = self._ids[_HUBS:] if len(self._ids) > 2 * _HUBS else self._ids
        weight = np.diff(self._errands, prepend=0.0)[-len(regulars) :]
        self._anchor = regulars[_drawn(np.cumsum(weight / weight.sum()), rng, self.people)]
        self._masks = _masks(rng)
        self._mask = rng.integers(0, _MASKS, self.people, np.int32)

    def persons(self, who: I32) -> U64:
        """Their 64 bits: no two alike, and in no order (splitmix64)."""
        with np.errstate(over="ignore"):
            z = (who.astype(np.uint64) + np.uint64(self.seed * 2**33 + 1)) * np.uint64(
                0x9E3779B97F4A7C15
            )
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            found: U64 = z ^ (z >> np.uint64(31))
        return found

    def day(self, number: int) -> Scans:
        """The scans of day `number` (from 0), in the order of time."""
        rng = np.random.default_rng([self.seed, self.people, number])
        stays = [self._by_day(number, rng), self._in_the_evening(number, rng), self._keeper()]
        who, place, begin, end = (np.concatenate(c) for c in zip(*stays, strict=True))
        at = np.concatenate([begin, end]) + (self._first_ms + number * _DAY_MS)
        order = np.argsort(at, kind="stable")
        out = order >= len(who)
        row = np.where(out, order - len(who), order)
        return Scans(who[row], place[row], at[order], out)

    def _by_day(self, number: int, rng: np.random.Generator) -> tuple[Any, ...]:
        who = self._out_and_about(2 * number)
        regular = rng.random(len(who)) < _REGULARS
        place = np.where(regular, self._anchor[who], self._anywhere(rng, len(who)))
        begin = np.where(
            regular, _minutes(rng, len(who), 390, 510), _minutes(rng, len(who), 420, 960)
        )
        long = np.clip(rng.normal(480, 60, len(who)), 180, 540)
        minutes = np.where(regular, long, self._minutes_at(place, rng))
        return who, place, begin, _ended(begin, minutes, 18 * 60)

    def _in_the_evening(self, number: int, rng: np.random.Generator) -> tuple[Any, ...]:
        who = self._out_and_about(2 * number + 1)
        place = self._anywhere(rng, len(who))
        begin = _minutes(rng, len(who), 18 * 60 + 15, 20 * 60 + 30)
        return who, place, begin, _ended(begin, self._minutes_at(place, rng), 23 * 60 + 45)

    def _keeper(self) -> tuple[Any, ...]:
        begin, end = (np.array([h * 60 * _MINUTE_MS], np.int64) for h in (5, 20))
        here = np.array([self.busiest], np.int32)
        return np.array([self.people], np.int32), here, begin, end

    def _out_and_about(self, slot: int) -> I32:
        mine = self._masks[:, slot][self._mask]
        return np.flatnonzero(mine).astype(np.int32)

    def _anywhere(self, rng: np.random.Generator, count: int) -> I32:
        found: I32 = self._ids[_drawn(self._errands, rng, count)]
        return found

    def _minutes_at(self, place: I32, rng: np.random.Generator) -> F64:
        median, sigma, longest = self._dwell[self._kind[place]].T
        drawn: F64 = median * np.exp(sigma * rng.standard_normal(len(place)))
        found: F64 = np.minimum(drawn, longest)
        return found


def _crowds(places: Sequence[Place], rng: np.random.Generator) -> tuple[int, I32, F64]:
    """The busiest place; all in the order of their shares; the shares of errands, added up.

    Nobody works at the crowded ones in these figures, so errands there are more by as much.
    """
    ids = np.array([p.id for p in places], np.int32)
    mixed = rng.permutation(len(ids))
    crowded = np.array([places[i].kind in _CROWDED for i in mixed])
    first = mixed[crowded][:_HUBS]
    ids = ids[np.concatenate([first, mixed[~np.isin(mixed, first)]])]
    share = shares(len(ids), rng)
    # of the stays, half are by day
    errands = 1 - _REGULARS / 2
    share[:_HUBS] = share[:_HUBS] / errands
    share[_HUBS:] *= (1 - share[:_HUBS].sum()) / share[_HUBS:].sum()
    return int(ids[0]), ids, np.cumsum(share)


def _masks(rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Ways to be out in exactly twenty of the days' halves."""
    order = np.argsort(rng.random((_MASKS, 2 * DAYS)), axis=1)
    found: npt.NDArray[np.bool_] = order < SCANS_A_PERSON // 2
    return found


def _drawn(cumulated: F64, rng: np.random.Generator, count: int) -> I64:
    at = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], side="right")
    found: I64 = np.minimum(at, len(cumulated) - 1).astype(np.int64)
    return found


def _minutes(rng: np.random.Generator, count: int, low: int, high: int) -> I64:
    """Milliseconds after midnight, between two minutes of the day."""
    return rng.integers(low * _MINUTE_MS, high * _MINUTE_MS, count, np.int64)


def _ended(begin: I64, minutes: F64, latest: int) -> I64:
    """At least two minutes, and over by the minute `latest` of the day."""
    end = begin + (np.maximum(minutes, 2.0) * _MINUTE_MS).astype(np.int64)
    found: I64 = np.minimum(end, latest * _MINUTE_MS)
    return found
