"""Milliseconds as minutes, to the last bit what `milliseconds / 60000` gives anywhere else."""

from typing import Final

from tracer.columns import I64, Floats

_PER_MINUTE: Final = 60_000


def to_whole_minutes(milliseconds: I64) -> I64:
    """Whole milliseconds to whole minutes, a half up."""
    return (milliseconds + _PER_MINUTE // 2) // _PER_MINUTE


def in_minutes(milliseconds: I64) -> Floats:
    """Minutes of whole milliseconds."""
    return milliseconds / float(_PER_MINUTE)
