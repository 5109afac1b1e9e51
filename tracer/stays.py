"""Stays: from one person's scans, the intervals they were at a place.

The rule, whole, so that anyone can recompute it from the scans, places, trips, answers and
parameters of a run. Times are whole milliseconds UTC; hours are Asia/Ho_Chi_Minh; "at most"
includes equality. `usual` is the place's usual stay; `most` is `max_stay_minutes` or, if that is
more, `usual`, at most `max_long_stay_minutes`; `reach` is `usual`, or `cap_minutes` if none is
known, at most `most`; `bound` is `within_usual` × `usual` (rounded down to a millisecond), or
`cap_minutes` if none is known, at most `most`.

Of the trips that a place has (one that arrives before it departs is none), a scan at t names the
one with its `trip`. Of several with that name it is one under way at t (departed at or before t,
arriving after; the last to arrive); else the next to depart, at most `cap_minutes` after t; else
the last that arrived, at most `cap_minutes` before t; else the scan names none. `longest` of an
opening at t is `most`, or the time until `cap_minutes` after the arrival of its trip if that is
more, at most `max_long_stay_minutes`. Its trip is the one it names; of an opening that names none,
of the place's trips that depart at most `cap_minutes` after t the one that arrives last: so a long
charter says nothing of another day.

Reading
1. Every row is a scan: ingest writes an event once. One that came in two partitions is there
   twice, at the same time and place: a double tap of itself, of which rule 3 reads the first.
2. One person's scans are read by time; at equal time `out` before `in` before `pass`; of these an
   `out` of a place inside before that of what holds it, an `in` or a `pass` after it; then by
   place, partition, offset. Before and after below mean this order. But of an `in` and an `out`
   here at one time (paper is typed to the minute) the `in` is read first, as of somebody who
   stayed less than that, and both before any other `in` of that time; unless the person's last
   scan here before that time, other than such two, is an `in` or a `pass` at most as long ago
   as a stay here can be: then they went out and came back.
3. Double tap: a scan at the same place, in the same direction and at most `double_tap_seconds`
   after the scan just before it (itself a double tap or not) is not read any further.

Openings and ends
4. Each `in` and each `pass` is an opening. Its *decisive* scan is the person's first later one
   that is at another place (any direction) or an `out` here. A place that lies within this
   one, or within one that does, is not another: who is in a room is still in the building
   (`tracer.nesting` says how deep). An `in` is a *return* if the person's `in` or `pass` there
   before it is more than `bound` earlier, or the place closed after that and before this:
   whoever comes in the morning has gone home in the evening, scanned or not. But not if both
   name one trip of this place: a coach stops on its way.
5. The opening at t gets an interval [t, end]; the end is the first of these that is accepted:
   - `scan_out`: the decisive scan, if it is an `out` here, at most `longest` after t,
     and no return lies between.
     (A scan out that comes after a scan elsewhere contradicts it and ends nothing: see 7.)
   - `answered`: of the person's answers for this place that start at or before t, the one that
     starts last (of several, ends last); its end, if plausible; else of those that start at most
     `reach` after t the one that starts first, so too: nobody answers to the minute. Plausible:
     after t, at most `longest` after t, and not after a decisive scan elsewhere, nor
     after a return before the decisive `out` here.
   - `next_elsewhere`: the decisive scan, if elsewhere and at most `bound` after t, or not after
     the arrival of the trip that the scan names, where that is at most `longest` after t.
   - `trip_end`: the arrival of the trip that the scan names, if plausible.
   - `closing_time`: the first closing of the place strictly after t, if at most `bound` after.
     A place that opens when it closes is open around the clock.
   - `usual_stay`: t + `reach`, if a usual stay is known.
   - `cap`: t + `reach`.
6. A `pass` while a stay is open there is not an opening: one whose t is strictly before the
   end of an interval of an earlier `in`, or of an earlier `pass` that is an opening, of the
   same person and place. It closes none and prolongs none.
7. An `out` that ends no interval was preceded by an entry nobody recorded: it gives the
   interval from `reach` before it to it, but not before the person's previous scan here or at
   another place (as in 4: not before one inside here).

Inside
8. Where the interval of an opening ends by a closing, a usual stay or the cap, and the person
   has an interval of 5 or 7 inside that place whose scan comes after this opening and before its
   decisive scan, with no other opening there in between and no closing of the place: there is
   another from this opening to the end of that one (its provenance and closing scan), at the latest
   to the decisive scan, if it ends later and is no longer than any here can be: `most`, or the time
   of the place's longest trip and twice `cap_minutes`; or, of any place inside where that is more
   than `max_stay_minutes`, that and `cap_minutes`; each at most `max_long_stay_minutes`. Who scans
   into a room alone is in no list of the building.

Joining
9. Intervals of one person and place that overlap or touch are one stay: so a second `in` while
   a stay is open joins it, and prolongs it if its own end is later. Start, start provenance
   (`scan_in`, `scan_pass`, `assumed` for 7) and opening scan are those of the earliest
   interval; end, end provenance and closing scan those of the one that ends last. Among equal
   starts or ends the provenance named first counts, then the one whose own scan was read first,
   then the one whose closing scan was.
   Each interval is bounded so; a stay of several may be longer.
10. A stay may have no length (entered and seen elsewhere in the same millisecond); it makes no
   exposure. An end never precedes a start.

Confidence of a stay is the lower of those of its start and its end (`parameters`): it is no
surer than its weaker side.

Evidence is (partition, offset) of the opening scan, null for `assumed`, and of the scan that
ended it, null unless `scan_out` or `next_elsewhere`.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tracer.columns import NEVER, NONE, Mask, as_index
from tracer.ends import with_ends
from tracer.frames import ANSWERS, NO_ANSWERS, SCANS, TIME, empty, shaped
from tracer.ground import Grounds, Limits
from tracer.inside import going_on
from tracer.intervals import Intervals
from tracer.joining import joined
from tracer.openings import read_in_order
from tracer.parameters import ENDS, STARTS, STATED, Parameters
from tracer.passes import opening_passes
from tracer.scanned import OUT, Read, Scanned, scanned

STAYS: Final[Mapping[str, pl.DataType]] = {
    "person": pl.UInt64(),
    "place": pl.UInt32(),
    "start": TIME,
    "end": TIME,
    "start_provenance": pl.Enum((*STARTS, *STATED)),
    "end_provenance": pl.Enum((*ENDS, *STATED)),
    "confidence": pl.Float64(),
    "opening_partition": pl.UInt16(),
    "opening_offset": pl.UInt64(),
    "closing_partition": pl.UInt16(),
    "closing_offset": pl.UInt64(),
}
_SCAN_OUT: Final = ENDS.index("scan_out")
_ASSUMED: Final = STARTS.index("assumed")
_START_NAMES: Final = pl.Series(STARTS, dtype=STAYS["start_provenance"])
_END_NAMES: Final = pl.Series(ENDS, dtype=STAYS["end_provenance"])


def stays(
    scans: pl.DataFrame, ground: Grounds, answers: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row a stay, columns `STAYS`, ordered by person, place, start.

    `scans` and `answers` (what people said when asked: person, place, start, end) have the shapes
    of `tracer.frames`; a place that `ground` does not know has no hours and no usual stay. The
    same input in any row order gives the same output. Raises ValueError naming the frame and
    column that has not its shape, or the column of `scans` that lacks a value.
    """
    answers = NO_ANSWERS if answers is None else shaped(answers, ANSWERS, "answers")
    scans = shaped(scans, SCANS, "scans")
    if scans.is_empty():
        return empty(STAYS)

    came = scanned(scans)
    here = ground.at(pl.Series(came.places))
    limits = here.limits(came.places)
    read = read_in_order(came, here, limits)
    opened = opening_passes(read, with_ends(came, read, limits, here, answers))
    intervals = opened + _of_lone_outs(read, opened, limits)
    if here.levels:
        intervals = intervals + going_on(read, came.places, opened, intervals, limits, here)
    return _as_stays(joined(intervals, read.pair[intervals.row]), came, read, ground.parameters)


