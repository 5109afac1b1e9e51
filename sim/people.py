"""The people of the city: home, work, habits. Drawn once from the seed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.ids import CROCKFORD, PERSON_LENGTH
from sim.model import Floats, Ints, Mask
from sim.roles import ERRANDS, OCCUPATIONS, SHARES, SHIFTS, Occupation
from sim.world import World

FAVOURITES: Final = 3  # places of each errand category that a person goes to by habit
BUS_SHARE: Final = 0.12
DORMITORY_SHARE: Final = 0.15  # of students and factory workers
NO_PHONE_SHARE: Final = 0.08
ADULT_WARDS_SPREAD: Final = 2.0
_SYMBOLS: Final = np.frombuffer(CROCKFORD.encode(), dtype=np.uint8)


@dataclass(frozen=True)
class People:
    """Arrays by person. `work` is a position in World or -1; times are minutes after midnight."""

    bits: npt.NDArray[np.uint64]
    texts: tuple[str, ...]
    home: Ints
    occupation: npt.NDArray[np.int8]  # position in OCCUPATIONS, -1 at home
    work: Ints
    shift_start: Floats
    shift_length: Floats
    bus: Ints  # position in World.vehicles or -1
    dormitory: Ints
    scans: Floats  # probability to scan in
    phone: Mask
    offline: Floats  # probability that an event is uploaded late
    favourites: Ints  # person × category × FAVOURITES
    outings: Floats  # errands a weekday

    def __len__(self) -> int:
        return len(self.bits)


def person_texts(bits: npt.NDArray[np.uint64]) -> tuple[str, ...]:
    """The 13 characters of each person, all at once (see schemas.ids.person_text)."""
    shifts = np.arange(5 * (PERSON_LENGTH - 1), -1, -5, dtype=np.uint64)
    symbols = _SYMBOLS[((bits[:, None] >> shifts) & np.uint64(31)).astype(np.intp)]
    text = symbols.tobytes().decode("ascii")
    return tuple(text[i : i + PERSON_LENGTH] for i in range(0, len(text), PERSON_LENGTH))


def make_people(
    world: World, count: int, rng: np.random.Generator, scan_probability: float = 0.9
) -> People:
    """`count` people who live in the wards that have places."""
    bits = np.unique(rng.integers(1, 2**64, size=count + 16, dtype=np.uint64))
    bits = rng.permutation(bits)[:count]
    assert len(bits) == count
    home = world.wards[rng.integers(0, len(world.places), count)]
    occupation = _occupations(world, count, rng)
    work = np.full(count, -1, dtype=np.int64)
    start, length = np.zeros(count), np.zeros(count)
    for number, kind in enumerate(OCCUPATIONS):
        mine = np.flatnonzero(occupation == number)
        if len(mine) == 0:
            continue
        work[mine] = world.work[number].pick(rng.random(len(mine)))
        night = world.always_open[work[mine]]
        start[mine], length[mine] = _shifts(kind, night, rng)
    rides = (rng.random(count) < BUS_SHARE) & (work >= 0) & (start < 17 * 60)
    lodges = rng.random(count) < DORMITORY_SHARE
    young = np.isin(occupation, [_number(Occupation.STUDENT), _number(Occupation.FACTORY)])
    scattered = rng.beta(18 * scan_probability, max(18 * (1 - scan_probability), 1e-9), count)
    return People(
        bits=bits,
        texts=person_texts(bits),
        home=home,
        occupation=occupation,
        work=work,
        shift_start=start,
        shift_length=length,
        bus=_one_of(np.arange(len(world.vehicles)), rides, rng),
        dormitory=_one_of(world.dormitories, lodges & young, rng),
        scans=scattered if 0 < scan_probability < 1 else np.full(count, scan_probability),
        phone=rng.random(count) >= NO_PHONE_SHARE,
        offline=rng.choice([0.02, 0.1, 0.5], count, p=[0.85, 0.12, 0.03]),
        favourites=_favourites(world, home, rng),
        outings=rng.gamma(2.0, 0.25, count) + np.where(work < 0, 0.6, 0.0),
    )


def _number(occupation: Occupation) -> int:
    return OCCUPATIONS.index(occupation)


def _occupations(world: World, count: int, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Shares by occupation; who finds no workplace of theirs in the city stays at home."""
    cumulative = np.cumsum([SHARES[o] for o in OCCUPATIONS])
    drawn = np.searchsorted(cumulative, rng.random(count), side="right").astype(np.int8)
    drawn[drawn >= len(OCCUPATIONS)] = -1
    for number in range(len(OCCUPATIONS)):
        if len(world.work[number].places) == 0:
            drawn[drawn == number] = -1
    return drawn


def _shifts(kind: Occupation, night: Mask, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Start and length of each one's shift; late and night shifts only where nothing closes."""
    table = SHIFTS[kind]
    shares = np.array([s.share for s in table])
    drawn = rng.choice(len(table), size=len(night), p=shares / shares.sum())
    drawn = np.where(night, drawn, 0)
    starts = np.array([s.start for s in table], dtype=float)[drawn]
    lengths = np.array([s.length for s in table], dtype=float)[drawn]
    return starts + np.round(rng.normal(0, 10, len(night))), lengths


def _one_of(among: Ints, who: Mask, rng: np.random.Generator) -> Ints:
    found = np.full(len(who), -1, dtype=np.int64)
    if len(among):
        found[who] = among[rng.integers(0, len(among), int(who.sum()))]
    return found


def _favourites(world: World, home: Ints, rng: np.random.Generator) -> Ints:
    """Habitual places, near home in the order of ward codes (neighbours share a district)."""
    found = np.full((len(home), len(ERRANDS), FAVOURITES), -1, dtype=np.int64)
    for category, choice in enumerate(world.errands):
        if len(choice.places) == 0:
            continue
        near = np.searchsorted(world.wards[choice.places], home)[:, None]
        spread = max(ADULT_WARDS_SPREAD, 0.04 * len(choice.places))
        shifted = near + np.round(rng.normal(0, spread, (len(home), FAVOURITES))).astype(np.int64)
        found[:, category, :] = choice.places[shifted % len(choice.places)]
    return found
