"""One day of the city: who is where, from when to when. Nobody is at two places at once.

Every step takes all the people it concerns at once; `clock` is when each of them is free, so
whatever a step adds comes after all that went before.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sim.model import MINUTE_MS, VISIT, Array, Floats, Ints, Mask, Records, midnight_ms, weekday
from sim.people import FAVOURITES, People
from sim.roles import ATTENDANCE, ERRAND_TABLE, OCCUPATIONS
from sim.trips import RUNS_A_DAY_LIMIT
from sim.world import World

WALK: Final = 0.5  # minutes between two places, at least
SHORTEST: Final = 1.0  # no visit is shorter, but for gates
GATE_MINUTES: Final = 0.5
THROUGH_GATE: Final = 0.85
HABIT: Final = 0.6
MEETING_SLOTS: Final = (9 * 60.0, 10 * 60.0 + 20, 14 * 60.0, 15 * 60.0 + 20)
MEETING_ACTIVE, MEETING_JOINS, MEETING_SEATS = 0.55, 0.30, 12
LUNCH_OUT: Final = 0.3
WEEKEND_OUTINGS: Final = 1.7
MOST_ERRANDS: Final = 4


@dataclass
class Day:
    """A day under construction. `clock` is in minutes after the day's local midnight."""

    world: World
    people: People
    number: int
    clock: Floats
    rng: np.random.Generator
    parts: list[Records] = field(default_factory=list)

    def stay(
        self, who: Ints, where: Ints, start: Floats, end: Floats, trip: Ints | None = None
    ) -> Mask:
        """Adds a visit for each of `who` that is free and let in; says whose came about."""
        world = self.world
        begins = np.maximum(np.maximum(start, self.clock[who] + WALK), world.opens[where])
        ends = np.minimum(end, world.closes[where])
        kept: Mask = (where >= 0) & (ends - begins >= SHORTEST)
        self._add(who[kept], where[kept], begins[kept], ends[kept], trip, kept)
        return kept

    def through_gate(self, who: Ints, where: Ints, start: Floats) -> None:
        """Most pass a gate of the site just before."""
        gate = self.world.site_gate[where]
        begins = np.maximum(start - 2 * GATE_MINUTES, self.clock[who] + WALK)
        opens, closes = self.world.opens[gate], self.world.closes[gate]
        kept = (gate >= 0) & (self.rng.random(len(who)) < THROUGH_GATE) & (begins >= opens)
        kept &= begins + GATE_MINUTES <= np.minimum(closes, start + 1)
        begins = begins[kept]
        self._add(who[kept], gate[kept], begins, begins + GATE_MINUTES, None, kept)

    def _add(
        self, who: Ints, where: Ints, start: Floats, end: Floats, trip: Ints | None, kept: Mask
    ) -> None:
        base = midnight_ms(self.number)
        rows = np.empty(len(who), dtype=VISIT)
        rows["person"], rows["place"] = who, where
        rows["start"] = base + np.rint(start * MINUTE_MS).astype(np.int64)
        rows["end"] = base + np.rint(end * MINUTE_MS).astype(np.int64)
        rows["trip"] = -1 if trip is None else trip[kept]
        self.parts.append(rows)
        self.clock[who] = end


def simulate_day(
    world: World, people: People, number: int, free_at: Ints, rng: np.random.Generator
) -> tuple[Records, Ints]:
    """The day's visits in order of start, and when (UTC ms) each person is free afterwards."""
    base = midnight_ms(number)
    clock = np.maximum((free_at - base) / MINUTE_MS, 0.0)
    day = Day(world, people, number, clock, rng)
    at_work = np.flatnonzero(_works_today(people, number, rng))
    _ride(day, at_work, people.shift_start[at_work] - 75)
    _work(day, at_work)
    _ride(day, at_work, day.clock[at_work] + 2)
    _errands(day)
    _sleep(day)
    visits = np.concatenate([np.empty(0, dtype=VISIT), *day.parts])
    visits = visits[np.argsort(visits["start"], kind="stable")]
    return visits, base + np.rint(day.clock * MINUTE_MS).astype(np.int64)


