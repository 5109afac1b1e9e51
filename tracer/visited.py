"""Where and when a case was at all, in its window or not: what is said of these places may matter.

A usual stay that was put right, or a trip that came late, may make a stay of it that counts.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.cases import Case
from tracer.columns import first_to_last, instants, milliseconds
from tracer.ground import Grounds


def visited(scans: pl.DataFrame, case: Case, ground: Grounds) -> npt.NDArray[np.int64]:
    """(n, 3): each place, and from the longest stay there before its first scan or place-time point
    of the case to as long after its last (milliseconds since 1970 UTC). `scans`: the case's."""
    t = instants(scans["scanned_at"])
    points = [(p.place, *map(milliseconds, (p.begin, p.end))) for p in case.points]
    stated = np.array(points, np.int64).reshape(-1, 3)
    rows = np.vstack([np.stack([scans["place"].to_numpy().astype(np.int64), t, t], 1), stated])
    place, begin, end = first_to_last(*rows.T)
    asked = pl.Series(place.astype(np.uint32))
    longest = ground.at(asked).of(asked, "longest")["longest"].to_numpy()
    return np.stack([place, begin - longest, end + longest], 1)
