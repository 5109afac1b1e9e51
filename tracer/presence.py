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

import polars as pl

from tracer.parameters import Parameters

KNOTS: Final = 5
_PARTS: Final = KNOTS - 1


def both_there(parameters: Parameters) -> pl.Expr:
    """Of exposures: `start`, and of each `case_` and `their_` stay start, end and provenances."""
    return _there("case_", parameters) * _there("their_", parameters)


def _there(whose: str, parameters: Parameters) -> pl.Expr:
    began = pl.col(f"{whose}start_provenance").cast(pl.String)
    ended = pl.col(f"{whose}end_provenance").cast(pl.String)
    start = began.replace_strict(parameters.start_confidence, return_dtype=pl.Float64)
    still = ended.replace_strict(parameters.end_confidence, return_dtype=pl.Float64)
    for name, chances in parameters.still_there.items():
        still = pl.when(ended == name).then(_faded(whose, chances)).otherwise(still)
    return pl.min_horizontal(start, still)


def _faded(whose: str, chances: tuple[float, ...]) -> pl.Expr:
    length = (pl.col(f"{whose}end") - pl.col(f"{whose}start")).dt.total_milliseconds()
    length = length.clip(lower_bound=1)  # a warned part may have more time than the stay itself
    since = (pl.col("start") - pl.col(f"{whose}start")).dt.total_milliseconds()
    elapsed = pl.min_horizontal(pl.max_horizontal(since, pl.lit(0)), length) * _PARTS
    part = (elapsed // length).clip(upper_bound=_PARTS - 1)
    along = (elapsed - part * length).cast(pl.Float64) / length.cast(pl.Float64)
    before = part.replace_strict(dict(enumerate(chances[:-1])), return_dtype=pl.Float64)
    after = part.replace_strict(dict(enumerate(chances[1:])), return_dtype=pl.Float64)
    return before + (after - before) * along