def _works_today(people: People, number: int, rng: np.random.Generator) -> Mask:
    presence = np.zeros(len(OCCUPATIONS) + 1)
    presence[:-1] = [ATTENDANCE[o][weekday(number)] for o in OCCUPATIONS]
    return rng.random(len(people)) < presence[people.occupation]


def _ride(day: Day, who: Ints, wanted: Floats) -> None:
    """Those who go by bus board the next run of their line; others ride along the same way."""
    line = day.people.bus[who]
    who, line, wanted = who[line >= 0], line[line >= 0], wanted[line >= 0]
    if len(who) == 0:
        return
    first, headway, ride, runs = day.world.vehicle_times[line].T
    wanted = np.maximum(wanted, day.clock[who])
    run = np.maximum(np.ceil((wanted - first) / headway), 0).astype(np.int64)
    departs = first + run * headway
    on = departs + day.rng.random(len(who)) * 0.4 * ride
    off = departs + (0.55 + day.rng.random(len(who)) * 0.45) * ride
    caught = run < runs
    trip = day.number * RUNS_A_DAY_LIMIT + run
    vehicle = day.world.vehicles[line]
    day.stay(who[caught], vehicle[caught], on[caught], off[caught], trip[caught])


def _work(day: Day, who: Ints) -> None:
    """The shift, interrupted by a meeting or by lunch elsewhere."""
    rng, people = day.rng, day.people
    place = people.work[who]
    start = np.maximum(people.shift_start[who] + rng.normal(0, 5, len(who)), day.clock[who] + 3)
    end = people.shift_start[who] + people.shift_length[who] + rng.normal(0, 6, len(who))
    day.through_gate(who, place, start)
    pauses = sorted_pauses(_meeting(day, place), _lunch(day, who, place), start, end)
    for where, begins, ends in pauses:
        day.stay(who, place, start, np.minimum(begins - 1, end))
        taken = np.isfinite(begins)
        day.stay(who[taken], where[taken], begins[taken], ends[taken])
        start = np.where(taken, ends + 1, end)  # without a pause all is behind already
    day.stay(who, place, start, end)


Pause = tuple[Ints, Floats, Floats]


def sorted_pauses(one: Pause, two: Pause, start: Floats, end: Floats) -> tuple[Pause, Pause]:
    """Each one's two pauses in order of time; those that do not fit are infinitely late."""
    fitted = []
    for where, begins, ends in (one, two):
        outside = (begins < start + 15) | (ends > end - 15)
        fitted.append((where, np.where(outside, np.inf, begins), np.where(outside, np.inf, ends)))
    (w1, b1, e1), (w2, b2, e2) = fitted
    clash = (b1 < e2 + 3) & (b2 < e1 + 3) & np.isfinite(b1) & np.isfinite(b2)
    b2, e2 = np.where(clash, np.inf, b2), np.where(clash, np.inf, e2)
    swap = b2 < b1
    first = (np.where(swap, w2, w1), np.where(swap, b2, b1), np.where(swap, e2, e1))
    second = (np.where(swap, w1, w2), np.where(swap, b1, b2), np.where(swap, e1, e2))
    return first, second


def _meeting(day: Day, place: Ints) -> Pause:
    """Some rooms are booked for some slots; colleagues of the site join, up to the seats."""
    rng, world = day.rng, day.world
    slots = len(MEETING_SLOTS)
    booked = rng.random((len(world.rooms), slots)) < MEETING_ACTIVE
    jitter = rng.uniform(0, 12, (len(world.rooms), slots))
    lasts = np.clip(rng.lognormal(np.log(50), 0.35, (len(world.rooms), slots)), 20, 66)
    count = world.rooms_count[place]
    joins = (count > 0) & (rng.random(len(place)) < MEETING_JOINS)
    chosen = world.rooms_first[place] + (rng.random(len(place)) * count).astype(np.int64)
    slot = rng.integers(0, slots, len(place))
    late = rng.exponential(1.5, len(place))
    if len(world.rooms) == 0:
        nobody = np.full(len(place), np.inf)
        return np.full(len(place), -1), nobody, nobody
    chosen = np.where(joins, chosen, 0)
    joins &= booked[chosen, slot]
    joins &= rank_within(np.where(joins, chosen * slots + slot, -1)) < _seats(world, chosen)
    begins = np.array(MEETING_SLOTS)[slot] + jitter[chosen, slot]
    ends = begins + lasts[chosen, slot]
    begins = begins + np.minimum(late, 8)
    room = np.where(joins, world.rooms[chosen], -1)
    return room, np.where(joins, begins, np.inf), np.where(joins, ends, np.inf)


