"""Simulated cities for `truyvet bench truth`: who was where, and what of it was scanned.

The truth of a city depends on its seed and size alone: however many scan, the same people are
at the same places, so that settings are compared on the same contacts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from issuer.units import HAI_PHONG, wards_of
from schemas.clock import LOCAL
from schemas.ids import encode_base32
from schemas.places import Code, Place
from sim.city import plan_city
from sim.days import simulate_day
from sim.model import DAY_MS, DIRECTIONS, OUT, Ints, Records, local_day
from sim.people import People, make_people
from sim.scans import Habits, double_taps, scan_rows
from sim.simulate import clip
from sim.trips import trip_id
from sim.truth import visits_table
from sim.world import World, build_world
from tracer.frames import ANSWERS, SCANS, TIME
from tracer.tiers import Known, Tier, tier

DAYS: Final = 8  # simulated before `until`; the window of a case is shorter
FIRST_UNTIL: Final = datetime(2021, 12, 4, 14, tzinfo=UTC)  # a Saturday, 21:00 in Hải Phòng
_CODE_LENGTH: Final = 18
_CONCENTRATION: Final = 18.0  # as sim.people spreads how reliably people scan
_ANSWERED: Final = 0.5  # of the visits without a scan out, where people are asked
_REMEMBERED_SD: Final = 20.0  # minutes. Assumption: nobody remembers to the minute
_ROUNDED_MS: Final = 15 * 60_000  # and people say "a quarter past"


@dataclass(frozen=True)
class Setting:
    """How people scan in a city. Shares from 0 to 1.

    `unknown`: of the places, whose usual stay is not registered; `dwell`: how much longer than
    in `sim/data/dwell.toml` visitors stay; `asked`: whether some say when they left.
    """

    scan_in: float
    scan_out: float
    unknown: float = 0.0
    dwell: float = 1.0
    asked: bool = False

    @property
    def key(self) -> str:
        """`in 90 % out 70 %`, and what else is not as usual."""
        more = [f"usual stay unknown at {percent(self.unknown)}"] if self.unknown else []
        more += [f"stays × {self.dwell:g}"] if self.dwell != 1 else []
        more += ["some asked"] if self.asked else []
        return ", ".join([f"in {percent(self.scan_in)}, out {percent(self.scan_out)}", *more])


def percent(share: float) -> str:
    """`90 %`, the space not breaking."""
    return f"{100 * share:.0f}\u00a0%"


@dataclass(frozen=True)
class City:
    """Places and the truth. `visits`: person, place, start, end, as `sim.truth` has them."""

    seed: int
    until: datetime
    places: tuple[Place, ...]
    world: World
    people: People
    rows: Records
    visits: pl.DataFrame

    @property
    def gates(self) -> tuple[int, ...]:
        """Ids of places that people only pass."""
        return tuple(place.id for place in self.places if place.gate)

    @property
    def called(self) -> tuple[int, ...]:
        """Ids of places whose contacts are on the call list (`tracer.tiers`)."""
        known = ((p.id, Known(p.kind, p.gate, p.enclosed, p.small, p.sector)) for p in self.places)
        return tuple(number for number, place in known if tier(place) is not Tier.SAME_TIME_ONLY)

    def registered(self, setting: Setting) -> tuple[Place, ...]:
        """The places as the tracer knows them."""
        if not setting.unknown:
            return self.places
        drawn = np.random.default_rng([self.seed, 21]).random(len(self.places))
        return tuple(
            p.model_copy(update={"usual_stay": None}) if hidden and not p.gate else p
            for p, hidden in zip(self.places, (drawn < setting.unknown).tolist(), strict=True)
        )


def make_city(seed: int, people: int, dwell: float = 1.0) -> City:
    """The city of a seed; each ends on another weekday. `dwell` scales how long visitors stay."""
    until = FIRST_UNTIL + timedelta(days=seed % 7)
    ends = int(until.timestamp() * 1000)
    begins = ends - DAYS * DAY_MS
    places = _places(seed, people, (until - timedelta(days=DAYS)).astimezone(LOCAL))
    world = build_world(places, seed, begins)
    world = replace(world, median=world.median * dwell, longest=world.longest * dwell)
    persons = make_people(world, people, np.random.default_rng([seed, 2]))
    free_at: Ints = np.zeros(people, dtype=np.int64)
    days = []
    for day in range(local_day(begins), local_day(ends - 1) + 1):
        rng = np.random.default_rng([seed, 6, day])
        of_day, free_at = simulate_day(world, persons, day, free_at, rng)
        days.append(of_day)
    rows = clip(np.concatenate(days), begins, ends)
    visits = pl.DataFrame(visits_table(world, persons, rows)).drop("trip")
    return City(seed, until, places, world, persons, rows, visits)


def _places(seed: int, people: int, begins: datetime) -> tuple[Place, ...]:
    """The plan's places, numbered in its order, as if they had been registered."""
    places: list[Place] = []
    plan = plan_city(wards_of(HAI_PHONG), seed, people, begins.date(), DAYS + 2)
    for number, site in enumerate(plan.sites, 1):
        for spec in site.places:
            place = len(places) + 1
            places.append(
                Place(
                    id=place, site=number, name=spec.name, kind=spec.kind, ward=site.ward,
                    sector=site.sector, hours=spec.hours, capacity=spec.capacity,
                    enclosed=spec.enclosed, small=spec.small, gate=spec.gate,
                    usual_stay=spec.usual_stay, trips=spec.trips,
                    codes=(Code(version=1, token=encode_base32(place, _CODE_LENGTH)),),
                )
            )  # fmt: skip
    return tuple(places)


