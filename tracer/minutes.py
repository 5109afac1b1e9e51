"""Milliseconds as minutes, to the last bit what `milliseconds / 60000` gives anywhere else."""

from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_PER_MINUTE: Final = 60_000


def to_whole_minutes(milliseconds: Ints) -> Ints:
    """Whole milliseconds to whole minutes, a half up."""
    return (milliseconds + _PER_MINUTE // 2) // _PER_MINUTE


def in_minutes(milliseconds: Ints) -> Floats:
    """Minutes of whole milliseconds."""
    return milliseconds / float(_PER_MINUTE)
