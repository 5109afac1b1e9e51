"""Where and when somebody could meet the case, and who could.

A meeting is a part of a stay of the case that counts. Who could meet it there is told by the scans
of everybody at that place around it, before anybody's stays are known: nobody is left out whose
stay could meet it, and few are kept whose does not.
"""

from typing import Final

import numpy as np
import polars as pl

from tracer.ground import MINUTE, Grounds
from tracer.hours import I64, Span, held
from tracer.sought import Sought

# Columns of meetings, beside `place`; milliseconds (since 1970 UTC the first two).
TIMES: Final = ("from", "to", "reach", "near")


def meetings(case_stays: pl.DataFrame, ground: Grounds) -> pl.DataFrame:
    """Place, `from`, `to` and `reach` of the case's stays, in milliseconds, and `near`.

    `near`: the longest an interval there can be, unless an own scan out ends it.
    """
    longest = ground.parameters.max_stay_minutes * MINUTE
    here = ground.at(case_stays["place"])
    ridden = pl.col("place").is_in(here.trips["place"].unique().implode())
    return case_stays.hstack(here.of(case_stays["place"], "reach", "bound")).select(
        "place",
        pl.col("from").dt.timestamp("ms"),
        pl.col("to").dt.timestamp("ms"),
        "reach",
        near=pl.when(ridden).then(longest).otherwise(pl.max_horizontal("reach", "bound")),
    )


def spans_of(meetings: pl.DataFrame, longest: int) -> list[Span]:
    """Where to look for who came or went, each place and time once.

    `longest`: milliseconds of the longest interval there is.
    """
    spans: list[Span] = []
    rows = meetings.select("place", "from", "to").sort("place", "from")
    for place, start, end in rows.iter_rows():
        begin, until = start - longest, end + longest
        if spans and spans[-1].place == place and begin <= spans[-1].end:
            spans[-1] = Span(place, spans[-1].start, max(spans[-1].end, until))
        else:
            spans.append(Span(place, begin, until))
    return spans


def could_meet(scans: pl.DataFrame, meetings: pl.DataFrame, longest: int) -> Sought:
    """The persons of whom a stay can meet one of the case's, and from the beginning of the first
    of these meetings to the end of the last.

    They opened one there `near` before or during it; or went out during it or at most `reach`
    after; or opened one before its end and went out after its beginning, no more than `longest`
    before and after it. `scans`: person, place, `t` and `out`, of everyone at these places.
    """
    start, end, reach, near = (meetings[column].to_numpy() for column in TIMES)
    t, out = scans["t"].to_numpy(), scans["out"].to_numpy()
    row, met = held(
        scans["place"].to_numpy(),
        t,
        meetings["place"].to_numpy().astype(np.int64),
        start - longest,
        end + longest,
    )
    persons, number = np.unique(scans["person"].to_numpy(), return_inverse=True)
    t, out, number = t[row], out[row], number[row]
    opened_near = ~out & (t >= (start - near)[met]) & (t <= end[met])
    went_out = out & (t >= start[met]) & (t <= (end + reach)[met])
    pair: I64 = met * len(persons) + number
    opened, out_later = pair[~out & (t <= end[met])], pair[out & (t >= start[met])]
    surely = pair[opened_near | went_out]
    found = np.union1d(surely, np.intersect1d(opened, out_later))
    met, number = found // max(1, len(persons)), found % max(1, len(persons))
    first = np.full(len(persons), np.iinfo(np.int64).max)
    last = np.full(len(persons), np.iinfo(np.int64).min)
    np.minimum.at(first, number, start[met])
    np.maximum.at(last, number, end[met])
    those = np.unique(number)
    return Sought(persons[those], first[those], last[those])
