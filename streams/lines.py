"""Reading many plain lines at once, so that one bad line never costs its neighbours."""

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from streams.columns import I64, Mask
from streams.plain import Joined, suspects

_PIECE: Final = 1024
_BAD_LINES: Final = 16  # in one piece
_FEW: Final = 20  # suspects are set aside while they are at most one line in so many
_ROW: Final = re.compile(r"in row (\d+)")


def set_aside(joined: Joined, fast: Mask) -> Mask:
    """`fast` without the suspects, if they are few: garbage in a batch is seldom alone."""
    odd = suspects(joined)
    if len(odd) > len(joined.values) // _FEW:
        return fast
    result = fast.copy()
    result[odd] = False
    return result


def read_lines(joined: Joined, parse: pj.ParseOptions) -> tuple[list[pa.Table], I64]:
    """Tables of the lines that parse, and the positions of those that do not."""
    try:
        return [_table(joined, parse)], np.zeros(0, np.int64)
    except pa.ArrowInvalid:
        good = set_aside(joined, np.ones(len(joined.values), dtype=bool))
    others = np.flatnonzero(good)
    rest = [joined.values[i] for i in others]
    try:
        tables, failed = [_table(Joined(rest), parse)], np.zeros(0, np.int64)
    except pa.ArrowInvalid:
        tables, failed = _tables_of_pieces(rest, parse)
    return tables, np.concatenate([np.flatnonzero(~good), others[failed]])


def _tables_of_pieces(texts: list[bytes], parse: pj.ParseOptions) -> tuple[list[pa.Table], I64]:
    """As `read_lines`, a piece at a time.

    A piece is read up to the line that the reader names, that line is left out, and on from the
    next; past a number of bad lines pydantic takes what is left of the piece. It also takes what
    stands before the named line if that does not parse either: the reader names the first line
    that is no JSON, and one before it may be JSON of another type.
    """
    tables: list[pa.Table] = []
    failed: list[int] = []
    for begin in range(0, len(texts), _PIECE):
        at, end = begin, min(begin + _PIECE, len(texts))
        for _ in range(_BAD_LINES):
            if at == end:
                break
            try:
                tables.append(_table(Joined(texts[at:end]), parse))
                at = end
            except pa.ArrowInvalid as error:
                named = _ROW.search(str(error))
                if named is None:
                    break
                bad = at + int(named[1])
                try:
                    if bad > at:
                        tables.append(_table(Joined(texts[at:bad]), parse))
                except pa.ArrowInvalid:
                    failed += range(at, bad)
                failed.append(bad)
                at = bad + 1
        failed += range(at, end)
    return tables, np.array(failed, dtype=np.int64)


def _table(joined: Joined, parse: pj.ParseOptions) -> pa.Table:
    """One row a value. Raises ArrowInvalid if one does not parse against the schema."""
    text = joined.text
    options = pj.ReadOptions(use_threads=False, block_size=len(text) + 1)
    table = pj.read_json(pa.BufferReader(text), read_options=options, parse_options=parse)
    if table.num_rows != len(joined.values):
        raise pa.ArrowInvalid("not one row for each value")
    return table