def _seats(world: World, chosen: Ints) -> Ints:
    capacity = world.capacity[world.rooms[chosen]]
    return np.where(capacity > 0, capacity, MEETING_SEATS)


def rank_within(keys: Ints) -> Ints:
    """The position of each element among those of the same key, in order of appearance."""
    order = np.argsort(keys, kind="stable")
    grouped = keys[order]
    first = np.r_[True, grouped[1:] != grouped[:-1]] if len(keys) else np.empty(0, dtype=bool)
    starts = np.maximum.accumulate(np.where(first, np.arange(len(keys)), 0))
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys)) - starts
    return ranks


def _lunch(day: Day, who: Ints, place: Ints) -> Pause:
    """The site's canteen if it has one, else for some a place near home where people eat."""
    rng = day.rng
    canteen = day.world.canteen[place]
    out = day.people.favourites[who, _category("food"), rng.integers(0, FAVOURITES, len(who))]
    where = np.where(canteen >= 0, canteen, out)
    goes = (where >= 0) & (rng.random(len(who)) < np.where(canteen >= 0, 0.7, LUNCH_OUT))
    walk = np.where(canteen >= 0, 2.0, 7.0)
    begins = 11.4 * 60 + rng.uniform(0, 50, len(who)) + walk
    ends = begins + np.clip(rng.lognormal(np.log(30), 0.3, len(who)), 12, 60)
    return where, np.where(goes, begins, np.inf), np.where(goes, ends, np.inf)


def _category(name: str) -> int:
    return [e.name for e in ERRAND_TABLE].index(name)


def _errands(day: Day) -> None:
    rng, people = day.rng, day.people
    rate = people.outings * (WEEKEND_OUTINGS if weekday(day.number) >= 5 else 1.0)
    count = np.minimum(rng.poisson(rate), MOST_ERRANDS)
    for nth in range(MOST_ERRANDS):
        who = np.flatnonzero(count > nth)
        category = np.searchsorted(
            np.cumsum([e.share for e in ERRAND_TABLE[:-1]]), rng.random(len(who)), side="right"
        )
        for number, errand in enumerate(ERRAND_TABLE):
            mine = who[category == number]
            if len(mine) and len(day.world.errands[number].places):
                _errand(day, mine, number, errand.peaks)


def _errand(
    day: Day, who: Ints, category: int, peaks: tuple[tuple[float, float, float], ...]
) -> None:
    rng, world = day.rng, day.world
    habit = day.people.favourites[who, category, rng.integers(0, FAVOURITES, len(who))]
    busy = world.errands[category].pick(rng.random(len(who)))
    where = np.where(rng.random(len(who)) < HABIT, habit, busy)
    table: Array = np.array(peaks)
    peak = table[np.searchsorted(np.cumsum(table[:-1, 2]), rng.random(len(who)), side="right")]
    start = rng.normal(peak[:, 0], peak[:, 1]) * 60
    start = np.maximum(start, day.clock[who] + 4 + rng.exponential(12, len(who)))
    dwell = world.median[where] * np.exp(rng.normal(0, 1, len(who)) * world.sigma[where])
    dwell = np.clip(dwell, 1.5, world.longest[where])
    fine = (start >= world.opens[where]) & (start <= world.closes[where] - 3) & (start < 24 * 60)
    who, where, start, dwell = who[fine], where[fine], start[fine], dwell[fine]
    day.through_gate(who, where, start)
    day.stay(who, where, start, start + dwell)


def _sleep(day: Day) -> None:
    """Residents of a dormitory are home for the night."""
    who = np.flatnonzero((day.people.dormitory >= 0) & (day.clock < 22.5 * 60))
    evening = day.rng.uniform(20 * 60, 22.5 * 60, len(who))
    morning = 29.2 * 60 + day.rng.uniform(0, 45, len(who))
    day.stay(who, day.people.dormitory[who], evening, morning)
