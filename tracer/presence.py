"""How sure it is that both were there at the same time (*khả năng có mặt cùng lúc*).

Never of infection. It is the product of the two persons' chances, because their errors are
independent: one forgotten scan out does not make another's likelier. A person's chance is the
lower of that of the stay's start and that of still being there when the exposure begins.

Somebody who scanned in five minutes before is there; an hour later, of a usual stay of an hour,
they may have gone. So an end that was not scanned fades: `parameters.still_there` gives the
chance to be still there after none, a quarter, half, three quarters and all of the stay, and in
between it is on the straight line. An end that is not in it has one chance for all the stay.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tracer.parameters import ENDS, STARTS, STATED, Parameters

KNOTS: Final = 5
_PARTS: Final = KNOTS - 1
_STARTS: Final = pl.Enum((*STARTS, *STATED))
_ENDS: Final = pl.Enum((*ENDS, *STATED))
Floats = npt.NDArray[np.float64]


def with_confidence(exposures: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """`exposures` with `confidence`, from 0 to 1.

    Columns: `start`, and of each `case_` and `their_` stay start, end and their provenances.
    """
    begins = exposures["start"].to_physical().to_numpy()
    case, their = (_there(exposures, w, begins, parameters) for w in ("case", "their"))
    return exposures.with_columns(confidence=pl.Series(case * their, dtype=pl.Float64))


def _there(
    exposures: pl.DataFrame, whose: str, begins: npt.NDArray[np.int64], parameters: Parameters
) -> Floats:
    began, ended = (
        exposures[f"{whose}_{side}_provenance"].cast(of).to_physical().to_numpy()
        for side, of in (("start", _STARTS), ("end", _ENDS))
    )
    since, until = (
        exposures[f"{whose}_{side}"].to_physical().to_numpy() for side in ("start", "end")
    )
    stated = parameters.point_confidence
    ends, starts = parameters.end_confidence | stated, parameters.start_confidence | stated
    chances = np.array(
        [parameters.still_there.get(e, (ends[e],) * KNOTS) for e in (*ENDS, *STATED)]
    )
    length = np.maximum(until - since, 1)  # a warned part may have more time than the stay itself
    elapsed = np.clip(begins - since, 0, length) * _PARTS
    part = np.minimum(elapsed // length, _PARTS - 1)
    along = (elapsed - part * length) / length
    before, after = chances[ended, part], chances[ended, part + 1]
    start = np.array([starts[name] for name in (*STARTS, *STATED)])[began]
    lower: Floats = np.minimum(start, before + (after - before) * along)
    return lower
