"""What the gateway refuses: what is not a scan by its schema, or not the key's own producer.

All else is the worker's to judge. What is accepted goes out as it came, byte for byte. A large
body is judged by the worker's own columnar decoder, a small one by pydantic: measured, they cost
the same at some 400 lines; a test holds their answers together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final
from uuid import UUID

import numpy as np
from pydantic import ValidationError

from console.api.schemas import Sentence
from console.broker import Record
from console.gateway.body import Line
from console.gateway.recent import Keys
from console.gateway.schemas import CardReason, RefusedScan
from schemas import traceparent
from schemas.ids import PERSON_LENGTH
from schemas.reasons import SENTENCES, Reason
from schemas.scan import MAX_SCAN_BYTES, Scan
from schemas.topics import SCANS
from streams import slowpath
from streams.batch import RawBatch
from streams.columns import Bytes
from streams.decode import decode
from streams.kernels import hashes
from streams.rejects import NONE, Rejected
from streams.spans import Span
from streams.texts import Texts

COLUMNAR: Final = 400  # lines
_HASHES: Final = 2**31  # as many partitions: each key's hash itself


@dataclass(frozen=True)
class Judged:
    """Posted scans, in two heaps; `keys` are those of the records, in their order."""

    records: list[Record]
    keys: Keys
    refused: list[RefusedScan]

    def followed(self, span: Span) -> list[Record]:
        """The records, the first of them followed by this span: one a request is enough, and the
        others cost nothing."""
        if span.context is None:
            return self.records
        event_id = _uuid(int(self.keys.event_hi[0]), int(self.keys.event_lo[0]))
        span.set({"truyvet.event": event_id})
        header = (traceparent.NAME, span.context.encode())
        return [self.records[0]._replace(headers=(header,)), *self.records[1:]]


def judge(lines: Sequence[Line], producer: str) -> Judged:
    """Each line to publish, or refused with the words the worker would have used."""
    judged = by_columns if len(lines) >= COLUMNAR else one_by_one
    return judged(lines, producer)


def by_columns(lines: Sequence[Line], producer: str) -> Judged:
    """As `judge`, all lines in one pass."""
    values = Texts.of([value for _, value in lines])
    offsets = np.arange(len(values), dtype=np.int64)
    verdicts = decode(RawBatch(0, offsets, np.zeros_like(offsets), values[:0], values))
    scans = verdicts.scans
    refused = [_by_form(lines[r.index][0], r) for r in verdicts.rejected]
    own = np.array([name == producer for name in scans.producers], dtype=bool)[scans.producer]
    for row in np.flatnonzero(~own):
        event_id = _uuid(int(scans.event_hi[row]), int(scans.event_lo[row]))
        refused.append(_not_own(lines[scans.index[row]][0], event_id, producer))
    kept = np.flatnonzero(own)
    matrix = np.ascontiguousarray(scans.key[kept])
    persons = matrix.view(f"S{PERSON_LENGTH}").reshape(-1)
    published = [lines[i][1] for i in scans.index[kept].tolist()]
    return Judged(
        _records(persons.tolist(), published, matrix),
        Keys(persons, scans.event_hi[kept], scans.event_lo[kept]),
        _sorted(refused),
    )


def one_by_one(lines: Sequence[Line], producer: str) -> Judged:
    """As `judge`, a line at a time."""
    persons: list[bytes] = []
    events: list[str] = []
    published: list[bytes] = []
    odd: list[Line] = []
    refused: list[RefusedScan] = []
    for number, value in lines:
        scan = _scan(value)
        if scan is None:
            odd.append((number, value))
        elif scan.producer != producer:
            refused.append(_not_own(number, scan.event_id.lower(), producer))
        else:
            persons.append(scan.person.encode())
            events.append(scan.event_id)
            published.append(value)
    rejected = slowpath.judge(odd).rejected if odd else NONE
    assert len(rejected) == len(odd), "the worker refuses what the gateway refuses"
    refused += [_by_form(one.index, one) for one in rejected]
    matrix = np.frombuffer(b"".join(persons), np.uint8).reshape(-1, PERSON_LENGTH)
    return Judged(_records(persons, published, matrix), Keys.of(persons, events), _sorted(refused))


def _sorted(refused: list[RefusedScan]) -> list[RefusedScan]:
    return sorted(refused, key=lambda one: one.line)


def _records(persons: list[bytes], values: list[bytes], matrix: Bytes) -> list[Record]:
    numbers = hashes.partitions(matrix, _HASHES).tolist()
    return list(map(Record, repeat(SCANS.name), persons, values, repeat(()), numbers))


def _scan(value: bytes) -> Scan | None:
    if len(value) > MAX_SCAN_BYTES:
        return None
    try:
        return Scan.model_validate_json(value)
    except ValidationError:
        return None


def _by_form(number: int, rejected: Rejected) -> RefusedScan:
    event_id = _uuid(*rejected.event_id) if rejected.event_id is not None else None
    return refusal(number, event_id, rejected.reason, SENTENCES[rejected.reason], rejected.detail)


def _not_own(number: int, event_id: str, producer: str) -> RefusedScan:
    reason = Reason.PRODUCER_NOT_ALLOWED
    detail = f"producer: the key belongs to {producer}"
    return refusal(number, event_id, reason, SENTENCES[reason], detail)


def _uuid(high: int, low: int) -> str:
    return str(UUID(int=high << 64 | low))


def refusal(
    number: int,
    event_id: str | None,
    reason: Reason | CardReason,
    words: tuple[str, str],
    detail: str,
) -> RefusedScan:
    """A line that is not published, and why."""
    vi, en = words
    return RefusedScan(
        line=number,
        event_id=event_id,
        reason=reason,
        detail=detail[:300],
        sentence=Sentence(vi=vi, en=en),
    )
