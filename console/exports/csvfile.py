"""CSV (RFC 4180, UTF-8): piece by piece, with an end line that says it is whole."""

import csv
import io
from collections.abc import Generator, Iterable, Sequence
from typing import Final, Literal

from console.exports.cells import defused, kept
from console.exports.columns import COLUMNS, Cell, Column, Line

BOM: Final = b"\xef\xbb\xbf"  # without it, spreadsheets take UTF-8 for something else
Separator = Literal[",", ";"]


def csv_pieces(
    pages: Iterable[Sequence[Line]],
    *,
    bom: bool = True,
    separator: Separator = ",",
    note: tuple[str, str] | None = None,
) -> Generator[bytes]:
    """The header, a piece a page, perhaps empty, and the end line: `# whole: N` and the note.

    A file without its end line was cut off.
    """
    count = 0
    yield (BOM if bom else b"") + written([[column.key for column in COLUMNS]], separator)
    for page in pages:
        count += len(page)
        yield written([_cells(line) for line in page], separator)
    end = f"# whole: {count}".encode()
    yield end + (separator.encode() + written([note], separator) if note else b"\r\n")


def written(rows: Iterable[Sequence[str | int]], separator: Separator) -> bytes:
    """These rows as CSV, every text quoted."""
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=separator, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC
    )
    writer.writerows(rows)
    return text.getvalue().encode()


def _cells(line: Line) -> list[str | int]:
    return [_cell(column, column.cell(line)) for column in COLUMNS]


def _cell(column: Column, cell: Cell) -> str | int:
    if isinstance(cell, int):
        return cell
    return (kept if column.kind in ("id", "name") else defused)(cell or "")
