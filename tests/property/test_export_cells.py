"""However a spreadsheet splits a list's file, no cell of it is a formula."""

import csv
import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.exports.cells import FORMULA, defused, kept
from console.exports.csvfile import Separator, written

UNSEEN = " \t\r\n\x0b\x0c\x85\u00a0\u2028\u200b\ufeff\u3000"
nasty = st.text(st.sampled_from("".join((FORMULA, UNSEEN, ";,\"'a7\x00\x01\x1f\x7f"))), max_size=12)
texts = nasty | st.text(max_size=20)


def split(content: bytes, separator: str) -> list[str]:
    read: Any = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator)
    return [cell for row in read for cell in row]


@pytest.mark.parametrize("separator", [",", ";"])
@given(rows=st.lists(st.tuples(texts, texts, st.integers(0, 99), texts), min_size=1, max_size=3))
@example(rows=[("X;=HYPERLINK(1)", 'a;"=1', 7, "b;")])
@example(rows=[("X\n=1", "\x01=1+1", 7, "＝1")])
@example(rows=[('";', '"=1', 0, ';"')])
def test_no_cell_is_a_formula_however_it_is_split(
    separator: Separator, rows: list[tuple[str, str, int, str]]
) -> None:
    cells: list[list[str | int]]
    cells = [[defused(a), kept(b), number, defused(c)] for a, b, number, c in rows]
    content = written(cells, separator)
    for by in (",", ";", "\t"):
        for cell in split(content, by):
            assert not cell.lstrip(UNSEEN).startswith(tuple(FORMULA)), (by, cell)
    # and split as it was written, it is what was put in
    assert split(content, separator) == [str(cell) for row in cells for cell in row]


@given(texts)
def test_a_text_that_is_safe_stays_so(text: str) -> None:
    assert defused(defused(text)) == defused(text)
    assert kept(kept(text)) == kept(text)