def scans_of(city: City, setting: Setting) -> pl.DataFrame:
    """What was scanned, in the shape `tracer.frames.SCANS`; offsets in order of publication."""
    rng = np.random.default_rng(
        [city.seed, 22, round(1000 * setting.scan_in), round(1000 * setting.scan_out)]
    )
    people = replace(city.people, scans=_reliability(setting.scan_in, len(city.people), rng))
    habits = Habits(scans_in=setting.scan_in, forgets_out=1 - setting.scan_out)
    ends = int(city.until.timestamp() * 1000)
    window = (ends - DAYS * DAY_MS, ends)
    rows = scan_rows(city.world, people, city.rows, habits, window, rng)
    if not setting.scan_out:
        rows = rows[rows["direction"] != OUT]  # nobody at all, also not by mistake
    rows = np.concatenate([rows, double_taps(rows, int(habits.double_taps * len(rows)), ends, rng)])
    rows = rows[np.argsort(rows["upload"], kind="stable")]
    count = len(rows)
    return pl.DataFrame(
        {
            "person": city.people.bits[rows["person"]],
            "place": city.world.ids[rows["place"]],
            "scanned_at": pl.Series(rows["scanned"]).cast(TIME),
            "direction": np.array(DIRECTIONS)[rows["direction"]].tolist(),
            "kafka_partition": np.zeros(count, dtype=np.uint16),
            "kafka_offset": np.arange(count, dtype=np.uint64),
            "trip": _trips(city, rows),
        },
        schema=dict(SCANS),
        strict=False,
    )


def _reliability(share: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Each one's probability to scan in: spread around the share, as in `sim.people`."""
    if not 0 < share < 1:
        return np.full(count, share)
    return rng.beta(_CONCENTRATION * share, _CONCENTRATION * (1 - share), count)


def _trips(city: City, rows: Records) -> Sequence[str | None]:
    trips: list[str | None] = [None] * len(rows)
    for at in np.flatnonzero(rows["trip"] >= 0).tolist():
        vehicle = city.world.places[rows["place"][at]].name
        trips[at] = trip_id(vehicle, int(rows["trip"][at]))
    return trips


def answers_of(city: City, setting: Setting) -> pl.DataFrame:
    """What people say when asked "when did you leave?", shape `tracer.frames.ANSWERS`.

    About half of all visits, from their true start; the end is remembered badly.
    """
    if not setting.asked:
        return pl.DataFrame(schema=dict(ANSWERS))
    rng = np.random.default_rng([city.seed, 23])
    asked = city.visits.filter(pl.Series(rng.random(city.visits.height) < _ANSWERED))
    error = np.rint(rng.normal(0, _REMEMBERED_SD, asked.height) * 60_000).astype(np.int64)
    said = (pl.col("end").dt.timestamp("ms") + pl.Series(error) + _ROUNDED_MS // 2) // _ROUNDED_MS
    return asked.select("person", "place", "start", end=(said * _ROUNDED_MS).cast(TIME))