def _of_lone_outs(read: Read, opened: Intervals, limits: Limits) -> Intervals:
    """Rule 7: an interval for each `out` that ends none."""
    lone = read.direction == OUT
    lone[opened.closing[opened.end_rank == _SCAN_OUT]] = False
    row = np.flatnonzero(lone)
    end, previous = read.t[row], read.previous[row]
    before = np.where(previous == NONE, NEVER, read.t[previous])
    return Intervals(
        row=row,
        start=np.maximum(end - limits.reach[read.where[row]], before),
        end=end,
        start_rank=np.full(len(row), _ASSUMED, dtype=np.int8),
        end_rank=np.full(len(row), _SCAN_OUT, dtype=np.int8),
        closing=row,
    )


def _as_stays(
    intervals: Intervals, scans: Scanned, read: Read, parameters: Parameters
) -> pl.DataFrame:
    assert (intervals.start <= intervals.end).all(), "an end never precedes a start"
    start_rank, end_rank = intervals.start_rank, intervals.end_rank
    start_confidence = np.array([parameters.start_confidence[name] for name in STARTS])
    end_confidence = np.array([parameters.end_confidence[name] for name in ENDS])
    confidence = np.minimum(start_confidence[start_rank], end_confidence[end_rank])
    row, opening, closing = intervals.row, read.scan[intervals.row], read.scan[intervals.closing]
    nobody_saw, not_scanned = start_rank == _ASSUMED, intervals.closing == NONE
    return pl.DataFrame(
        [
            pl.Series("person", scans.persons[read.who[row]]),
            pl.Series("place", scans.places[read.where[row]]),
            pl.Series("start", intervals.start).cast(TIME),
            pl.Series("end", intervals.end).cast(TIME),
            _START_NAMES[as_index(start_rank)].alias("start_provenance"),
            _END_NAMES[as_index(end_rank)].alias("end_provenance"),
            pl.Series("confidence", confidence),
            _but("opening_partition", scans.partition[opening], nobody_saw),
            _but("opening_offset", scans.offset[opening], nobody_saw),
            _but("closing_partition", scans.partition[closing], not_scanned),
            _but("closing_offset", scans.offset[closing], not_scanned),
        ]
    )


def _but(name: str, values: npt.NDArray[np.generic], missing: Mask) -> pl.Series:
    """The values, null where they are missing."""
    return pl.Series(name, pa.array(values, mask=missing))
