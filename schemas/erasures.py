"""Erased persons on `erasures.v1`: who, as a keyed hash, and up to which moment.

The list outlives what was erased, so that reading the log again does not bring it back; it must
not itself say who was erased, so it holds no pseudonym.
"""

from typing import Annotated, Final

from pydantic import Field

from schemas.ids import person_text
from schemas.places import Record
from schemas.scan import Timestamp

HASH_PATTERN: Final = r"^[0-9a-f]{16}$"
# in what is kept of an ended case, in the place of whoever was erased: no person has this id
NOBODY: Final = person_text(0)


class Erasure(Record):
    """Records of the person that were scanned or reported before `before` are `erased`.

    `hash` is SipHash-2-4 of the person's 64 bits under a key that is made of the person key.
    """

    hash: Annotated[str, Field(pattern=HASH_PATTERN)]
    before: Timestamp
    version: Annotated[int, Field(ge=1)] = 1
