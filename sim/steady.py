"""People scanning now: whom a live load brings in, seconds at a time.

Each person makes one visit, so nobody is at two places at once. Some have come earlier and are
leaving; the phones of a few were offline and deliver an earlier visit only now.
"""

from typing import Final

import numpy as np

from sim.model import (
    DAY_MS,
    IN,
    LOCAL_OFFSET_MS,
    MINUTE_MS,
    OUT,
    PASS,
    ROW,
    SELF,
    STAFF,
    VISIT,
    Floats,
    Ints,
    Mask,
    Records,
    local_day,
    midnight_ms,
)
from sim.people import People
from sim.scans import give_ids
from sim.trips import RUNS_A_DAY_LIMIT
from sim.world import World

LEAVING: Final = 0.10  # of the scans: an out whose in comes with it, late
LATE: Final = 0.015  # of the scans: a whole visit of minutes to days ago
GATES: Final = 0.12
AT_WORK: Final = 0.35


def steady_output(
    world: World, people: People, count: int, window: tuple[int, int], rng: np.random.Generator
) -> tuple[Records, Records]:
    """Visits, and `count` sound rows whose `upload` lies within the window."""
    begins, ends = window
    pairs = int(count * (LEAVING + LATE) / 2)
    singles = count - 2 * pairs
    where = _places(world, singles + pairs, begins, rng)
    who = rng.permutation(len(people))[: singles + pairs]
    upload = rng.integers(begins, ends, singles + pairs)
    age = np.clip(rng.lognormal(np.log(400), 0.8, singles + pairs), 30, 3_000).astype(np.int64)
    lasts = world.median[where] * np.exp(rng.normal(0, 1, len(where)) * world.sigma[where])
    lasts = np.clip(lasts, 2, world.longest[where]) * MINUTE_MS
    visits = np.empty(singles + pairs, dtype=VISIT)
    visits["person"], visits["place"] = who, where
    scanned = np.maximum(upload - age, begins)
    back = np.arange(singles + pairs) >= singles
    late = back & (rng.random(len(back)) < LATE / (LATE + LEAVING))
    long_ago = np.clip(rng.lognormal(np.log(90 * MINUTE_MS), 1.6, len(back)), 0, 2 * DAY_MS)
    left = scanned - np.where(late, long_ago, 0).astype(np.int64)
    visits["start"] = np.where(back, left - lasts.astype(np.int64), scanned)
    visits["end"] = np.where(back, left, scanned + lasts.astype(np.int64))
    visits["trip"] = -1
    _on_trips(world, visits)
    rows = _rows(visits, upload, back, world, rng)
    assert len(rows) == count
    return visits[np.argsort(visits["start"], kind="stable")], rows


def _places(world: World, count: int, moment_ms: int, rng: np.random.Generator) -> Ints:
    """Places that are open now, busy ones more often; if none is, any."""
    minute = (moment_ms - midnight_ms(local_day(moment_ms))) / MINUTE_MS
    weights = np.zeros(len(world.places))
    for choices, share in ((world.work, AT_WORK), (world.errands, 1 - AT_WORK)):
        for choice in choices:
            if len(choice.places):
                attraction = np.diff(choice.cumulative, prepend=0.0)
                weights[choice.places] += share / len(choices) * attraction
    weights[world.vehicles] += 0.04 / max(len(world.vehicles), 1)
    weights[world.gates] += GATES / max(int(world.gates.sum()), 1)
    is_open = (world.opens <= minute) & (minute < world.closes - 5)
    weights = np.where(is_open, weights, 0.0) if (weights * is_open).any() else weights + 1e-9
    cumulative: Floats = np.cumsum(weights / weights.sum())
    picked = np.searchsorted(cumulative, rng.random(count), side="right")
    return np.minimum(picked, len(cumulative) - 1)


def _on_trips(world: World, visits: Records) -> None:
    """Who is on a vehicle is on the run that is under way, or on the nearest one."""
    line = np.full(len(world.places), -1, dtype=np.int64)
    line[world.vehicles] = np.arange(len(world.vehicles))
    mine = np.flatnonzero(line[visits["place"]] >= 0)
    if len(mine) == 0:
        return
    first, headway, _, runs = world.vehicle_times[line[visits["place"][mine]]].T
    start = visits["start"][mine]
    day = (start + LOCAL_OFFSET_MS) // DAY_MS
    minute = (start + LOCAL_OFFSET_MS) % DAY_MS // MINUTE_MS
    run = np.clip((minute - first) // headway, 0, runs - 1)
    visits["trip"][mine] = day * RUNS_A_DAY_LIMIT + run


def _rows(
    visits: Records, upload: Ints, back: Mask, world: World, rng: np.random.Generator
) -> Records:
    """One scan in (or a pass) for who comes, a scan in and a scan out for who leaves."""
    rows = np.zeros(len(visits), dtype=ROW)
    rows["person"], rows["place"], rows["trip"] = visits["person"], visits["place"], visits["trip"]
    rows["scanned"], rows["upload"] = visits["start"], upload
    rows["recorded"], rows["companions"] = -1, -1
    rows["direction"] = np.where(world.gates[visits["place"]], PASS, IN)
    rows["method"] = np.where(rng.random(len(rows)) < 0.9, SELF, STAFF)
    outs = rows[back]
    outs["scanned"], outs["direction"] = visits["end"][back], OUT
    outs["direction"] = np.where(world.gates[outs["place"]], PASS, OUT)
    rows = np.concatenate([rows, outs])
    give_ids(rows, rng)
    return rows
