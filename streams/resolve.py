"""Step 3, resolve: from the code's token to the place, as the code stood when it was scanned."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from issuer.tokens_columnar import decode_tokens
from schemas.reasons import Reason
from streams.batch import Verdicts
from streams.directory import Directory


@dataclass(frozen=True)
class Resolved:
    """Place and code version of each scan of the batch, shape (n,)."""

    place: npt.NDArray[np.uint32]
    version: npt.NDArray[np.uint16]


def awaited(verdicts: Verdicts, directory: Directory) -> set[str]:
    """Codes in this batch that are ours and that the directory has not heard of yet.

    A forged one is never waited for: it fails its MAC.
    """
    place, version, _, wellformed = decode_tokens(verdicts.scans.code)
    found = directory.find(place, version.astype(np.int32))
    unknown = np.flatnonzero(wellformed & ~found.known)
    tokens = {verdicts.scans.code[row].tobytes().decode("ascii") for row in unknown}
    return {token for token in tokens if directory.signed(token)}


def resolve(verdicts: Verdicts, directory: Directory) -> Resolved:
    """Refuse unknown, forged, revoked, early and late codes; places of what is left."""
    place, version, mac, wellformed = decode_tokens(verdicts.scans.code)
    found = directory.find(place, version.astype(np.int32))
    genuine = wellformed & found.known & (found["mac"] == mac)
    scanned = verdicts.scans.scanned
    # the first that holds is the reason
    revoked = genuine & (scanned >= found["revoked_at"])
    early = genuine & ~revoked & (scanned < found["valid_from"])
    late = genuine & ~revoked & ~early & (scanned >= found["valid_to"])
    barred = np.zeros(len(genuine), dtype=bool)
    allowed = directory.allowed()
    if allowed.limits:
        producer = allowed.numbers(verdicts.scans.producers)[verdicts.scans.producer]
        barred = genuine & ~revoked & ~early & ~late
        barred &= allowed.barred(producer, place, found["ward"])
    good = genuine & ~(revoked | early | late | barred)
    for rows, reason, detail in (
        (~wellformed, Reason.UNKNOWN_CODE, "the code's check characters do not fit"),
        (wellformed & ~genuine, Reason.UNKNOWN_CODE, "no such code was ever issued"),
        (revoked, Reason.REVOKED_CODE, "the code was revoked before it was scanned"),
        (early, Reason.CODE_NOT_YET_VALID, "the code was scanned before it became valid"),
        (late, Reason.EXPIRED_CODE, "the code was scanned after it ceased to be valid"),
        (barred, Reason.PRODUCER_NOT_ALLOWED, "the producer may not report this place"),
    ):
        verdicts.note(rows, reason, detail)
    verdicts.scans = verdicts.scans.keep(good)
    return Resolved(place[good], version[good].astype(np.uint16))
