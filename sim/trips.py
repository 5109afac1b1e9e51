"""A vehicle's timetable: the same runs every day, found again from the vehicle's name alone.

Plan and simulation never have to agree on ids, which the console gives out later.
"""

import re
import unicodedata
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from schemas.places import Trip
from sim.model import MINUTE_MS, midnight_ms

FIRST_DEPARTURE: Final = 5 * 60  # minutes after local midnight
LAST_DEPARTURE: Final = 20 * 60
RUNS_A_DAY_LIMIT: Final = 1000  # trip number = local day * 1000 + run
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Timetable:
    """Minutes: first departure, headway between departures, length of a run; runs a day."""

    first: int
    headway: int
    ride: int
    runs: int


def timetable(vehicle: str) -> Timetable:
    """The vehicle's daily runs, from its name."""
    seed = zlib.crc32(vehicle.encode())
    ride = 30 + seed % 31
    headway = ride + 15
    first = FIRST_DEPARTURE + seed // 31 % 60
    return Timetable(first, headway, ride, (LAST_DEPARTURE - first) // headway + 1)


def trip_id(vehicle: str, trip: int) -> str:
    """`15B-01234-211129-03`: plate, local day, run; at most 32 printable characters."""
    day, run = divmod(trip, RUNS_A_DAY_LIMIT)
    moment = _EPOCH + timedelta(days=day)
    return f"{plate(vehicle)}-{moment:%y%m%d}-{run:02d}"


def plate(vehicle: str) -> str:
    """The plate in a vehicle's name, or letters of the name."""
    found = re.search(r"\d{2}[A-Z]-\d{3}\.\d{2}", vehicle)
    if found:
        return found.group().replace(".", "")
    plain = unicodedata.normalize("NFD", vehicle).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9]", "", plain)[:10]
    return f"{kept}{zlib.crc32(vehicle.encode()) % 10**6:06d}"


def trips_of(vehicle: str, first_day: int, days: int) -> tuple[Trip, ...]:
    """The vehicle's runs on `days` local days, as its registered place carries them."""
    table = timetable(vehicle)
    runs = []
    for day in range(first_day, first_day + days):
        for run in range(table.runs):
            departs = midnight_ms(day) + (table.first + run * table.headway) * MINUTE_MS
            runs.append(
                Trip(
                    id=trip_id(vehicle, day * RUNS_A_DAY_LIMIT + run),
                    departs_at=_moment(departs),
                    arrives_at=_moment(departs + table.ride * MINUTE_MS),
                )
            )
    return tuple(runs)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
