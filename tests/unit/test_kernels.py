"""The compiled loops: each in one form, so that no scan waits for a compiler."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from streams import fetched
from streams.deadletters import dead_letters
from streams.decode import decode
from streams.deduplicate import content_hashes, misplaced
from streams.fastpath import read_fast
from streams.gathered import gathered
from streams.kernels import copying, hashes, letters, pairs, records, scans, window
from streams.keys import Keys, origins
from streams.resolve import resolve
from streams.warm import warm
from streams.window import Table, Window
from tests.scans import PERSON, raw_batch, scan_json
from tests.unit.test_blocks import batch_of
from tests.unit.test_steps import directory

ROOT = Path(__file__).parents[2]
LOOPS: tuple[Any, ...] = (
    records.walk, records.head, scans.read, copying.copy_texts, letters.write, hashes.fold_scans, hashes.fold_texts,
    hashes.partitions, hashes.is_key, pairs.enter, pairs.barred, window.hash_keys, window.hash_entries, window.enter,
    window.seat, window.remember, window.may_hold,
)  # fmt: skip


def forms() -> dict[str, int]:
    return {loop.__name__: len(loop.signatures) for loop in LOOPS}


def test_what_is_made_ready_is_what_is_used() -> None:
    """In a process of its own: other tests hand the loops what no worker does."""
    code = "from tests.unit.test_kernels import use; use()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def use() -> None:
    warm()
    ready = forms()
    assert set(ready.values()) == {1}
    values = [scan_json(), b"{", None, scan_json(trip="HP-1", seat="3A"), scan_json(companions=2)]
    verdicts = decode(raw_batch(values))
    assert len(verdicts.scans) == 3
    assert len(dead_letters("scans.v1", verdicts)) == 1
    assert gathered(verdicts.raw.values, verdicts.rejected.index).to_pylist() == [b"{", b""]
    misplaced(verdicts, 8)
    by_columns = decode(raw_batch([scan_json().replace(b",", b",\n")] * 3))  # no layout is of it
    assert len(by_columns.scans) == 3
    misplaced(by_columns, 8)
    content_hashes(by_columns.scans)
    known = directory()
    resolve(verdicts, known)
    resolve(by_columns, known)
    origin = origins(3, np.arange(3))
    scan = decode(verdicts.raw).scans
    keys = Keys(scan.event_hi, scan.event_lo, scan.person, content_hashes(scan), origin)
    kept = Window(ids=2, past=8, salt=1)
    kept.written = 9
    for some in (keys, keys.take(slice(1, 3)), keys.take(np.array([2, 0]))):
        kept.unsure(some, scan.scanned[: len(some)])
        kept.add(some, scan.scanned[: len(some)])
    for column in vars(keys).values():
        column.flags.writeable = False  # as what ClickHouse answers
    Table(2).add(keys)
    answer = fetched.Fetched(batch_of([(1_790_000_000_000, PERSON.encode(), values[0], [])], 3))
    [piece] = answer.pieces(answer.next_batch())
    assert piece.values[0] == values[0]
    assert forms() == ready


def test_a_line_is_never_read_past_its_end() -> None:
    """Cut anywhere, with what would complete it behind."""
    line = scan_json(trip="HP-1", seat="3A", companions=12, recorded_at="2021-12-01T08:00:00.000Z")
    data = np.frombuffer(line + line, dtype=np.uint8)
    for end in range(len(line)):
        cut = raw_batch([b""]).values
        cut.data, cut.lengths = data, np.array([end], dtype=np.int64)
        assert read_fast(cut)[0] is None


def test_however_many_producers_there_are_each_is_told_from_the_others() -> None:
    names = [f"{kind}-{number}" for number in range(1500) for kind in ("gate", "gates", "g")]
    names += ["a" * length for length in range(1, 33)]
    Random(1).shuffle(names)
    turns = [name for pair in pairwise(names) for name in pair]
    scans, rest = read_fast(raw_batch([scan_json(producer=name) for name in turns]).values)
    assert scans is not None
    assert not len(rest), "none is left for a slower reader"
    assert scans.producers == tuple(names)
    assert [scans.producers[number] for number in scans.producer] == turns
