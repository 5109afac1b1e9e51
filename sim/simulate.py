"""The simulated city at work: two weeks in bulk, or people scanning now.

Everything follows from the seed. Bulk is generated a local day at a time, so that memory holds a
day and what is uploaded late, not the two weeks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final

import numpy as np

from schemas.errors import UserError
from schemas.places import Place
from sim.days import simulate_day
from sim.encode import Encoder
from sim.faults import FORGED_POOL, Revoked, forged_tokens, refused_rows, revoked_codes
from sim.model import DAY_MS, DUPLICATE, VISIT, Ints, Records, local_day, midnight_ms
from sim.people import People, make_people
from sim.scans import Habits, double_taps, scan_rows
from sim.steady import steady_output
from sim.world import World, build_world

DAYS: Final = 14
EVENTS_A_PERSON_DAY: Final = 3.4  # a first guess, corrected by counting
MORE_PEOPLE: Final = 1.04
FEWEST_PEOPLE: Final = 40
LONGEST_RETRY_MS: Final = 3_600_000
EARLIEST_MS: Final = 3 * DAY_MS  # what a live load delivers late was scanned after this


@dataclass(frozen=True)
class Output:
    """A stretch of the simulation: `visits` are the truth, `rows` in order of publication."""

    visits: Records
    rows: Records


@dataclass(frozen=True)
class Simulation:
    """A city of registered places. `people` 0 means as many as the events need."""

    places: Sequence[Place]
    seed: int
    people: int = 0
    revoked: Sequence[str] = ()
    producer: str = "sim"
    habits: Habits = field(default_factory=Habits)

    def bulk(self, events: int, until: datetime, days: int = DAYS) -> "Bulk":
        """Exactly `events` records of scans in the `days` before `until`."""
        until_ms = _ms(until)
        window = (until_ms - days * DAY_MS, until_ms)
        world = build_world(self.places, self.seed, window[0])
        wanted = Counts.of(events, self.habits)
        guess = int(wanted.base / (EVENTS_A_PERSON_DAY * days)) + FEWEST_PEOPLE
        count = self.people or guess
        while True:
            people = make_people(world, count, self._rng(2), self.habits.scans_in)
            bulk = Bulk(self, world, people, window, wanted, ())
            daily = tuple(len(rows) for _, rows in bulk.days())
            if sum(daily) >= wanted.base:
                return Bulk(self, world, people, window, wanted, daily)
            if self.people:
                raise UserError(
                    f"{self.people} người chỉ quét {sum(daily)} lượt trong {days} ngày, ít hơn "
                    f"{wanted.base} lượt cần có: hãy giảm số lượt hoặc thêm người. / "
                    f"{self.people} people make {sum(daily)} scans in {days} days, fewer than the "
                    f"{wanted.base} needed: ask for fewer events or more people."
                )
            count = int(count * max(wanted.base / max(sum(daily), 1), 1.0) * MORE_PEOPLE) + 1

    def steady(self, events: int, start: datetime, seconds: float) -> "Steady":
        """Exactly `events` records of people other than those of bulk, scanning from `start` on.

        `upload` of a row is when it is to be published; `scanned` never lies after it.
        """
        start_ms = _ms(start)
        window = (start_ms, start_ms + max(int(seconds * 1000), 1))
        world = build_world(self.places, self.seed, start_ms - EARLIEST_MS)
        people = make_people(world, events + FEWEST_PEOPLE, self._rng(3, start_ms))
        wanted = Counts.of(events, self.habits)
        rng = self._rng(4, start_ms)
        visits, base = steady_output(world, people, wanted.base, window, rng)
        rows = _with_noise(self, base, wanted, people, window, window[1], rng)
        return Steady(self, world, people, window, Output(visits, rows))

    def encoder(self, world: World, people: People) -> Encoder:
        """Writes rows of this simulation as JSON."""
        forged = forged_tokens(FORGED_POOL, self._rng(5))
        return Encoder(world, people, forged, tuple(self.revoked), self.producer)

    def revocations(self) -> tuple[Revoked, ...]:
        """The revoked codes with their times."""
        return revoked_codes(self.revoked, self.places)

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])

    def day_rng(self, day: int) -> np.random.Generator:
        """A day's own randomness: days can be made again, one by one."""
        return self._rng(6, day)


