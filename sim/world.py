"""The registered places as arrays: what the simulation needs of them, by position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.errors import UserError
from schemas.places import Code, Place
from sim.dwell import Dwell, dwell_of
from sim.model import MINUTES_A_DAY, Array, Floats, Ints, Mask
from sim.roles import ERRANDS, OCCUPATIONS, role_of
from sim.trips import Timetable, timetable

ZIPF: Final = 0.7  # within a category the k-th place attracts 1/k^ZIPF


@dataclass(frozen=True)
class Choice:
    """Places of one category: positions in ward order and cumulative attraction."""

    places: Ints
    cumulative: Floats

    def pick(self, uniform: Floats) -> Ints:
        """A place for each uniform number, skewed to the busy ones."""
        at = np.searchsorted(self.cumulative, uniform, side="right")
        return self.places[np.minimum(at, len(self.places) - 1)]


@dataclass(frozen=True)
class World:
    """Arrays run parallel to `places`; times are minutes after local midnight."""

    places: tuple[Place, ...]
    tokens: tuple[str, ...]
    ids: npt.NDArray[np.uint32]
    wards: Ints
    opens: Floats
    closes: Floats
    always_open: Mask
    gates: Mask
    median: Floats
    sigma: Floats
    longest: Floats
    capacity: Ints
    site_gate: Ints  # for each place a gate of its site, or -1
    rooms_first: Ints  # for each place its site's first meeting room in `rooms`, or -1
    rooms_count: Ints
    rooms: Ints
    canteen: Ints  # for each place its site's canteen, or -1
    work: tuple[Choice, ...]  # by occupation
    errands: tuple[Choice, ...]  # by errand category
    vehicles: Ints
    timetables: tuple[Timetable, ...]  # of `vehicles`
    dormitories: Ints

    @property
    def vehicle_times(self) -> Array:
        """One row a vehicle: first departure, headway, ride, runs."""
        rows = [(t.first, t.headway, t.ride, t.runs) for t in self.timetables]
        return np.array(rows, dtype=np.int64).reshape(-1, 4)


def live_token(place: Place, from_ms: int) -> str:
    """The newest code of the place that is good from `from_ms` on and never revoked."""
    for code in sorted(place.codes, key=lambda c: c.version, reverse=True):
        if _good_from(code, from_ms):
            return code.token
    raise UserError(
        f"Điểm {place.id} ({place.name}) không có mã nào hợp lệ từ lượt quét mô phỏng đầu tiên: "
        "hãy đăng ký với valid_from bỏ trống hoặc trong quá khứ. / "
        f"Place {place.id} ({place.name}) has no code that is valid from the first simulated scan "
        "on: register it with valid_from empty, or in the past."
    )


def _good_from(code: Code, from_ms: int) -> bool:
    begun = code.valid_from is None or code.valid_from.timestamp() * 1000 <= from_ms
    return begun and code.valid_to is None and code.revoked_at is None


def build_world(places: Sequence[Place], seed: int, from_ms: int) -> World:
    """Places to arrays. Raises UserError if a place cannot be scanned."""
    if not places:
        raise UserError(
            "Thành phố chưa có điểm quét nào: hãy đăng ký trước. / "
            "The city has no places: register them first."
        )
    rng = np.random.default_rng([seed, 1])
    kept = tuple(places)
    roles = [role_of(p) for p in kept]
    dwell: list[Dwell] = [dwell_of(p.kind) for p in kept]
    opens = np.array([_minutes(p.hours.opens) if p.hours else 0 for p in kept], dtype=float)
    closes = np.array([_minutes(p.hours.closes) if p.hours else 0 for p in kept], dtype=float)
    closes[closes <= opens] += MINUTES_A_DAY
    always = np.array([p.hours is None or p.hours.opens == p.hours.closes for p in kept])
    order = {ward: i for i, ward in enumerate(sorted({p.ward for p in kept}))}
    wards = np.array([order[p.ward] for p in kept], dtype=np.int64)
    vehicles = _where([r.vehicle for r in roles])
    rooms, rooms_first, rooms_count = _meeting_rooms(kept, [r.meeting for r in roles])
    return World(
        places=kept,
        tokens=tuple(live_token(p, from_ms) for p in kept),
        ids=np.array([p.id for p in kept], dtype=np.uint32),
        wards=wards,
        opens=np.where(always, 0.0, opens),
        closes=np.where(always, 3.0 * MINUTES_A_DAY, closes),
        always_open=always,
        gates=np.array([p.gate for p in kept]),
        median=np.array([d.median for d in dwell]),
        sigma=np.array([d.sigma for d in dwell]),
        longest=np.array([d.longest for d in dwell]),
        capacity=np.array([p.capacity or 0 for p in kept], dtype=np.int64),
        site_gate=_of_site(kept, [p.gate for p in kept], rng),
        rooms_first=rooms_first,
        rooms_count=rooms_count,
        rooms=rooms,
        canteen=_of_site(kept, [r.canteen for r in roles], rng),
        work=tuple(
            _choice(wards, [r.work is o for r in roles], [r.heads for r in roles], 0.15, rng)
            for o in OCCUPATIONS
        ),
        errands=tuple(
            _choice(wards, [r.errand == e for r in roles], [1.0] * len(kept), ZIPF, rng)
            for e in ERRANDS
        ),
        vehicles=vehicles,
        timetables=tuple(timetable(kept[i].name) for i in vehicles),
        dormitories=_where([r.dormitory for r in roles]),
    )


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _where(flags: Sequence[bool]) -> Ints:
    return np.flatnonzero(np.array(flags, dtype=bool)).astype(np.int64)


def _choice(
    wards: Ints,
    flags: Sequence[bool],
    heads: Sequence[float],
    exponent: float,
    rng: np.random.Generator,
) -> Choice:
    found = _where(flags)
    found = found[np.argsort(wards[found], kind="stable")]
    ranks = rng.permutation(len(found)) + 1.0
    weights = np.array(heads, dtype=float)[found] * ranks**-exponent
    total = weights.sum()
    return Choice(found, np.cumsum(weights / total) if total else weights)


def _of_site(places: tuple[Place, ...], flags: Sequence[bool], rng: np.random.Generator) -> Ints:
    """For each place one flagged place of its site (never a place for itself), or -1."""
    by_site: dict[int, list[int]] = {}
    for i, (place, flag) in enumerate(zip(places, flags, strict=True)):
        if flag:
            by_site.setdefault(place.site, []).append(i)
    found = np.full(len(places), -1, dtype=np.int64)
    draws = rng.random(len(places))
    for i, place in enumerate(places):
        candidates = by_site.get(place.site)
        if candidates and not flags[i]:
            found[i] = candidates[int(draws[i] * len(candidates))]
    return found


def _meeting_rooms(places: tuple[Place, ...], flags: Sequence[bool]) -> tuple[Ints, Ints, Ints]:
    by_site: dict[int, list[int]] = {}
    for i, (place, flag) in enumerate(zip(places, flags, strict=True)):
        if flag:
            by_site.setdefault(place.site, []).append(i)
    first: dict[int, int] = {}
    rooms: list[int] = []
    for site, found in by_site.items():
        first[site] = len(rooms)
        rooms.extend(found)
    rooms_first = [first.get(p.site, -1) for p in places]
    rooms_count = [len(by_site.get(p.site, ())) for p in places]
    return np.array(rooms, dtype=np.int64), np.array(rooms_first), np.array(rooms_count)
