"""Where the columns of a small, known table are: a mapping of wards, a timetable."""

from collections.abc import Mapping, Sequence
from typing import Final

from console.sitelist.plain import plain
from console.sitelist.sheet import Row

_LOOKED_AT: Final = 20


def find_columns(
    rows: Sequence[Row], headings: Mapping[str, Sequence[str]], needed: set[str]
) -> tuple[dict[str, int], int] | None:
    """Each column's place and the first row below; the heading is the first row with all `needed`.

    `headings`: what each is called, plain, the likeliest first. None if there is no such row.
    """
    for index, row in enumerate(rows[:_LOOKED_AT]):
        cells = [plain(cell) for cell in row.cells]
        at = {
            name: cells.index(word)
            for name, words in headings.items()
            for word in reversed(words)
            if word in cells
        }
        if needed <= set(at):
            return at, index + 1
    return None


def cells_of(row: Row, at: Mapping[str, int]) -> dict[str, str]:
    """The row's cells by column; a row that is too short has empty ones."""
    return {name: row.cells[i] if i < len(row.cells) else "" for name, i in at.items()}
