"""CSV (RFC 4180, UTF-8): piece by piece, with an end line that says it is whole."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from console.exports.cells import defused, kept
from console.exports.columns import COLUMNS, Line

BOM: Final = b"\xef\xbb\xbf"  # without it, spreadsheets take UTF-8 for something else
Separator = Literal[",", ";"]


def csv_pieces(
    pages: Iterable[Sequence[Line]],
    *,
    bom: bool = True,
    separator: Separator = ",",
    note: tuple[str, str] | None = None,
) -> Iterator[bytes]:
    """The header, a piece a page, and the end line: `# whole: N` and the note.

    A file without its end line was cut off.
    """
    count = 0
    yield (BOM if bom else b"") + written([[column.key for column in COLUMNS]], separator)
    for page in pages:
        count += len(page)
        yield written([_cells(line) for line in page], separator)
    end = [f"# whole: {count}", *(note or ())]
    yield written([end], separator)


def written(rows: Iterable[Sequence[str]], separator: Separator) -> bytes:
    """These rows as CSV; a cell with a separator, a quote or a line break is quoted."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cells(line: Line) -> list[str]:
    cells = []
    for column in COLUMNS:
        cell = column.cell(line)
        text = "" if cell is None else str(cell)
        cells.append(
            text if column.kind == "number" else (kept if column.kind == "id" else defused)(text)
        )
    return cells
