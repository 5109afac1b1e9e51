"""Which rows of the table are held, by which segments, as its parts come, merge and go.

Parts are merged all the time, and what a merge makes has the rows that its parts had. So of a
part's rows those are held that lie in blocks of its own, and all are if they are as many.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from streams.segments.parts import Part, rows_of
from tracer.segment import Segment

_MOST_SMALL: Final = 16  # pieces in memory of a week, each of which a trace searches
_JOINED: Final = 12  # of the smallest


@dataclass(frozen=True, eq=False)
class Piece:
    """A segment and the parts whose rows it has: all of their rows, or as many as they say."""

    segment: Segment
    parts: tuple[Part, ...]
    on_disk: bool = False

    def of(self, part: Part) -> int:
        """How many rows of this part it has."""
        return rows_of([own for own in self.parts if own.within(part)])


def still_there(pieces: Iterable[Piece], active: Sequence[Part]) -> list[Piece]:
    """Those of which all rows are in active parts, as they were when they were read."""
    found = []
    for piece in pieces:
        parts: dict[Part, int] = {}
        for own in piece.parts:
            now = next((part for part in active if own.within(part)), None)
            if now is None:
                break
            parts[now] = parts.get(now, 0) + own.rows
        else:
            those = tuple(part._replace(rows=rows) for part, rows in parts.items())
            found.append(replace(piece, parts=those))
    return found


def missing(pieces: Sequence[Piece], active: Iterable[Part]) -> list[Part]:
    """The parts of which not every row is held."""
    return [part for part in active if sum(piece.of(part) for piece in pieces) != part.rows]


def held_of(pieces: Iterable[Piece], part: Part) -> list[Segment]:
    """The segments that have some of this part's rows."""
    return [piece.segment for piece in pieces if piece.of(part)]


def crowded(pieces: Sequence[Piece]) -> list[Segment] | None:
    """The smallest in memory of a week that has many: to be one. None if no week has."""
    weeks: dict[str, list[Segment]] = {}
    for piece in pieces:
        if not piece.on_disk:
            weeks.setdefault(piece.segment.partition, []).append(piece.segment)
    for small in weeks.values():
        if len(small) > _MOST_SMALL:
            return sorted(small, key=len)[:_JOINED]
    return None
