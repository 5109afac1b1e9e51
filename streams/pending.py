"""What waits to be written: judged batches of one partition, in the compact form of their rows.

A record as it came is some 300 bytes of Python objects, its row some 100 in columns, so a batch
is judged soon and waits as rows; several wait together and become one insert.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.clock import now_ms
from schemas.topics import SCANS
from streams.columns import I64
from streams.convert import Rows
from streams.deadletters import dead_letters
from streams.gathered import whole
from streams.marks import Mark
from streams.packed import Packed
from streams.rejects import Rejects
from streams.steps import Judged


@dataclass(frozen=True)
class Piece:
    """Followed records that were judged together, and when that began and ended (Unix ms)."""

    marks: tuple[Mark, ...]
    taken_ms: int
    judged_ms: int


@dataclass(frozen=True)
class Pending:
    """Rows and what follows from them. Arrays have one element a record or, `late_ms`, a scan.

    `pieces`: those with followed records, in their order.
    """

    rows: Rows
    letters: list[Packed]
    reasons: Counter[str]
    appended: I64  # the broker's timestamps, ms since 1970 UTC
    late_ms: I64  # from the scan to the broker
    misplaced: int
    unknown_fields: int
    pieces: tuple[Piece, ...] = ()

    @classmethod
    def of(cls, judged: Judged) -> "Pending":
        """Everything of a judged batch but the records as they came."""
        verdicts = judged.verdicts
        raw, scans = verdicts.raw, verdicts.scans
        return cls(
            judged.rows,
            dead_letters(SCANS.name, verdicts),
            _reasons(verdicts.rejected),
            raw.appended,
            np.maximum(raw.appended[scans.index] - scans.scanned, 0),
            judged.misplaced,
            verdicts.unknown_fields,
            (Piece(raw.marks, raw.taken_ms, now_ms()),) if raw.marks else (),
        )

    def __len__(self) -> int:
        return len(self.appended)

    @property
    def bytes(self) -> int:
        """Of the refused records, as rows and as letters: a scan's row is small, theirs hold what
        came."""
        rejects: int = self.rows.tables["rejects"].nbytes
        return rejects + sum(len(letter.records) for letter in self.letters)


def _reasons(rejected: Rejects) -> Counter[str]:
    found: Counter[str] = Counter()
    counts = np.bincount(rejected.why, minlength=len(rejected.whys)).tolist()
    for (reason, _), count in zip(rejected.whys, counts, strict=True):
        found[reason.value] += count
    return found


def together(batches: Sequence[Pending]) -> Pending:
    """Batches that follow one another in one partition, as one."""
    if len(batches) == 1:
        return batches[0]
    first, last = batches[0].rows, batches[-1].rows
    tables = {name: whole([batch.rows.tables[name] for batch in batches]) for name in first.tables}
    return Pending(
        Rows(first.partition, first.first, last.last, tables),
        [letter for batch in batches for letter in batch.letters],
        sum((batch.reasons for batch in batches), Counter()),
        np.concatenate([batch.appended for batch in batches]),
        np.concatenate([batch.late_ms for batch in batches]),
        sum(batch.misplaced for batch in batches),
        sum(batch.unknown_fields for batch in batches),
        tuple(piece for batch in batches for piece in batch.pieces),
    )
