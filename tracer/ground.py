"""What traces stand on: the places, the trips and the parameters, made ready for many.

A city has a million places and a trace touches some hundred: so what follows from a place alone
is worked out here, and a trace looks up the rows it needs. A worker, which holds all places,
makes a `Ground` of them once; who is asked now and then has a `GroundByNeed`, which reads those
that a trace comes to.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, Protocol

import numpy as np
import polars as pl

from tracer.columns import I64, NONE, U32, Mask, rows_in
from tracer.frames import PLACES, TRIPS, empty, shaped
from tracer.nesting import Level, levels
from tracer.parameters import Parameters

MINUTE: Final = 60_000
DAY: Final = 24 * 60 * MINUTE
# Asia/Ho_Chi_Minh has been UTC+7 without summer time since 1975-06-13 (IANA tz, `asia`).
LOCAL_OFFSET: Final = 7 * 60 * MINUTE
_NO_PLACE: Final = empty(PLACES).clear(1)
_LOOKED_UP: Final = ("longest", "reach", "bound")  # of `Limits`, beside the places' columns
# The rows of these places that are known, and of all that lie within one of them at any depth:
# shapes `frames.PLACES` and `frames.TRIPS`.
Read = Callable[[list[int]], tuple[pl.DataFrame, pl.DataFrame]]


class Grounds(Protocol):
    """Whatever traces can stand on."""

    @property
    def parameters(self) -> Parameters:
        """Of every stay and exposure."""

    @property
    def longest(self) -> int:
        """Milliseconds: no interval at any place is longer."""

    def at(self, place: pl.Series) -> "Ground":
        """The ground of these places at least, and of what they lie within."""


@dataclass(frozen=True)
class Limits:
    """What bounds a stay, a row a place; milliseconds.

    `longest`: no interval is longer; `max_stay_minutes`, or if that is more, and at most
    `max_long_stay_minutes`, the usual stay, or the time of the place's longest trip and
    `cap_minutes` for boarding early and for delays. `reach`: the stay assumed where nothing is
    known, the usual stay (or the cap), at most the longest. `bound`: how late after the start a
    next scan or a closing may come. `closes`: after local midnight; NONE if not known, or never:
    open around the clock. `usual`: whether a usual stay is known. Of a place that is not known
    `longest` is `max_stay_minutes`, `reach` and `bound` are the cap, and the rest is not known.
    """

    longest: I64
    reach: I64
    bound: I64
    closes: I64
    usual: Mask

    def __getitem__(self, rows: I64) -> "Limits":
        """Those of these rows, in their order."""
        return Limits(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Ground:
    """Make it with `ground_of`.

    `trips`: shape `frames.TRIPS`; `arrivals`: place, trip and `arrival`, milliseconds since 1970
    UTC, of the latest trip of that name; `levels`: of places that hold others; `longest`: see
    `Grounds`.
    """

    parameters: Parameters
    trips: pl.DataFrame
    arrivals: pl.DataFrame
    levels: tuple[Level, ...]
    longest: int
    # rising; and a row for each, then one of all that are not known, which is where NONE leads
    _ids: U32
    _looked_up: pl.DataFrame
    _limits: Limits

    def at(self, place: pl.Series) -> "Ground":  # noqa: ARG002 (it is that of all places)
        """Itself."""
        return self

    def of(self, place: pl.Series, *columns: str) -> pl.DataFrame:
        """These columns of places, a row for each of `place`: of `frames.PLACES`, null of a place
        that is not known, or `longest`, `reach` or `bound` of `Limits`."""
        rows = rows_in(self._ids, place.to_numpy())
        return pl.DataFrame([self._looked_up[column][rows] for column in columns])

    def limits(self, places: U32) -> Limits:
        """Of these places, row by row."""
        return self._limits[rows_in(self._ids, places)]

    def unknown(self, place: pl.Series) -> list[int]:
        """The places, rising, of which nothing is known."""
        there = place.to_numpy()
        return [int(one) for one in np.unique(there[rows_in(self._ids, there) == NONE])]


def ground_of(places: pl.DataFrame, trips: pl.DataFrame, parameters: Parameters) -> Ground:
    """Of two frames with the shapes of `tracer.frames`; of a place named twice, the last row.

    Raises ValueError naming the frame and column that has not its shape.
    """
    trips = shaped(trips, TRIPS, "trips")
    places = shaped(places, PLACES, "places")
    ids, from_the_end = np.unique(places["place"].to_numpy()[::-1], return_index=True)
    places = places[places.height - 1 - from_the_end]
    looked_up = places.vstack(_NO_PLACE).rechunk()
    limits = _limits_of(looked_up, _longest_trip(ids, trips), parameters)
    of_limits = [pl.Series(name, getattr(limits, name)) for name in _LOOKED_UP]
    looked_up = looked_up.hstack(of_limits)
    arrivals = trips.group_by("place", "trip").agg(
        arrival=pl.col("arrives_at").max().dt.timestamp("ms")
    )
    longest = int(limits.longest.max())
    return Ground(
        parameters, trips, arrivals, tuple(levels(places)), longest, ids, looked_up, limits
    )


def _longest_trip(ids: U32, trips: pl.DataFrame) -> I64:
    """Of each of these places, and of one that is not known, milliseconds; 0 without trips."""
    found = np.zeros(len(ids) + 1, np.int64)
    took = trips["arrives_at"].to_physical() - trips["departs_at"].to_physical()
    np.maximum.at(found, rows_in(ids, trips["place"].to_numpy()), took.to_numpy())
    found[NONE] = 0
    return found


def _limits_of(places: pl.DataFrame, trip: I64, parameters: Parameters) -> Limits:
    """`trip`: milliseconds of the longest of each place."""
    cap, shortest = parameters.cap_minutes * MINUTE, parameters.max_stay_minutes * MINUTE
    known = places["usual_stay"].is_not_null().to_numpy()
    usual = places["usual_stay"].fill_null(0).to_numpy().astype(np.int64) * MINUTE
    ridden = np.where(trip > 0, trip + cap, 0)
    longest = np.minimum(np.maximum(usual, ridden), parameters.longest_minutes * MINUTE)
    longest = np.maximum(longest, shortest)
    within = np.floor(usual * parameters.within_usual).astype(np.int64)
    closes = places["closes"].fill_null(0).to_numpy().astype(np.int64) * MINUTE % DAY
    hours = places["closes"] - places["opens"]
    never = places["closes"].is_null() | (hours % (24 * 60) == 0).fill_null(value=False)
    return Limits(
        longest=longest,
        reach=np.minimum(np.where(known, usual, cap), longest),
        bound=np.minimum(np.where(known, within, cap), longest),
        closes=np.where(never.to_numpy(), NONE, closes),
        usual=known,
    )


class GroundByNeed:
    """The ground of which rows are read when a trace comes to them, each once.

    For one question: of a place that was read, nothing newer is seen.
    """

    def __init__(self, parameters: Parameters, read: Read) -> None:
        self.parameters = parameters
        self.longest = parameters.longest_minutes * MINUTE
        self._read = read
        self._asked: set[int] = set()
        self._places, self._trips = empty(PLACES), empty(TRIPS)
        self._ground = ground_of(self._places, self._trips, parameters)

    def at(self, place: pl.Series) -> Ground:
        """See `Grounds`. Raises what reading raises."""
        asked = len(self._asked)
        wanted = set(place.drop_nulls().to_list()) - self._asked
        while wanted:
            self._asked |= wanted
            places, trips = self._read(sorted(wanted))
            self._asked |= set(places["place"].to_list())
            self._places = self._places.vstack(shaped(places, PLACES, "places"))
            self._trips = self._trips.vstack(shaped(trips, TRIPS, "trips"))
            wanted = set(places["within"].drop_nulls().to_list()) - self._asked
        if len(self._asked) > asked:
            self._ground = ground_of(self._places, self._trips, self.parameters)
        return self._ground
