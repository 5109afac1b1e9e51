"""Trips as openings look them up: which one a scan names, and how long trips keep somebody there.

A city's timetables have millions of trips, and a few thousand openings ask: so all stand on one
line, vehicle after vehicle by departure, and are found by search. Times are milliseconds since
1970 UTC.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from tracer.columns import I64, NEVER, NONE, U32, firsts, instants, ranges, rows_in

_TIME_BITS: Final = 44  # milliseconds until 2527; 19 bits are left for the number of a vehicle
_LAST: Final = 2**_TIME_BITS - 1
_SHORT: Final = 6 * 3_600_000


@dataclass(frozen=True)
class Rides:
    """Of openings, row by row.

    `trip`: the number of the trip that the scan names, NONE where it names none that this place
    has then; `arrival`: of that trip, else NEVER. `until`: of what arrival trips say that somebody
    who came then may still be there: of that trip, and where none is named, of the one that arrives
    last of those that have departed or do so at most `cap` later; else NEVER.
    """

    trip: I64
    arrival: I64
    until: I64


@dataclass(frozen=True)
class Timetable:
    """Make it with `timetable_of`. `places`: those that have trips, rising; `longest`: beside them,
    how long their longest trip takes, milliseconds."""

    places: U32
    longest: I64
    # of all trips, by place, departure and arrival
    _name: pl.Series
    _departs: I64
    _arrives: I64
    _first: I64  # the first of each of `places`
    _line: I64  # by place and departure
    _latest: I64  # so far, of its place
    _lots: "tuple[_Lot, _Lot]"  # short trips and long ones

    def rides(self, place: U32, t: I64, names: pl.Series, cap: int) -> Rides:
        """Of openings at these places and times, whose scans name these trips (null: none).

        Which trip is meant of several that one name was given to: one that is under way (of these
        the one that arrives last); else the next to depart, at most `cap` later; else the one that
        arrived last, at most `cap` before (milliseconds).
        """
        rides = Rides(*(np.full(len(t), none) for none in (NONE, NEVER, NEVER)))
        where = rows_in(self.places, place)
        there = np.flatnonzero(where != NONE)
        if not len(there):
            return rides
        where, then = where[there], t[there]
        behind = np.searchsorted(self._line, _on_line(where, then + cap), side="right")
        some = behind > self._first[where]
        rides.until[there[some]] = self._latest[behind[some] - 1]

        if names.null_count() == len(names):
            return rides
        named = np.flatnonzero(names.is_not_null().to_numpy()[there])
        where, then = where[named], then[named]
        found = [lot.around(where, then, cap) for lot in self._lots]
        trip, of = (np.concatenate(some) for some in zip(*found, strict=True))
        meant = (names.gather(there[named[of]]) == self._name.gather(trip)).to_numpy()
        meant &= then[of] <= self._arrives[trip] + cap
        trip, of = trip[meant], of[meant]
        best = self._best(trip, of, then)
        row, trip = there[named[of[best]]], trip[best]
        rides.trip[row] = trip
        rides.arrival[row] = rides.until[row] = self._arrives[trip]
        return rides

    def _best(self, trip: I64, of: I64, t: I64) -> I64:
        """Of these pairs (a trip, and of which of the times `t`) the one of each time."""
        departs, arrives = self._departs[trip], self._arrives[trip]
        ahead, over = departs > t[of], arrives <= t[of]
        order = np.lexsort((-arrives, np.where(ahead, departs, 0), over & ~ahead, ahead | over, of))
        return order[firsts(of[order])] if len(of) else order


@dataclass(frozen=True)
class _Lot:
    """Some of the trips, by place and departure: with one long charter among them, whoever rides a
    shuttle would be compared with all that the shuttle has done for days."""

    trips: I64
    line: I64
    longest: int

    def around(self, where: I64, t: I64, cap: int) -> tuple[I64, I64]:
        """The trips of the places, as `Timetable.places` numbers them, that may be meant at these
        times, and of which of the times each is."""
        first = np.searchsorted(self.line, _on_line(where, t - cap - self.longest))
        behind = np.searchsorted(self.line, _on_line(where, t + cap), side="right")
        found, of = ranges(first, behind)
        return self.trips[found], of


def timetable_of(trips: pl.DataFrame) -> Timetable:
    """Of a frame with the shape `frames.TRIPS`; one that arrives before it departs is none."""
    trips = trips.filter(pl.col("departs_at") <= pl.col("arrives_at"))
    trips = trips.sort("place", "departs_at", "arrives_at", "trip")
    departs, arrives = instants(trips["departs_at"]), instants(trips["arrives_at"])
    places, first, where = np.unique(
        trips["place"].to_numpy(), return_index=True, return_inverse=True
    )
    took = arrives - departs
    longest = np.zeros(len(places), np.int64)
    np.maximum.at(longest, where, took)
    latest = np.maximum.accumulate(_on_line(where, arrives)) & _LAST
    line = _on_line(where, departs)
    lots = tuple(
        _Lot(np.flatnonzero(some), line[some], int(took[some].max(initial=0)))
        for some in (took <= _SHORT, took > _SHORT)
    )
    return Timetable(
        places, longest, trips["trip"], departs, arrives, first, line, latest, (lots[0], lots[1])
    )


def _on_line(where: I64, t: I64) -> I64:
    return (where << _TIME_BITS) + np.clip(t, 0, _LAST)
