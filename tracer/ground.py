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

from tracer.columns import I64, NONE, U32, Mask, as_index, rows_in
from tracer.frames import PLACES, TRIPS, empty, shaped
from tracer.nesting import Level, levels
from tracer.parameters import Parameters
from tracer.timetable import Rides, Timetable, timetable_of

MINUTE: Final = 60_000
DAY: Final = 24 * 60 * MINUTE
# Asia/Ho_Chi_Minh has been UTC+7 without summer time since 1975-06-13 (IANA tz, `asia`).
LOCAL_OFFSET: Final = 7 * 60 * MINUTE
_NO_PLACE: Final = empty(PLACES).clear(1)
# of `Limits`, beside the places' columns
_LOOKED_UP: Final = ("longest", "reach", "bound", "ridden")
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

    `most`: no interval is longer that no trip and no room inside prolongs: `max_stay_minutes`, or
    if that is more, and at most `max_long_stay_minutes`, the usual stay. `longest`: none at all is
    longer: `most`; or the time of the place's longest trip with `cap_minutes` at both ends, for
    boarding early and for delays; or, of what lies inside and may be longer than
    `max_stay_minutes`, that and `cap_minutes`; both at most `max_long_stay_minutes`. `reach`: the
    stay assumed where nothing is known, the usual stay (or the cap), at most `most`. `bound`: how
    late after the start a next scan or a closing may come. `closes`: after local midnight; NONE if
    not known, or never: open around the clock. `usual`: whether a usual stay is known. `ridden`:
    whether it, or what lies inside, has trips. Of a place that is not known `most` and `longest`
    are `max_stay_minutes`, `reach` and `bound` are the cap, and the rest is not known.
    """

    most: I64
    longest: I64
    reach: I64
    bound: I64
    closes: I64
    usual: Mask
    ridden: Mask

    def __getitem__(self, rows: I64) -> "Limits":
        """Those of these rows, in their order."""
        return Limits(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Ground:
    """Make it with `ground_of`.

    `levels`: of places that hold others; `longest`: see `Grounds`.
    """

    parameters: Parameters
    timetable: Timetable
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
        that is not known, or `longest`, `reach`, `bound` or `ridden` of `Limits`."""
        rows = rows_in(self._ids, place.to_numpy())
        found = as_index(np.where(rows == NONE, len(self._ids), rows))
        return pl.DataFrame([self._looked_up[column][found] for column in columns])

    def limits(self, places: U32) -> Limits:
        """Of these places, row by row."""
        return self._limits[rows_in(self._ids, places)]

    def rides(self, place: U32, t: I64, names: pl.Series) -> Rides:
        """What trips say of openings at these places and times (milliseconds since 1970 UTC) whose
        scans name these trips."""
        return self.timetable.rides(place, t, names, self.parameters.cap_minutes * MINUTE)

    def unknown(self, place: pl.Series) -> list[int]:
        """The places, rising, of which nothing is known."""
        there = place.to_numpy()
        return [int(one) for one in np.unique(there[rows_in(self._ids, there) == NONE])]


def ground_of(places: pl.DataFrame, trips: pl.DataFrame, parameters: Parameters) -> Ground:
    """Of two frames with the shapes of `tracer.frames`; of a place named twice, the last row, and
    of a place that is not among them no trip.

    Raises ValueError naming the frame and column that has not its shape.
    """
    trips = shaped(trips, TRIPS, "trips")
    places = shaped(places, PLACES, "places")
    ids, from_the_end = np.unique(places["place"].to_numpy()[::-1], return_index=True)
    of_known = np.flatnonzero(rows_in(ids, trips["place"].to_numpy()) != NONE)
    timetable = timetable_of(trips[of_known])
    places = places[places.height - 1 - from_the_end]
    nested = tuple(levels(places))
    looked_up = places.vstack(_NO_PLACE).rechunk()
    limits = _limits_of(looked_up, timetable, nested, parameters)
    of_limits = [pl.Series(name, getattr(limits, name)) for name in _LOOKED_UP]
    looked_up = looked_up.hstack(of_limits)
    longest = int(limits.longest.max())
    return Ground(parameters, timetable, nested, longest, ids, looked_up, limits)


