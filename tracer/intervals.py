"""Intervals [start, end] at a place, of which stays are joined: rules 5 and 7 of `tracer.stays`."""

from dataclasses import dataclass, fields

import numpy as np

from tracer.columns import I64, Mask, Small


@dataclass(frozen=True)
class Intervals:
    """Times in milliseconds since 1970 UTC.

    `row`: of `Read`, the scan it was made from: the one that opened it or, if its start is
    assumed, the one out. `start_rank` and `end_rank`: indices into `parameters.STARTS` and
    `ENDS`. `closing`: the row of the scan that ended it, or NONE.
    """

    row: I64
    start: I64
    end: I64
    start_rank: Small
    end_rank: Small
    closing: I64

    def __getitem__(self, rows: I64 | Mask) -> "Intervals":
        """Those of these rows, in their order."""
        return Intervals(*(getattr(self, field.name)[rows] for field in fields(self)))

    def __add__(self, more: "Intervals") -> "Intervals":
        """These, then those."""
        return Intervals(
            *(
                np.concatenate([getattr(self, field.name), getattr(more, field.name)])
                for field in fields(self)
            )
        )
