"""What the gateway refuses: what is not a scan by its schema, or not the key's own producer.

All else is the worker's to judge. What is accepted goes out as it came, byte for byte.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import ValidationError

from console.api.schemas import Sentence
from console.broker import Record
from console.gateway.body import Line
from console.gateway.recent import Key
from console.gateway.schemas import RefusedScan
from schemas.reasons import SENTENCES, Reason
from schemas.scan import MAX_SCAN_BYTES, Scan
from schemas.topics import SCANS
from streams import slowpath
from streams.batch import Rejected


@dataclass
class Judged:
    """Posted scans, in two heaps."""

    records: list[Record] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    refused: list[RefusedScan] = field(default_factory=list)


def judge(lines: Iterable[Line], producer: str) -> Judged:
    """Each line to publish, or refused with the words the worker would have used."""
    judged = Judged()
    for number, value in lines:
        scan = _scan(value)
        if scan is None:
            judged.refused.append(_by_form(number, value))
        elif scan.producer != producer:
            detail = f"producer: the key belongs to {producer}"
            judged.refused.append(
                _refused(number, scan.event_id, Reason.PRODUCER_NOT_ALLOWED, detail)
            )
        else:
            judged.records.append(Record(SCANS.name, scan.person.encode(), value))
            judged.keys.append((scan.person, scan.event_id))
    return judged


def _scan(value: bytes) -> Scan | None:
    if len(value) > MAX_SCAN_BYTES:
        return None
    try:
        return Scan.model_validate_json(value)
    except ValidationError:
        return None


def _by_form(number: int, value: bytes) -> RefusedScan:
    rejected = slowpath.judge(0, value)
    assert isinstance(rejected, Rejected), "the worker refuses what the gateway refuses"
    event_id = None
    if rejected.event_id is not None:
        high, low = rejected.event_id
        event_id = str(UUID(int=high << 64 | low))
    return _refused(number, event_id, rejected.reason, rejected.detail)


def _refused(number: int, event_id: str | None, reason: Reason, detail: str) -> RefusedScan:
    vi, en = SENTENCES[reason]
    return RefusedScan(
        line=number,
        event_id=event_id,
        reason=reason,
        detail=detail[:300],
        sentence=Sentence(vi=vi, en=en),
    )
