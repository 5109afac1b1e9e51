"""Whom a scan says to be with somebody: a number, typed in or said at the door, and no names.

They did not scan, so no trace finds them: an officer asks the one who did.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from tracer.columns import as_index, or_zero
from tracer.frames import TIME, WRITTEN

Companions = Mapping[tuple[int, int, str], int]  # by person (64 bits), place, and time as written
_COLUMNS: Final = ("person", "place", "t", "companions")


def companions_of(visits: pl.DataFrame) -> Companions:
    """Of scans in with companions: how many; of one time the most. Columns person, place, `t`
    (milliseconds UTC), out, companions."""
    there = or_zero(visits["companions"]) > 0
    those = np.flatnonzero(there & ~visits["out"].to_numpy())
    if not len(those):
        return {}
    which = as_index(those)
    person, place, t, number = (visits[name][which] for name in _COLUMNS)
    columns = (person, place, t.cast(TIME).dt.strftime(WRITTEN), number)
    found: dict[tuple[int, int, str], int] = {}
    for person, place, at, number in zip(*columns, strict=True):
        found[person, place, at] = max(number, found.get((person, place, at), 0))
    return found
