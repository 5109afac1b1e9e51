"""Where and when somebody could meet the case, and who could.

A meeting is a part of a stay of the case that counts. Who could meet it there is told by the scans
of everybody at that place around it, before anybody's stays are known: nobody is left out whose
stay could meet it, and few are kept whose does not.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
import polars as pl

from tracer.columns import (
    FOREVER,
    I64,
    NEVER,
    NONE,
    U32,
    U64,
    Mask,
    changes,
    instants,
    last_before,
    next_of,
    own,
)
from tracer.ground import Grounds
from tracer.hours import Span, held
from tracer.parameters import Parameters
from tracer.sought import Sought, together

Times = TypeVar("Times", int, I64)
# Columns of meetings, beside `place`; milliseconds (since 1970 UTC the first two).
TIMES: Final = ("from", "to", "reach", "near", "longest", "margin")


def meetings(case_stays: pl.DataFrame, ground: Grounds) -> pl.DataFrame:
    """Place, `from`, `to`, `reach` and `longest` of the case's stays, in milliseconds; and `near`
    and `margin`.

    `near`: the longest an interval there can be, unless an own scan out ends it. `margin`: how far
    around a meeting whoever was there is read, so that a `pass` inside a stay is recognised as one.
    """
    here = ground.at(case_stays["place"])
    place = case_stays["place"].to_numpy()
    known = here.of(case_stays["place"], "reach", "bound", "longest", "ridden")
    # an arrival, or a scan in a room inside, ends a stay long after what is usual
    late = known["ridden"].to_numpy()
    for level in here.levels:
        late = late | np.isin(place, level.holders)
    longest = known["longest"].to_numpy()
    near = np.maximum(known["reach"].to_numpy(), known["bound"].to_numpy())
    return pl.DataFrame(
        [
            case_stays["place"],
            pl.Series("from", instants(case_stays["from"])),
            pl.Series("to", instants(case_stays["to"])),
            known["reach"],
            pl.Series("near", np.where(late, longest, near)),
            known["longest"],
            pl.Series("margin", margin_of(longest, ground.parameters)),
        ]
    )


def margin_of(longest: Times, parameters: Parameters) -> Times:
    """How far around what touches a moment scans are read, where intervals are at most `longest`;
    milliseconds, one or an array of them."""
    return 2 * longest + parameters.double_tap_seconds * 1000


def read_around(place: U32, start: I64, end: I64, ground: Grounds) -> tuple[I64, I64]:
    """From when to when scans of whoever could meet these meetings are read, milliseconds UTC."""
    asked = pl.Series(place)
    longest = ground.at(asked).of(asked, "longest")["longest"].to_numpy()
    margin = margin_of(longest, ground.parameters)
    return start - margin, end + margin


def spans_of(meetings: pl.DataFrame) -> list[Span]:
    """Where to look for who came or went, each place and time once."""
    spans: list[Span] = []
    columns = [meetings[column].to_numpy() for column in ("place", "from", "to", "longest")]
    order = np.lexsort((columns[1], columns[0]))
    for place, start, end, longest in zip(*(c[order].tolist() for c in columns), strict=True):
        begin, until = start - longest, end + longest
        if spans and spans[-1].place == place and begin <= spans[-1].end:
            spans[-1] = Span(place, spans[-1].start, max(spans[-1].end, until))
        else:
            spans.append(Span(place, begin, until))
    return spans


def around(met: pl.DataFrame, by: Literal["longest", "margin"]) -> tuple[int, int]:
    """From that much before all meetings to as much after them, milliseconds UTC."""
    first, last, more = (met[column].to_numpy() for column in ("from", "to", by))
    return int((first - more).min()), int((last + more).max())


def could_meet(scans: pl.DataFrame, meetings: pl.DataFrame) -> Sought:
    """The persons of whom a stay can meet one of the case's, and the time in which scans of theirs
    decide it: the meetings and their margins.

    They came before the meeting's end and did not scan out there before its beginning; and they
    came `near` before or during it, or scanned out after it began and at most `longest` after they
    came. Or they scanned out during it or at most `reach` after, and had not come after its end.
    What was opened ends with the next scan out there at the latest, whatever else was scanned, and
    one that ends nothing begins after every scan before it (rules 5 and 7 of `tracer.stays`).

    `scans`: person, place, `t` and `out`, of everyone at these places.
    """
    pairs = _pairs(scans, meetings)
    opened = pairs.opened & ((pairs.t >= pairs.start - pairs.near) | ~pairs.not_out)
    went_out = pairs.out & (pairs.t >= pairs.start) & (pairs.t <= pairs.end + pairs.reach)
    those = opened | (went_out & (pairs.came < pairs.end))
    start, end = pairs.start - pairs.margin, pairs.end + pairs.margin
    return together([Sought(pairs.person[those], start[those], end[those])])


def could_still_meet(scans: pl.DataFrame, meetings: pl.DataFrame) -> U64:
    """The persons (rising) who came so long before a meeting that only a scan out there, which is
    not known yet, would say that they were still there.

    `scans`: as `could_meet` takes them.
    """
    pairs = _pairs(scans, meetings)
    those = pairs.opened & pairs.not_out & (pairs.t + pairs.reach <= pairs.start)
    return np.unique(pairs.person[those])


@dataclass(frozen=True)
class _Pairs:
    """Scans beside each meeting that they are around; milliseconds.

    `came`: see `_around`; of the meeting `start`, `end`, `reach`, `near`, `margin`. `opened`: the
    scan opened a stay that may have lasted into the meeting; `not_out`: no scan out there ends it.
    """

    person: U64
    t: I64
    out: Mask
    came: I64
    not_out: Mask
    opened: Mask
    start: I64
    end: I64
    reach: I64
    near: I64
    margin: I64


def _pairs(scans: pl.DataFrame, meetings: pl.DataFrame) -> _Pairs:
    start, end, reach, near, longest, margin = (meetings[column].to_numpy() for column in TIMES)
    person, place, t = (scans[column].to_numpy() for column in ("person", "place", "t"))
    out = scans["out"].to_numpy()
    came, left = _around(person, place, t, out)
    row, met = held(place, t, meetings["place"].to_numpy(), start - longest, end + longest)
    person, t, out, came, left = person[row], t[row], out[row], came[row], left[row]
    start, end, reach, near, longest, margin = (
        column[met] for column in (start, end, reach, near, longest, margin)
    )
    return _Pairs(
        person,
        t,
        out,
        came,
        not_out=left > t + longest,
        opened=~out & (t <= end) & (left > start),
        start=start,
        end=end,
        reach=reach,
        near=near,
        margin=margin,
    )


def _around(person: U64, place: U32, t: I64, out: Mask) -> tuple[I64, I64]:
    """Of each scan, when the same person last came before it and next scanned out after it, both
    there; `NEVER` and `FOREVER` if not."""
    order = np.lexsort((~out, t, person, place))  # at one time the scans out first
    person, place, t, out = person[order], place[order], t[order], out[order]
    group: I64 = np.cumsum(changes(person) | changes(place))
    last_came, next_left = own(last_before(~out), group), own(next_of(out), group)
    came, left = np.empty(len(t), np.int64), np.empty(len(t), np.int64)
    came[order] = np.where(last_came == NONE, NEVER, t[last_came])
    left[order] = np.where(next_left == NONE, FOREVER, t[next_left])
    return came, left
