"""What a run stood on, in a few letters a place: of two runs it says whether facts differ."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import orjson
import polars as pl

from tracer.frames import PLACES
from tracer.ground import Grounds
from tracer.struck import Revoked

CODES: Final = "codes"
_BYTES: Final = 6
# each column that came later has a digest of its own: so runs of before can still be compared
_LATER: Final = ("sector",)
_KNOWN: Final = (
    *(c for c in PLACES if c not in ("place", "site", *_LATER)),
    *("longest", "ridden"),
)


def facts_of(case_stays: pl.DataFrame, ground: Grounds) -> dict[str, str]:
    """Of each place of these stays: of what is known of it, and of how long its trips let a stay
    be. The same for the same facts, in any process and version.
    """
    places = case_stays["place"].unique().sort()
    known = ground.at(places).of(places, *_KNOWN, *_LATER).rows()
    found = {}
    for place, row in zip(places.to_list(), known, strict=True):
        found[str(place)] = _short(orjson.dumps(row[: len(_KNOWN)]))
        later = zip(_LATER, row[len(_KNOWN) :], strict=True)
        found |= {f"{place}/{name}": _short(orjson.dumps(value)) for name, value in later}
    return found


def codes_of(revoked: Sequence[Revoked]) -> dict[str, str]:
    """Of all codes together that are revoked from before; by the name `CODES`."""
    return {CODES: _short(orjson.dumps(sorted(map(tuple, revoked))))}


def _short(text: bytes) -> str:
    return blake2b(text, digest_size=_BYTES).hexdigest()