@dataclass(frozen=True)
class Counts:
    """How many records of each sort; together the events asked for."""

    base: int
    retries: int
    taps: int
    refused: int

    @classmethod
    def of(cls, events: int, habits: Habits) -> "Counts":
        """Shares of `events` by the habits."""
        # rounded down, so that the parts never exceed the whole
        retries = int(events * habits.repeated)
        taps = int(events * habits.double_taps)
        refused = int(events * habits.refused)
        base = events - retries - taps - refused
        if base < 0:
            raise UserError(
                "Tỷ lệ lượt quét lặp, đúp và bị từ chối cộng lại quá một. / "
                "The shares of repeated, double and refused scans exceed one."
            )
        return cls(base, retries, taps, refused)

    def share(self, done: float, until: float) -> "Counts":
        """What falls between two fractions of the whole; the parts add up exactly."""

        def part(count: int) -> int:
            return int(count * until + 0.5) - int(count * done + 0.5)

        return Counts(part(self.base), part(self.retries), part(self.taps), part(self.refused))


@dataclass(frozen=True)
class Bulk:
    """Two weeks of the city. `daily` counts the sound scans each day would have."""

    simulation: Simulation
    world: World
    people: People
    window: tuple[int, int]
    wanted: Counts
    daily: tuple[int, ...]

    def days(self) -> Iterator[tuple[Records, Records]]:
        """Visits and all sound scans, a local day at a time."""
        free_at: Ints = np.zeros(len(self.people), dtype=np.int64)
        for day in range(local_day(self.window[0]), local_day(self.window[1] - 1) + 1):
            rng = self.simulation.day_rng(day)
            visits, free_at = simulate_day(self.world, self.people, day, free_at, rng)
            habits = self.simulation.habits
            yield visits, scan_rows(self.world, self.people, visits, habits, self.window, rng)

    def outputs(self) -> Iterator[Output]:
        """The truth and the records to publish, a local day at a time."""
        begins, ends = self.window
        first = local_day(begins)
        done = np.cumsum([0, *self.daily]) / max(sum(self.daily), 1)
        waiting = None
        for number, ((visits, rows), (since, until)) in enumerate(
            zip(self.days(), pairwise(done.tolist()), strict=True)
        ):
            midnight = midnight_ms(first + number)
            day = (max(begins, midnight), min(ends, midnight + DAY_MS))
            rng = np.random.default_rng([self.simulation.seed, 7, first + number])
            quota = self.wanted.share(since, until)
            kept = np.sort(rng.permutation(len(rows))[: quota.base])
            made = _with_noise(self.simulation, rows[kept], quota, self.people, day, ends, rng)
            pool = made if waiting is None else np.concatenate([waiting, made])
            last = day[1] >= ends
            ready = np.ones(len(pool), dtype=bool) if last else pool["upload"] < day[1]
            waiting = pool[~ready]
            now = pool[ready]
            yield Output(clip(visits, begins, ends), now[np.argsort(now["upload"], kind="stable")])


@dataclass(frozen=True)
class Steady:
    """A live stretch: everything at once, to be published by the clock."""

    simulation: Simulation
    world: World
    people: People
    window: tuple[int, int]
    output: Output

    def outputs(self) -> Iterator[Output]:
        """The same form as of bulk."""
        yield self.output


def clip(visits: Records, begins: int, ends: int) -> Records:
    """Visits within the window; who is still there at its end is there until its end."""
    inside = visits[(visits["start"] < ends) & (visits["end"] > begins)]
    inside["start"] = np.maximum(inside["start"], begins)
    inside["end"] = np.minimum(inside["end"], ends)
    assert inside.dtype == VISIT
    return inside


def _with_noise(
    simulation: Simulation,
    rows: Records,
    counts: Counts,
    people: People,
    window: tuple[int, int],
    until_ms: int,
    rng: np.random.Generator,
) -> Records:
    """The sound scans with double taps, repeated and refused ones, in order of publication."""
    taps = double_taps(rows, counts.taps, until_ms, rng)
    sound = np.concatenate([rows, taps])
    retries = sound[rng.choice(len(sound), counts.retries if len(sound) else 0)]
    later = np.clip(rng.lognormal(np.log(8_000), 1.5, len(retries)), 200, LONGEST_RETRY_MS)
    retries["upload"] = np.maximum(
        np.minimum(retries["upload"] + later.astype(np.int64), until_ms - 1), retries["upload"]
    )
    retries["outcome"] = DUPLICATE
    # a day too thin for its double taps and retries gets refused records in their place
    total = counts.base + counts.taps + counts.retries + counts.refused
    refused = refused_rows(
        total - len(sound) - len(retries),
        len(people),
        len(simulation.places),
        window,
        until_ms,
        simulation.revocations(),
        rng,
    )
    noisy = np.concatenate([sound, retries, refused])
    assert len(noisy) == total
    # stable: a repeated event comes after its first publication
    return noisy[np.argsort(noisy["upload"], kind="stable")]


def _ms(moment: datetime) -> int:
    if moment.utcoffset() is None:
        raise UserError(
            "Thời điểm cần múi giờ, như 2021-12-01T00:00:00Z. / "
            "A time needs its zone, as in 2021-12-01T00:00:00Z."
        )
    return int(moment.timestamp() * 1000)
