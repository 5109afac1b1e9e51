"""Several ids of one person, a card and a phone: an officer has said so, and they are read as one.

`Same` maps an id (64 bits) to that of the person whose it is. Nothing is chained: `schemas.cases`
refuses that.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits

Same = Mapping[int, int]


def same_of(case: Case) -> Same:
    """What officers have said of this case's people."""
    return {person_bits(entry.person): person_bits(entry.of) for entry in case.same}


def as_one(frame: pl.DataFrame, same: Same) -> pl.DataFrame:
    """The frame, in its column `person` the one whose id each is."""
    if not same:
        return frame
    ids, whose = (pl.Series(some, dtype=pl.UInt64) for some in (list(same), list(same.values())))
    return frame.with_columns(pl.col("person").replace(ids, whose))


def every_id(ids: Iterable[int], same: Same) -> list[int]:
    """All ids, rising, of the persons whose these are."""
    plain, joined = ids_of({same.get(one, one) for one in ids}, same)
    return sorted({*plain, *joined})


def ids_of(persons: Iterable[int], same: Same) -> tuple[list[int], list[int]]:
    """All ids of these persons, rising: of those with one, and of those with several."""
    several = set(same.values())
    plain = [person for person in persons if person not in several]
    joined = {person for person in persons if person in several}
    others = [own for own, whose in same.items() if whose in joined]
    return sorted(plain), sorted({*joined, *others})
