"""Clocks that seem slow, told by how late scans came to the broker.

A scan comes within seconds of its time. A device that was without network sends many at once, and
how late each comes differs by as much as they are apart. So where, on a local day, each of at least
`LEAST` scans of a producer at a place came `SLOW` or more after its time, and eight of ten of them
nearly equally late (`ALIKE`), the clock there is slow by about that much. It is said, and nothing
is changed: times are put right by people. A fast clock needs no such thing: more than two minutes
ahead, scans are rejected as `in_future`. What was typed from paper says nothing of a clock.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from tracer.columns import I64, as_index, firsts
from tracer.ground import DAY, LOCAL_OFFSET, MINUTE
from tracer.ruleset import Text

LEAST: Final = 10
SLOW: Final = 5 * MINUTE
ALIKE: Final = 2 * MINUTE
MOST_NOTES: Final = 10
_ALIKE_OF_TEN: Final = 8
_DAY_BITS: Final = 28  # of days since 1970, more than any time has
_1970: Final = date(1970, 1, 1)


class _Slow(NamedTuple):
    """`late`: milliseconds; `day`: local, since 1970."""

    place: int
    producer: str
    day: int
    late: int


def slow_clocks(scans: pl.DataFrame) -> tuple[Text, ...]:
    """A note for each place and producer, the latest first, at most `MOST_NOTES`.

    Columns: `place`, `producer`, `t` (milliseconds UTC) and `late` (milliseconds from the scan's
    time to the broker's; null if it says nothing).
    """
    daily: dict[tuple[int, str], list[_Slow]] = {}
    for slow in _daily(scans):
        daily.setdefault((slow.place, slow.producer), []).append(slow)
    found = sorted(daily.items(), key=lambda one: (-min(slow.late for slow in one[1]), one[0]))
    return tuple(_note(days) for _, days in found[:MOST_NOTES])


def _daily(scans: pl.DataFrame) -> Iterator[_Slow]:
    """Where and when a clock seems slow."""
    rows, where = _suspects(scans)
    if not len(rows):
        return
    late = scans["late"][as_index(rows)].to_numpy().astype(np.int64)
    names: dict[str, int] = {}
    producer = scans["producer"][as_index(rows)].to_list()
    numbers = [names.setdefault(name, len(names)) for name in producer]
    which = np.unique(where, return_inverse=True)[1] * len(names) + np.array(numbers)
    order = np.lexsort((late, which))
    first = firsts(which[order])
    number = np.diff(first, append=len(order))
    rising = late[order]
    least = rising[first]
    most = rising[first + (_ALIKE_OF_TEN * number + 9) // 10 - 1]
    producers = list(names)
    for n in np.flatnonzero((number >= LEAST) & (least >= SLOW) & (most - least <= ALIKE)):
        row = order[first[n]]
        place, day = divmod(int(where[row]), 1 << _DAY_BITS)
        yield _Slow(place, producers[numbers[row]], day, int(least[n]))


def _suspects(scans: pl.DataFrame) -> tuple[I64, I64]:
    """The scans that say something of a clock, and one number of place and local day of each,
    where so many are late that there can be a slow one. There mostly is none: so the late ones,
    which are few, are looked at first."""
    late = scans["late"].to_numpy()  # null is not a number, and no number is as late as that
    slow = late >= SLOW
    nothing = np.empty(0, np.int64)
    if np.count_nonzero(slow) < LEAST:
        return nothing, nothing
    day = (scans["t"].to_numpy() + LOCAL_OFFSET) // DAY
    where = (scans["place"].to_numpy().astype(np.int64) << _DAY_BITS) + day
    found, number = np.unique(where[slow], return_counts=True)
    found = found[number >= LEAST]
    if not len(found):
        return nothing, nothing
    at = np.minimum(np.searchsorted(found, where), len(found) - 1)
    rows = np.flatnonzero((found[at] == where) & ~np.isnan(late))
    return rows, where[rows]


def _note(slow: list[_Slow]) -> Text:
    place, producer = slow[0].place, slow[0].producer
    minutes = min(one.late for one in slow) // MINUTE
    first, last = (_1970 + timedelta(days=end(one.day for one in slow)) for end in (min, max))
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