def longest_at(t: I64, rides: Rides, most: I64, parameters: Parameters) -> I64:
    """Of openings at `t`, how long their intervals may be at most: `most` of the place, or until
    `cap_minutes` after the arrival that trips say (`Rides.until`). Milliseconds."""
    ride = rides.until - t + parameters.cap_minutes * MINUTE
    longest: I64 = np.maximum(most, np.minimum(ride, parameters.longest_minutes * MINUTE))
    return longest


def _limits_of(
    places: pl.DataFrame, timetable: Timetable, nested: tuple[Level, ...], parameters: Parameters
) -> Limits:
    """`places`: rising, and then one that is not known."""
    cap, shortest = parameters.cap_minutes * MINUTE, parameters.max_stay_minutes * MINUTE
    at_most = parameters.longest_minutes * MINUTE
    known = places["usual_stay"].is_not_null().to_numpy()
    usual = places["usual_stay"].fill_null(0).to_numpy().astype(np.int64) * MINUTE
    most = np.maximum(np.minimum(usual, at_most), shortest)
    within = np.floor(usual * parameters.within_usual).astype(np.int64)
    closes = places["closes"].fill_null(0).to_numpy().astype(np.int64) * MINUTE % DAY
    hours = places["closes"] - places["opens"]
    never = places["closes"].is_null() | (hours % (24 * 60) == 0).fill_null(value=False)
    longest, ridden = _with_trips(places, most, timetable, nested, parameters)
    return Limits(
        most=most,
        longest=longest,
        reach=np.minimum(np.where(known, usual, cap), most),
        bound=np.minimum(np.where(known, within, cap), most),
        closes=np.where(never.to_numpy(), NONE, closes),
        usual=known,
        ridden=ridden,
    )


def _with_trips(
    places: pl.DataFrame,
    most: I64,
    timetable: Timetable,
    nested: tuple[Level, ...],
    parameters: Parameters,
) -> tuple[I64, Mask]:
    """`longest` and `ridden` of `Limits`."""
    cap, at_most = parameters.cap_minutes * MINUTE, parameters.longest_minutes * MINUTE
    ids = places["place"].head(places.height - 1).to_numpy()
    longest, ridden = most.copy(), np.zeros(len(most), np.bool_)
    vehicle = rows_in(ids, timetable.places)
    ridden[vehicle] = True
    rides = np.minimum(timetable.longest + 2 * cap, at_most)
    longest[vehicle] = np.maximum(longest[vehicle], rides)
    held_longest, held_ridden = longest.copy(), ridden.copy()
    long = longest > parameters.max_stay_minutes * MINUTE
    # who goes to a room has come to the building before
    inside_longest = np.where(long, np.minimum(longest + cap, at_most), 0)
    for level in nested:
        inside, holder = rows_in(ids, level.inside), rows_in(ids, level.holder)
        known = holder != NONE
        np.maximum.at(held_longest, holder[known], inside_longest[inside[known]])
        np.logical_or.at(held_ridden, holder[known], ridden[inside[known]])
    return held_longest, held_ridden


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
            known = self._places["place"].implode()
            places, trips = (
                shaped(frame, shape, name).filter(~pl.col("place").is_in(known))
                for frame, shape, name in zip(
                    self._read(sorted(wanted)), (PLACES, TRIPS), ("places", "trips"), strict=True
                )
            )
            self._asked |= set(places["place"].to_list())
            self._places, self._trips = self._places.vstack(places), self._trips.vstack(trips)
            wanted = set(places["within"].drop_nulls().to_list()) - self._asked
        if len(self._asked) > asked:
            self._ground = ground_of(self._places, self._trips, self.parameters)
        return self._ground
