"""Records that must be refused, each with its cause: one of a closed list of faults."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from issuer.check import LENGTH, check_symbols
from schemas.ids import CROCKFORD
from schemas.places import Place
from sim.model import DAY_MS, IN, OUTCOME_OF, ROW, SELF, Fault, Ints, Records
from sim.scans import give_ids

FORGED_POOL: Final = 512
FUTURE_DAYS: Final = (30, 60)  # beyond any skew even if `until` lies weeks behind the broker
_SHARES: Final = {
    Fault.NOT_JSON: 0.10,
    Fault.TRUNCATED: 0.12,
    Fault.WRONG_TYPE: 0.12,
    Fault.MISSING_FIELD: 0.12,
    Fault.MALFORMED_PERSON: 0.14,
    Fault.FORGED_CODE: 0.14,
    Fault.REVOKED_CODE: 0.10,
    Fault.FAR_FUTURE: 0.10,
    Fault.UNKNOWN_PRODUCER: 0.06,
}


@dataclass(frozen=True)
class Revoked:
    """A revoked code and since when (UTC ms): scanned earlier it was still good."""

    token: str
    since_ms: int


def revoked_codes(tokens: Sequence[str], places: Sequence[Place]) -> tuple[Revoked, ...]:
    """When each token was revoked, by its place's record; not found means before everything."""
    since = {
        code.token: int(code.revoked_at.timestamp() * 1000) + 1
        for place in places
        for code in place.codes
        if code.revoked_at is not None
    }
    return tuple(Revoked(token, since.get(token, 0)) for token in tokens)


def forged_tokens(count: int, rng: np.random.Generator) -> list[str]:
    """Well-formed codes that nobody issued: the check characters fit, the MAC does not."""
    tokens = []
    for body in rng.integers(0, len(CROCKFORD), (count, LENGTH - 2)).tolist():
        tokens.append("".join(CROCKFORD[i] for i in (*body, *check_symbols(body))))
    return tokens


def refused_rows(
    count: int,
    people: int,
    places: int,
    window: tuple[int, int],
    future_from_ms: int,
    revoked: Sequence[Revoked],
    rng: np.random.Generator,
) -> Records:
    """`count` records with a fault, uploaded within `window` (UTC ms)."""
    begins, ends = window
    shares = dict(_SHARES)
    usable = [i for i, code in enumerate(revoked) if code.since_ms < ends]
    if not usable:
        del shares[Fault.REVOKED_CODE]
    weights = np.array(list(shares.values()))
    kinds = np.array([int(f) for f in shares], dtype=np.uint8)
    rows = np.zeros(count, dtype=ROW)
    rows["fault"] = rng.choice(kinds, count, p=weights / weights.sum())
    rows["person"] = rng.integers(0, people, count)
    rows["place"] = rng.integers(0, places, count)
    rows["scanned"] = rng.integers(begins, max(ends, begins + 1), count)
    rows["direction"], rows["method"] = IN, SELF
    rows["recorded"], rows["companions"], rows["trip"] = -1, -1, -1
    rows["aux"] = rng.integers(0, 2**32, count, dtype=np.uint32)
    _use_revoked(rows, revoked, usable, ends, rng)
    rows["upload"] = rows["scanned"]
    future = rows["fault"] == Fault.FAR_FUTURE
    ahead = rng.integers(FUTURE_DAYS[0] * DAY_MS, FUTURE_DAYS[1] * DAY_MS, count)
    rows["scanned"] = np.where(future, future_from_ms + ahead, rows["scanned"])
    outcome = np.array([OUTCOME_OF.get(f, 0) for f in Fault], dtype=np.uint8)
    rows["outcome"] = outcome[rows["fault"]]
    give_ids(rows, rng)
    assert bool((rows["outcome"] > 1).all())
    return rows


def _use_revoked(
    rows: Records,
    revoked: Sequence[Revoked],
    usable: Sequence[int],
    ends: int,
    rng: np.random.Generator,
) -> None:
    """`aux` becomes the position of a revoked code, scanned after it was revoked."""
    mine = np.flatnonzero(rows["fault"] == Fault.REVOKED_CODE)
    if len(mine) == 0:
        return
    chosen: Ints = np.array(usable)[rng.integers(0, len(usable), len(mine))]
    since = np.array([code.since_ms for code in revoked])[chosen]
    scanned = rows["scanned"][mine]
    moved = since + ((ends - since) * rng.random(len(mine))).astype(np.int64)
    rows["scanned"][mine] = np.where(scanned >= since, scanned, moved)
    rows["aux"][mine] = chosen
