"""Visits to scans: who scans, how, in which direction, and when the event is uploaded."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.model import (
    CARD,
    DAY_MS,
    IN,
    MINUTE_MS,
    OUT,
    PASS,
    ROW,
    SELF,
    STAFF,
    TYPED,
    Array,
    Ints,
    Mask,
    Records,
)
from sim.people import People
from sim.world import World

SEATS: Final = 45
STRAY_OUT: Final = 0.02  # scanned out without having scanned in
COMPANIONS_SHARE: Final = 0.05
SEAT_SHARE: Final = 0.5
LONGEST_DELAY_MS: Final = 3 * DAY_MS


@dataclass(frozen=True)
class Habits:
    """How people scan: the parameters of the simulation that a demo may want to turn."""

    scans_in: float = 0.9
    forgets_out: float = 0.3
    repeated: float = 0.015
    double_taps: float = 0.01
    refused: float = 0.01


def scan_rows(
    world: World,
    people: People,
    visits: Records,
    habits: Habits,
    window: tuple[int, int],
    rng: np.random.Generator,
) -> Records:
    """The sound scans of these visits within `window` (UTC ms), uploaded before its end."""
    gate = world.gates[visits["place"]]
    assert bool((visits["end"] > visits["start"]).all())
    enters = rng.random(len(visits)) < people.scans[visits["person"]]
    leaves = enters & (rng.random(len(visits)) >= habits.forgets_out)
    leaves |= ~enters & (rng.random(len(visits)) < STRAY_OUT)
    leaves &= ~gate
    came, left = visits[enters], visits[leaves]
    lengths = came["end"] - came["start"]
    in_at = came["start"] + np.minimum(rng.integers(1_000, 45_000, len(came)), lengths // 3)
    out_at = left["end"] - np.minimum(
        rng.integers(500, 30_000, len(left)), (left["end"] - left["start"]) // 3
    )
    ins = _rows(came, in_at, np.where(gate[enters], PASS, IN))
    outs = _rows(left, out_at, np.full(len(left), OUT))
    methods = _methods(people, gate, visits, rng)
    seats = np.where(rng.random(len(visits)) < SEAT_SHARE, rng.integers(1, SEATS + 1, len(gate)), 0)
    seats = np.where(visits["trip"] >= 0, seats, 0)
    for rows, mask in ((ins, enters), (outs, leaves)):
        rows["method"], rows["seat"] = methods[mask], seats[mask]
    together = (rng.random(len(ins)) < COMPANIONS_SHARE) & (ins["method"] <= STAFF)
    ins["companions"] = np.where(together, 1 + np.minimum(rng.poisson(0.6, len(ins)), 5), -1)
    rows = np.concatenate([ins, outs])
    rows = rows[(rows["scanned"] >= window[0] + MINUTE_MS) & (rows["scanned"] < window[1])]
    deliver(rows, people, window[1], rng)
    give_ids(rows, rng)
    return rows


def _rows(visits: Records, scanned: Ints, direction: Ints) -> Records:
    rows = np.zeros(len(visits), dtype=ROW)
    rows["person"], rows["place"], rows["trip"] = visits["person"], visits["place"], visits["trip"]
    rows["scanned"], rows["direction"] = scanned, direction
    rows["recorded"], rows["companions"] = -1, -1
    return rows


def _methods(people: People, gate: Mask, visits: Records, rng: np.random.Generator) -> Ints:
    """Phones scan themselves, gates have staff, who has no phone shows a card or is written down.

    The method is of the visit: its scan in and its scan out are made the same way.
    """
    drawn = rng.random(len(visits))
    phone = people.phone[visits["person"]]
    by_phone = np.select([drawn < 0.88, drawn < 0.97, drawn < 0.99], [SELF, STAFF, CARD], TYPED)
    by_hand = np.select([drawn < 0.6, drawn < 0.7], [CARD, STAFF], TYPED)
    at_gate = np.select([drawn < 0.55, drawn < 0.75], [STAFF, CARD], SELF)
    at_gate = np.where((at_gate == SELF) & ~phone, CARD, at_gate)
    return np.where(gate, at_gate, np.where(phone, by_phone, by_hand))


def deliver(rows: Records, people: People, until_ms: int, rng: np.random.Generator) -> None:
    """When each event reaches the topic: seconds, minutes to days, or when paper is typed in."""
    count = len(rows)
    delay: Array = rng.lognormal(np.log(1_500), 0.8, count)
    late = (rng.random(count) < people.offline[rows["person"]]) & (rows["method"] == SELF)
    delay = np.where(late, rng.lognormal(np.log(25 * MINUTE_MS), 1.6, count), delay)
    typed = rows["method"] == TYPED
    delay = np.where(typed, rng.lognormal(np.log(5 * 3600_000), 0.9, count), delay)
    # what is written down by hand is written to the minute
    rows["scanned"] = np.where(typed, rows["scanned"] // MINUTE_MS * MINUTE_MS, rows["scanned"])
    upload = rows["scanned"] + np.clip(delay, 50, LONGEST_DELAY_MS).astype(np.int64)
    rows["upload"] = np.maximum(np.minimum(upload, until_ms - 1), rows["scanned"])
    rows["recorded"] = np.where(typed, np.maximum(rows["upload"] - 20, rows["scanned"]), -1)


def give_ids(rows: Records, rng: np.random.Generator) -> None:
    """UUIDv7-shaped event ids: the time the event was made, then 74 seeded random bits."""
    made = np.where(rows["recorded"] >= 0, rows["recorded"], rows["scanned"]).astype(np.uint64)
    high = rng.integers(0, 1 << 12, len(rows), dtype=np.uint64)
    low = rng.integers(0, 1 << 62, len(rows), dtype=np.uint64)
    rows["id_high"] = (made << np.uint64(16)) | np.uint64(0x7000) | high
    rows["id_low"] = low | np.uint64(1 << 63)


def double_taps(rows: Records, count: int, until_ms: int, rng: np.random.Generator) -> Records:
    """`count` of the scans in once more, seconds later, as events of their own: both are scans."""
    early = rows["scanned"] < until_ms - 8_000
    fitting = np.flatnonzero((rows["direction"] != OUT) & (rows["method"] != TYPED) & early)
    taps: Records = rows[rng.choice(fitting, min(count, len(fitting)), replace=False)]
    later = rng.integers(900, 6_000, len(taps))
    taps["scanned"] += later
    taps["upload"] = np.minimum(taps["upload"] + later, until_ms - 1)
    give_ids(taps, rng)
    return taps
