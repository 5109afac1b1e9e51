"""Clocks that seem slow, told by how late scans came to the broker.

A scan comes within seconds of its time. A device that was without network sends many at once, and
how late each comes differs by as much as they are apart. So where, on a local day, each of at least
`LEAST` scans of a producer at a place came `SLOW` or more after its time, and eight of ten of them
nearly equally late (`ALIKE`), the clock there is slow by about that much. It is said, and nothing
is changed: times are put right by people. A fast clock needs no such thing: more than two minutes
ahead, scans are rejected as `in_future`. What was typed from paper says nothing of a clock.
"""

from typing import Final

import numpy as np
import polars as pl

from tracer.ground import DAY, LOCAL_OFFSET, MINUTE
from tracer.ruleset import Text

LEAST: Final = 10
SLOW: Final = 5 * MINUTE
ALIKE: Final = 2 * MINUTE
MOST_NOTES: Final = 10
_DAY_BITS: Final = 28  # of days since 1970, more than any time has


def slow_clocks(scans: pl.DataFrame) -> tuple[Text, ...]:
    """A note for each place and producer, the latest first, at most `MOST_NOTES`.

    Columns: `place`, `producer`, `t` (milliseconds UTC) and `late` (milliseconds from the scan's
    time to the broker's; null if it says nothing).
    """
    suspects = _suspects(scans)
    if suspects.is_empty():
        return ()
    daily = (
        suspects.group_by("place", "producer", "day")
        .agg(pl.col("late").min(), most=pl.col("late").quantile(0.8), number=pl.col("late").count())
        .filter(pl.col("number") >= LEAST, pl.col("late") >= SLOW)
        .filter(pl.col("most") - pl.col("late") <= ALIKE)
    )
    found = (
        daily.group_by("place", "producer")
        .agg(pl.col("late").min(), first=pl.col("day").min(), last=pl.col("day").max())
        .sort("late", "place", "producer", descending=[True, False, False])
    )
    return tuple(_note(*row) for row in found.head(MOST_NOTES).iter_rows())


def _suspects(scans: pl.DataFrame) -> pl.DataFrame:
    """The scans, with their local `day`, of places and days with so many late ones that there can
    be a slow clock. There mostly is none: so the late ones, which are few, are looked at first."""
    late = scans["late"].to_numpy()  # null is not a number, and no number is as late as that
    slow = late >= SLOW
    if np.count_nonzero(slow) < LEAST:
        return scans.clear()
    day = (scans["t"].to_numpy() + LOCAL_OFFSET) // DAY
    where = (scans["place"].to_numpy().astype(np.int64) << _DAY_BITS) + day
    found, number = np.unique(where[slow], return_counts=True)
    found = found[number >= LEAST]
    if not len(found):
        return scans.clear()
    at = np.minimum(np.searchsorted(found, where), len(found) - 1)
    rows = np.flatnonzero(found[at] == where)
    return scans[rows].with_columns(pl.Series("day", day[rows].astype(np.int32)).cast(pl.Date))


def _note(place: int, producer: str, late: int, first: object, last: object) -> Text:
    minutes = late // MINUTE
    days = f"{first:%d/%m/%Y}" if first == last else f"{first:%d/%m/%Y}–{last:%d/%m/%Y}"
    return Text(
        vi=(
            f"Điểm quét {place}, nguồn {producer}, {days}: lượt quét nào cũng đến sau giờ ghi "
            f"khoảng {minutes} phút. Đồng hồ ở đó hình như chậm chừng ấy: hãy hỏi lại giờ."
        ),
        en=(
            f"Place {place}, producer {producer}, {days}: each scan came some {minutes} minutes "
            "after its time. The clock there seems that slow: ask for the times."
        ),
    )
