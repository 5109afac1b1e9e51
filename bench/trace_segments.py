"""Segments as a worker keeps them, for the process that measures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.process_stack import Bench
from schemas.errors import UserError
from streams.segments.changes import changes_of
from streams.segments.files import held_bytes
from streams.segments.held import Held
from streams.segments.keeping import following, segments_of
from streams.segments.making import Maker
from tracer.segments import Segments

Say = Callable[[str], None]
_MOST_BYTES: Final = 10**12


@dataclass(frozen=True)
class Copied:
    """What making the files of a table took, and what they take."""

    rows: int
    seconds: float
    bytes: int


@contextmanager
def held_scans(bench: Bench) -> Iterator[Held]:
    """Followed until the block ends."""
    held = Held(bench.clickhouse, segments_of(bench.settings), changes=changes_of(bench.settings))
    rounds = following(held)
    try:
        yield held
    finally:
        rounds.close()


def all_of(held: Held) -> Segments:
    """Everything that is in the table. Raises UserError if not all of it is held."""
    found = held.now()
    if found is None:
        raise UserError("Không giữ được mọi lượt quét. / Not all scans are held by the segments.")
    return found


def copied(bench: Bench, held: Held, say: Say) -> Copied:
    """Make the files that a worker would make in its next round. Raises UserError if then not all
    scans are held."""
    folder = segments_of(bench.settings)
    made = Maker(bench.clickhouse, folder, _MOST_BYTES).round()
    held.follow()
    all_of(held)
    found = Copied(made.rows, round(made.seconds, 1), held_bytes(folder))
    say(f"  segments of {found.rows:,} scans in {found.seconds} s, {found.bytes / 1e9:.1f} GB")
    return found
