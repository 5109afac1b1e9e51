"""Where and when somebody could meet the case, and who could.

A meeting is a part of a stay of the case that counts. Who could meet it there is told by the scans
of everybody at that place around it, before anybody's stays are known: nobody is left out whose
stay could meet it, and few are kept whose does not.
"""

from dataclasses import dataclass
from typing import Final

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
from tracer.ground import MINUTE, Grounds
from tracer.hours import Span, held
from tracer.sought import Sought, together

# Columns of meetings, beside `place`; milliseconds (since 1970 UTC the first two).
TIMES: Final = ("from", "to", "reach", "near")


def meetings(case_stays: pl.DataFrame, ground: Grounds) -> pl.DataFrame:
    """Place, `from`, `to` and `reach` of the case's stays, in milliseconds, and `near`.

    `near`: the longest an interval there can be, unless an own scan out ends it.
    """
    longest = ground.parameters.max_stay_minutes * MINUTE
    here = ground.at(case_stays["place"])
    place = case_stays["place"].to_numpy()
    # an arrival, or a scan in a room inside, ends a stay long after what is usual
    late = np.isin(place, here.trips["place"].to_numpy())
    for level in here.levels:
        late |= np.isin(place, level.holders)
    known = here.of(case_stays["place"], "reach", "bound")
    near = np.maximum(known["reach"].to_numpy(), known["bound"].to_numpy())
    return pl.DataFrame(
        [
            case_stays["place"],
            pl.Series("from", instants(case_stays["from"])),
            pl.Series("to", instants(case_stays["to"])),
            known["reach"],
            pl.Series("near", np.where(late, longest, near)),
        ]
    )


def spans_of(meetings: pl.DataFrame, longest: int) -> list[Span]:
    """Where to look for who came or went, each place and time once.

    `longest`: milliseconds of the longest interval there is.
    """
    spans: list[Span] = []
    columns = [meetings[column].to_numpy() for column in ("place", "from", "to")]
    order = np.lexsort((columns[1], columns[0]))
    for place, start, end in zip(*(column[order].tolist() for column in columns), strict=True):
        begin, until = start - longest, end + longest
        if spans and spans[-1].place == place and begin <= spans[-1].end:
            spans[-1] = Span(place, spans[-1].start, max(spans[-1].end, until))
        else:
            spans.append(Span(place, begin, until))
    return spans


def around(met: pl.DataFrame, margin: int) -> tuple[int, int]:
    """From `margin` before the first meeting to as long after the last, milliseconds UTC."""
    first, last = (met[column].to_list() for column in ("from", "to"))
    return min(first) - margin, max(last) + margin


def could_meet(scans: pl.DataFrame, meetings: pl.DataFrame, longest: int) -> Sought:
    """The persons of whom a stay can meet one of the case's, and from the beginning of the first
    of these meetings to the end of the last.

    They came before the meeting's end and did not scan out there before its beginning; and they
    came `near` before or during it, or scanned out after it began and at most `longest` after they
    came. Or they scanned out during it or at most `reach` after, and had not come after its end.
    What was opened ends with the next scan out there at the latest, whatever else was scanned, and
    one that ends nothing begins after every scan before it (rules 5 and 7 of `tracer.stays`).

    `scans`: person, place, `t` and `out`, of everyone at these places.
    """
    pairs = _pairs(scans, meetings, longest)
    opened = pairs.opened & ((pairs.t >= pairs.start - pairs.near) | ~pairs.not_out)
    went_out = pairs.out & (pairs.t >= pairs.start) & (pairs.t <= pairs.end + pairs.reach)
    those = opened | (went_out & (pairs.came < pairs.end))
    return together([Sought(pairs.person[those], pairs.start[those], pairs.end[those])])


def could_still_meet(scans: pl.DataFrame, meetings: pl.DataFrame, longest: int) -> U64:
    """The persons (rising) who came so long before a meeting that only a scan out there, which is
    not known yet, would say that they were still there.

    `scans`: as `could_meet` takes them.
    """
    pairs = _pairs(scans, meetings, longest)
    those = pairs.opened & pairs.not_out & (pairs.t + pairs.reach <= pairs.start)
    return np.unique(pairs.person[those])


@dataclass(frozen=True)
class _Pairs:
    """Scans beside each meeting that they are around; milliseconds.

    `came`: see `_around`; of the meeting `start`, `end`, `reach` and `near`. `opened`: the scan
    opened a stay that may have lasted into the meeting; `not_out`: no scan out there ends it.
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


def _pairs(scans: pl.DataFrame, meetings: pl.DataFrame, longest: int) -> _Pairs:
    start, end, reach, near = (meetings[column].to_numpy() for column in TIMES)
    person, place, t = (scans[column].to_numpy() for column in ("person", "place", "t"))
    out = scans["out"].to_numpy()
    came, left = _around(person, place, t, out)
    row, met = held(place, t, meetings["place"].to_numpy(), start - longest, end + longest)
    person, t, out, came, left = person[row], t[row], out[row], came[row], left[row]
    start, end, reach, near = start[met], end[met], reach[met], near[met]
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
