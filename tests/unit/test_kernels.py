"""The compiled loops: each in one form, so that no scan waits for a compiler."""

import numpy as np

from streams.decode import decode
from streams.deduplicate import content_hashes, misplaced
from streams.fastpath import read_fast
from streams.kernels import hashes, records, scans
from streams.warm import warm
from tests.scans import PERSON, raw_batch, scan_json
from tests.unit.test_blocks import batch_of, fetches

LOOPS = (
    records.walk, scans.read, scans.copy_texts, hashes.fold_scans, hashes.fold_texts,
    hashes.partitions, hashes.is_key,
)  # fmt: skip


def forms() -> dict[str, int]:
    return {loop.__name__: len(loop.signatures) for loop in LOOPS}  # type: ignore[attr-defined]


def test_what_is_made_ready_is_what_is_used() -> None:
    warm()
    ready = forms()
    assert set(ready.values()) == {1}
    values = [scan_json(), b"{", None, scan_json(trip="HP-1", seat="3A"), scan_json(companions=2)]
    verdicts = decode(raw_batch(values))
    assert len(verdicts.scans) == 3
    content_hashes(verdicts.scans)
    misplaced(verdicts, 8)
    answer = fetches.Fetched(batch_of([(1_790_000_000_000, PERSON.encode(), values[0], [])], 3))
    assert answer.piece(answer.next_batch()).values[0] == values[0]
    assert forms() == ready


def test_a_line_is_never_read_past_its_end() -> None:
    """Cut anywhere, with what would complete it behind."""
    line = scan_json(trip="HP-1", seat="3A", companions=12, recorded_at="2021-12-01T08:00:00.000Z")
    data = np.frombuffer(line + line, dtype=np.uint8)
    for end in range(len(line)):
        cut = raw_batch([b""]).values
        cut.data, cut.lengths = data, np.array([end], dtype=np.int64)
        assert read_fast(cut)[0] is None
