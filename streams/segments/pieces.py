"""Which rows of the table are held, by which segments, as its parts come, merge and go.

Parts are merged all the time, and what a merge makes has the rows that its parts had. So of a
part's rows those are held that lie in blocks of its own, and all are if they are as many.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from streams.segments.handed import Came
from streams.segments.parts import Part, rows_of
from tracer.segment import Segment, joined


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
    return [part for part in active if lacking(pieces, part)]


def lacking(pieces: Iterable[Piece], part: Part) -> int:
    """How many of this part's rows are not held; below 0: more are than there can be."""
    return part.rows - sum(piece.of(part) for piece in pieces)


def held_of(pieces: Iterable[Piece], part: Part) -> list[Segment]:
    """The segments that have some of this part's rows."""
    return [piece.segment for piece in pieces if piece.of(part)]


def found_in(came: Iterable[Came], left: Iterable[Part], pieces: Sequence[Piece]) -> list[Piece]:
    """What came, in its order, as the pieces that these parts lack beside those that there are.

    Raises ValueError if they do not lack as many rows as came.
    """
    weeks: dict[str, tuple[list[Came], list[Part]]] = {}
    for one in came:
        weeks.setdefault(one.segment.partition, ([], []))[0].append(one)
    for part in left:
        own = part._replace(rows=lacking(pieces, part))
        weeks.setdefault(part.partition, ([], []))[1].append(own)
    return [piece for some, parts in weeks.values() for piece in _in_parts(some, parts)]


def _in_parts(came: Sequence[Came], parts: Sequence[Part]) -> Iterator[Piece]:
    """Of one week. Inserts that came one after the other are in the parts' blocks in their order;
    of others it is not known which is where, and their piece is of all of these parts."""
    rows, wanted = sum(len(one.segment) for one in came), rows_of(parts)
    if rows != wanted or any(part.rows <= 0 for part in parts):
        raise ValueError(f"{rows} rows came, {wanted} are lacking")
    some: list[Segment] = []
    left = deque(sorted(parts, key=lambda part: part.lowest))
    if all(one.alone for one in came):
        for one in came:
            some.append(one.segment)
            if sum(map(len, some)) == left[0].rows:
                yield _piece_of(some, [left.popleft()])
                some = []
    else:
        some = [one.segment for one in came]
    if some:
        yield _piece_of(some, left)


def _piece_of(some: Sequence[Segment], parts: Iterable[Part]) -> Piece:
    return Piece(some[0] if len(some) == 1 else joined(some), tuple(parts))


def of_one_part(pieces: Iterable[Piece], small: int) -> list[Segment] | None:
    """Several in memory that are of one part, of fewer rows than `small`; None: there are none."""
    parts = defaultdict(list)
    for piece in pieces:
        if not piece.on_disk and len(piece.parts) == 1:
            parts[piece.parts[0].name].append(piece.segment)
    for some in parts.values():
        if len(some) > 1 and sum(map(len, some)) < small:
            return some
    return None
