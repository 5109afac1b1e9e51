"""The account of every scan: produced = written + duplicates + rejected + expired + erased + in
flight, to the offset.

Below a partition's committed offset every record is in exactly one table (an erased one is in
`erased`, without what it said), or was taken away by retention, which `daily_totals` remembers. At
and above it some are there already; the rest is in flight. What is neither is missing, and must be
nothing. Of numbers read in the order committed offsets, tables, ends of the log, `missing` does not
depend on what happens meanwhile: rows only come, and the ends cancel out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

OUTCOMES: Final = ("written", "duplicate", "rejected", "expired", "erased")


@dataclass(frozen=True)
class Partition:
    """What was read of one partition."""

    end: int
    """The end of its log: so many records were ever appended."""
    committed: int = 0
    """Every record below it has been dealt with."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows by outcome."""
    ahead: int = 0
    """How many of them are at or above the committed offset."""
    taken: Mapping[str, int] = field(default_factory=dict)
    """What retention took away, by outcome."""


@dataclass(frozen=True)
class Counts:
    """Where every scan is."""

    produced: int
    written: int
    duplicates: int
    rejected: int
    rejected_by_reason: dict[str, int]
    expired: int
    erased: int
    in_flight: int
    missing: int

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return dict(vars(self))


def add_up(partitions: Iterable[Partition], reasons: Mapping[str, int]) -> Counts:
    """The counts; `reasons` are the rejected by reason, of tables and daily totals together."""
    totals: Counter[str] = Counter()
    produced = in_flight = 0
    for partition in partitions:
        produced += partition.end
        in_flight += max(0, partition.end - partition.committed - partition.ahead)
        totals.update(partition.rows)
        totals.update(partition.taken)
    rejected = totals["rejected"]
    accounted = sum(totals[name] for name in OUTCOMES)
    return Counts(
        produced=produced,
        written=totals["written"],
        duplicates=totals["duplicate"],
        rejected=rejected,
        rejected_by_reason=dict(sorted((r, n) for r, n in reasons.items() if n)),
        expired=totals["expired"],
        erased=totals["erased"],
        in_flight=in_flight,
        missing=produced - accounted - in_flight,
    )
