"""Stays of the case that are longer than any that is believed: said, and not made.

A patient of three days. Beyond the longest stay of a place (`tracer.ground.Limits`) a scan in and
the scan out after it are mostly of two visits, so two short stays are made of them; an officer who
asks can enter the time between as place-time points.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl

from schemas.clock import local_text
from tracer.columns import codes, instants
from tracer.ground import MINUTE, Grounds
from tracer.ruleset import Text
from tracer.scanned import IN, OUT

MOST_NOTES: Final = 5
_Found = tuple[int, int, int]  # place, came, went (milliseconds since 1970 UTC)


def long_stays(itinerary: pl.DataFrame, ground: Grounds) -> list[Text]:
    """A note for each scan in whose scan out, with nothing elsewhere between, or whose trip's
    arrival comes later than that; the first few. `itinerary`: the case's scans."""
    found = sorted({*_by_scans(itinerary), *_by_trips(itinerary, ground)}, key=lambda f: f[1:])
    if not found:
        return []
    place = pl.Series([where for where, _, _ in found], dtype=pl.UInt32)
    longest = ground.at(place).of(place, "longest")["longest"].to_list()
    too_long = [
        _note(*some, most)
        for some, most in zip(found, longest, strict=True)
        if some[2] - some[1] > most
    ]
    return too_long[:MOST_NOTES]


def _by_scans(itinerary: pl.DataFrame) -> Iterator[_Found]:
    t, direction = instants(itinerary["scanned_at"]), codes(itinerary["direction"])
    place = itinerary["place"].to_numpy()
    order = np.lexsort((direction, t))
    came: tuple[int, int] | None = None
    columns = (column[order].tolist() for column in (place, direction, t))
    for where, way, at in zip(*columns, strict=True):
        if way == OUT:
            if came is not None and came[0] == where:
                yield where, came[1], at
            came = None
        elif way == IN or came is None or came[0] != where:
            came = where, at


def _by_trips(itinerary: pl.DataFrame, ground: Grounds) -> Iterator[_Found]:
    if itinerary["trip"].null_count() == itinerary.height:
        return
    named = itinerary.filter(pl.col("trip").is_not_null(), pl.col("direction") != "out")
    known = named.join(ground.at(named["place"]).arrivals, on=["place", "trip"])
    yield from known.select("place", pl.col("scanned_at").dt.timestamp("ms"), "arrival").iter_rows()


def _note(place: int, came: int, went: int, longest: int) -> Text:
    hours = longest // (60 * MINUTE)
    begin, end = (local_text(datetime.fromtimestamp(ms / 1000, UTC)) for ms in (came, went))
    return Text(
        vi=f"Điểm quét {place}: ca bệnh vào lúc {begin}, ra lúc {end}. Dài hơn {hours} giờ nên "
        "không được tính là một khoảng có mặt: hãy hỏi lại và nhập mốc dịch tễ.",
        en=f"Place {place}: the case came at {begin} and left at {end}. Longer than {hours} hours, "
        "it is not taken for one stay: ask, and enter place-time points.",
    )
