"""A row number for each place: an array by the place's id, which grows and never shrinks."""

from typing import Final

import numpy as np
import numpy.typing as npt

NONE: Final = -1

Rows = npt.NDArray[np.int32]


class ByPlace:
    """`NONE` until a place has a row. One writer; a reader sees it as it was or as it is."""

    def __init__(self) -> None:
        self._row = np.full(1024, NONE, np.int32)

    def of(self, place: npt.NDArray[np.uint32]) -> Rows:
        """The row of each of these places, shape (n,)."""
        row = self._row
        inside = place < len(row)
        return np.where(inside, row[np.where(inside, place, 0)], np.int32(NONE))

    def put(self, place: npt.NDArray[np.uint32], row: Rows) -> None:
        """These places have these rows from now on."""
        if not len(place):
            return
        most = int(place.max())
        if most >= len(self._row):
            bigger = np.full(max(most + 1, 2 * len(self._row)), NONE, np.int32)
            bigger[: len(self._row)] = self._row
            self._row = bigger
        self._row[place] = row
