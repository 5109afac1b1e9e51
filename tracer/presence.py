"""How sure it is that both were there at the same time (*khả năng có mặt cùng lúc*).

Never of infection. It is the product of the two persons' chances, because their errors are
independent: one forgotten scan out does not make another's likelier. A person's chance is the
lower of that of the stay's start and that of still being there when the exposure begins.

Somebody who scanned in five minutes before is there; an hour later, of a usual stay of an hour,
they may have gone. So an end that was not scanned fades: `parameters.still_there` gives the
chance to be still there after none, a quarter, half, three quarters and all of the stay, and in
between it is on the straight line. An end that is not in it has one chance for all the stay.
"""

from typing import Final, NamedTuple

import numpy as np
import polars as pl

from tracer.columns import I64, Floats, Mask, Small, codes, instants
from tracer.parameters import ENDS, STARTS, STATED, Parameters

KNOTS: Final = 5
_PARTS: Final = KNOTS - 1
_STARTS: Final = pl.Enum((*STARTS, *STATED))
_ENDS: Final = pl.Enum((*ENDS, *STATED))
_NOT_SEEN_TO_COME: Final = [STARTS.index(name) for name in ("assumed", "scan_pass")]
_NOT_SEEN: Final = [ENDS.index(name) for name in ("trip_end", "usual_stay", "cap")]


class There(NamedTuple):
    """Stays as arrays of one length: start and end in milliseconds since 1970 UTC, and of their
    provenances the number in `(*STARTS, *STATED)` and in `(*ENDS, *STATED)`."""

    start: I64
    end: I64
    started: Small
    ended: Small

    def rows(self, rows: I64) -> "There":
        """Those of these row numbers."""
        return There(self.start[rows], self.end[rows], self.started[rows], self.ended[rows])


def there(stays: pl.DataFrame, prefix: str = "") -> There:
    """Of a frame with `start`, `end` and their provenances, each after `prefix`."""
    start, end = (instants(stays[prefix + side]) for side in ("start", "end"))
    started, ended = (
        codes(stays[f"{prefix}{side}_provenance"].cast(of))
        for side, of in (("start", _STARTS), ("end", _ENDS))
    )
    return There(start, end, started, ended)


def assumed(start: I64, end: I64, *both: There) -> Mask:
    """Of each exposure, whether it begins or ends where only an assumption says that one of the
    two came or went: it may have been longer. A `pass` says that somebody was there, and not that
    they came. Times are milliseconds since 1970 UTC."""
    found = np.zeros(len(start), bool)
    for stay in both:
        found |= np.isin(stay.started, _NOT_SEEN_TO_COME) & (stay.start == start)
        found |= np.isin(stay.ended, _NOT_SEEN) & (stay.end == end)
    return found


def with_confidence(exposures: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """`exposures` with `confidence`, from 0 to 1.

    Columns: `start`, and of each `case_` and `their_` stay start, end and their provenances.
    """
    begins = instants(exposures["start"])
    case, their = (there(exposures, whose) for whose in ("case_", "their_"))
    found = confidence(begins, case, their, parameters)
    return exposures.with_columns(confidence=pl.Series(found, dtype=pl.Float64))


def confidence(begins: I64, case: There, their: There, parameters: Parameters) -> Floats:
    """From 0 to 1, of exposures that begin at `begins`, each of a stay of the case and one of
    theirs."""
    return _chance(begins, case, parameters) * _chance(begins, their, parameters)


def _chance(begins: I64, stay: There, parameters: Parameters) -> Floats:
    """A person's chance to be there: the lower of the stay's start and of being there still."""
    stated = parameters.point_confidence
    ends, starts = parameters.end_confidence | stated, parameters.start_confidence | stated
    chances = np.array(
        [parameters.still_there.get(e, (ends[e],) * KNOTS) for e in (*ENDS, *STATED)]
    )
    # a warned part may have more time than the stay itself
    length = np.maximum(stay.end - stay.start, 1)
    elapsed = np.clip(begins - stay.start, 0, length) * _PARTS
    part = np.minimum(elapsed // length, _PARTS - 1)
    along = (elapsed - part * length) / length
    before, after = chances[stay.ended, part], chances[stay.ended, part + 1]
    start = np.array([starts[name] for name in (*STARTS, *STATED)])[stay.started]
    lower: Floats = np.minimum(start, before + (after - before) * along)
    return lower
