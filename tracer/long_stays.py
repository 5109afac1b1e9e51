"""Stays of the case that are longer than any that is believed: said, and not made.

A patient of three days. Beyond the longest that a stay may be (rule 5 of `tracer.stays`) a scan in
and the scan out after it are mostly of two visits, so two short stays are made of them; an officer
who asks can enter the time between as place-time points.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl

from schemas.clock import local_text
from tracer.columns import I64, U32, Small, codes, instants
from tracer.ground import MINUTE, Grounds, longest_at
from tracer.ruleset import Text
from tracer.scanned import IN, OUT

MOST_NOTES: Final = 5


def long_stays(itinerary: pl.DataFrame, ground: Grounds) -> list[Text]:
    """A note for each scan in whose scan out, with nothing elsewhere between, or whose trip's
    arrival comes later than that; the first few. `itinerary`: the case's scans."""
    here = ground.at(itinerary["place"])
    place, t = itinerary["place"].to_numpy(), instants(itinerary["scanned_at"])
    direction = codes(itinerary["direction"])
    rides = here.rides(place, t, itinerary["trip"])
    longest = longest_at(t, rides, here.limits(place).most, here.parameters)
    arrived = np.where(direction == OUT, t, rides.arrival)
    went = [*_by_scans(place, t, direction), *enumerate(arrived.tolist())]
    too_long = {
        (int(t[row]), at, int(place[row]), int(longest[row]))
        for row, at in went
        if at - t[row] > longest[row]
    }
    return [_note(where, came, at, most) for came, at, where, most in sorted(too_long)[:MOST_NOTES]]


def _by_scans(place: U32, t: I64, direction: Small) -> Iterator[tuple[int, int]]:
    """The row of each scan in, and when the scan out after it was."""
    came: int | None = None
    for row in np.lexsort((direction, t)).tolist():
        if direction[row] == OUT:
            if came is not None and place[came] == place[row]:
                yield came, int(t[row])
            came = None
        elif direction[row] == IN or came is None or place[came] != place[row]:
            came = row


def _note(place: int, came: int, went: int, longest: int) -> Text:
    hours = longest // (60 * MINUTE)
    begin, end = (local_text(datetime.fromtimestamp(ms / 1000, UTC)) for ms in (came, went))
    return Text(
        vi=f"Điểm quét {place}: ca bệnh vào lúc {begin}, ra lúc {end}. Dài hơn {hours} giờ nên "
        "không được tính là một khoảng có mặt: hãy hỏi lại và nhập mốc dịch tễ.",
        en=f"Place {place}: the case came at {begin} and left at {end}. Longer than {hours} hours, "
        "it is not taken for one stay: ask, and enter place-time points.",
    )
