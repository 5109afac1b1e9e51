"""A batch that is read again: what the tables have of it stands, whatever is known by now.

Between an insert and its commit a worker may die, a code come, a producer be shut out. Judged anew,
a record of `rejects` would be accepted without a row or a letter, and its repeat be a duplicate of
nothing; one of `scans` would be refused and written all the same.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from issuer.tokens_columnar import decode_tokens
from schemas.reasons import Reason
from streams.batch import Scans, Verdicts, join
from streams.clickhouse import ClickHouse
from streams.columns import I64, U64
from streams.convert import OUTCOMES
from streams.deduplicate import content_hashes
from streams.erase import erase
from streams.erasures import Erasures
from streams.present import ABSENT, Present
from streams.rejects import Rejects, Why
from streams.resolve import Resolved

_SCANS, _REJECTS = OUTCOMES.index("scans"), OUTCOMES.index("rejects")
_TIMEOUT: Final = {"max_execution_time": 30}
_WHY: Final = (
    "SELECT kafka_offset, toString(reason) AS reason, detail FROM rejects "
    "WHERE kafka_partition = {partition:UInt16} AND kafka_offset >= {first:UInt64} "
    "AND kafka_offset <= {last:UInt64} ORDER BY kafka_offset"
)


@dataclass(frozen=True)
class Standing:
    """What the tables say of a batch's offsets: in which each is, and of those in `rejects`, sorted
    in `refused`, the reason and the detail."""

    present: Present
    refused: U64
    whys: tuple[Why, ...]


def standing(
    clickhouse: ClickHouse, partition: int, present: Present, first: int, last: int
) -> Standing:
    """Of the offsets from `first` to `last`, as many as are judged at once. Raises Retryable."""
    some = slice(
        int(np.searchsorted(present.offsets, np.uint64(first))),
        int(np.searchsorted(present.offsets, np.uint64(last), side="right")),
    )
    here = Present(present.offsets[some], present.table[some])
    if not (here.table == _REJECTS).any():
        return Standing(here, here.offsets[:0], ())
    found = clickhouse.query_arrow(
        _WHY, {"partition": partition, "first": first, "last": last}, _TIMEOUT
    )
    return Standing(here, found.column("kafka_offset").to_numpy().astype(np.uint64), _whys(found))


def _whys(found: pa.Table) -> tuple[Why, ...]:
    reasons, details = (found.column(name).to_pylist() for name in ("reason", "detail"))
    return tuple(zip(map(Reason, reasons), details, strict=True))


def set_aside(verdicts: Verdicts, standing: Standing, erasures: Erasures) -> None:
    """Right after decoding: leave only what the tables do not have to be judged.

    What is in `rejects` is refused for the reason it was refused for; what is in `scans` waits in
    `verdicts.written`. Of all else a place is kept among the erased, whose rows say nothing: none
    of them is inserted.
    """
    raw, scans, rejected = verdicts.raw, verdicts.scans, verdicts.rejected
    table = standing.present.tables(raw.offsets)
    if (table == ABSENT).all():
        return
    again = Verdicts(raw, scans.keep(np.isin(table[scans.index], (_SCANS, _REJECTS))))
    erase(again, erasures)
    written = again.scans.keep(table[again.scans.index] == _SCANS)
    # one that can be read is told by its person, as when it was refused
    still = np.setdiff1d(np.flatnonzero(table == _REJECTS), again.erased)
    refused = _refused(verdicts, still, standing)
    rest = table != ABSENT
    rest[written.index] = rest[refused.index] = False
    verdicts.written = written
    verdicts.scans = scans.keep(table[scans.index] == ABSENT)
    new = np.flatnonzero(table[rejected.index] == ABSENT)
    verdicts.rejected = rejected.take(new).and_also(refused)
    verdicts.erased += np.flatnonzero(rest).tolist()


def _refused(verdicts: Verdicts, index: I64, standing: Standing) -> Rejects:
    """These records of the batch, as `rejects` has them; one that has left it meanwhile is not
    among them."""
    wanted = verdicts.raw.offsets[index].astype(np.uint64)
    kept = np.isin(wanted, standing.refused)
    index, at = index[kept], np.searchsorted(standing.refused, wanted[kept])
    numbers: dict[Why, int] = {}
    why = [numbers.setdefault(standing.whys[row], len(numbers)) for row in at.tolist()]
    n = len(index)
    nothing, nobody = np.zeros(n, bool), np.zeros(n, np.uint64)
    return Rejects(
        index,
        np.array(why, np.int32),
        tuple(numbers),
        nothing,
        nobody,
        nobody,
        nothing,
        nobody,
        np.zeros(n, np.int32),
        ("",),
    )


def put_back(
    verdicts: Verdicts, written: Scans, resolved: Resolved, hashes: U64
) -> tuple[Resolved, U64]:
    """Before converting: what is in `scans` is a scan again, for who looks at open cases; with the
    places, by their codes, and the hashes of all."""
    place, version, *_ = decode_tokens(written.code)
    order = np.argsort(np.concatenate([verdicts.scans.index, written.index]), kind="stable")
    more = content_hashes(written)
    verdicts.scans = join([verdicts.scans, written])
    return (
        Resolved(
            np.concatenate([resolved.place, place])[order],
            np.concatenate([resolved.version, version.astype(np.uint16)])[order],
        ),
        np.concatenate([hashes, more])[order],
    )
