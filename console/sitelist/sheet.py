"""Rows of text from CSV, XLSX, XLS or ODS, numbered as a spreadsheet shows them.

A cell merged over several rows is in each of them; one merged over columns is in the first.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from console.sitelist.plain import tidy
from console.sitelist.workbook import workbook_rows
from schemas.errors import UserError

MOST_ROWS: Final = 1_048_576  # as many as a sheet of a workbook has
MOST_BYTES: Final = 300 * 1024 * 1024
_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xls", ".ods")
_TEXTS: Final = (".csv", ".tsv", ".txt")
_DELIMITERS: Final = ",;\t|"
_LOOKED_AT: Final = 20
# The marks that open a file of Unicode; without one it is UTF-8, or the answer is to say so.
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class Row:
    """One row: its number in the file, from 1, and its cells, tidy."""

    number: int
    cells: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing is written in it."""
        return not any(self.cells)


def read_rows(path: Path, sheet: str | None = None, shown: str = "") -> list[Row]:
    """`rows_of`, all of them at once."""
    return list(rows_of(path, sheet, shown))


def rows_of(path: Path, sheet: str | None = None, shown: str = "") -> Iterator[Row]:
    """The rows of a file, or of one sheet of a workbook (the first with something in it).

    `shown`: what to call the file where it is not where the user has it. Raises UserError that
    says what the file is not, at the row where that is seen.
    """
    shown = shown or str(path)
    if not path.is_file():
        raise UserError(f"Không có tệp {shown}. / There is no file {shown}.")
    if path.stat().st_size > MOST_BYTES:
        raise UserError(
            f"Tệp {shown} quá lớn: hãy tách ra. / {shown} is larger than "
            f"{MOST_BYTES // 1024**2} MB: split it."
        )
    suffix = path.suffix.lower()
    if suffix in _WORKBOOKS:
        cells = workbook_rows(path, sheet, shown)
        rows: Iterator[Row] = (Row(n, tuple(row)) for n, row in enumerate(cells, start=1))
    elif suffix in _TEXTS:
        if sheet is not None:
            raise UserError(f"--sheet: {shown} không có trang tính. / {shown} has no sheets.")
        rows = _of_text(path, shown)
    else:
        raise UserError(
            f"Tệp {shown} phải là {', '.join((*_TEXTS, *_WORKBOOKS))}. / "
            f"{shown} must be one of these by its name: {', '.join((*_TEXTS, *_WORKBOOKS))}."
        )
    for count, row in enumerate(rows):
        if count == MOST_ROWS:
            raise UserError(
                f"Tệp {shown} có hơn {MOST_ROWS} dòng: hãy tách ra. / {shown} has more than "
                f"{MOST_ROWS:,} rows: split it."
            )
        yield row


def _of_text(path: Path, shown: str) -> Iterator[Row]:
    """Never the whole file in memory: a million rows as text take more than as rows."""
    with path.open("rb") as file:
        head = file.read(4)
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    csv.field_size_limit(1024 * 1024)
    begin = 1
    try:
        with path.open(encoding=encoding, newline="") as text:
            delimiter = _delimiter(list(islice(text, _LOOKED_AT)))
        with path.open(encoding=encoding, newline="") as text:
            reader = csv.reader(text, delimiter=delimiter)
            for cells in reader:
                yield Row(begin, tuple(tidy(cell) for cell in cells))
                begin = reader.line_num + 1
    except UnicodeDecodeError:
        line = _undecodable(path, encoding)
        raise UserError(
            f"Tệp {shown}, dòng {line}: không phải UTF-8. Hãy lưu lại dạng CSV UTF-8 hoặc XLSX. / "
            f"{shown}, line {line}: not UTF-8. Save it as CSV UTF-8 or as XLSX."
        ) from None
    except csv.Error as error:
        raise UserError(
            f"Tệp {shown}, dòng {begin}: không đọc được ({error}). / "
            f"{shown}, line {begin}: cannot be read as CSV ({error})."
        ) from None


def _undecodable(path: Path, encoding: str) -> int:
    """The line of a file that cannot be decoded."""
    data = path.read_bytes()
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return data.count(b"\n") + 1


def _delimiter(first: Sequence[str]) -> str:
    """The one that parts most of the first lines into the most cells."""
    lines = [line for line in first if line.strip()]

    def cells(delimiter: str) -> int:
        counts = sorted(len(cells) for cells in csv.reader(lines, delimiter=delimiter))
        return counts[(len(counts) - 1) // 2] if counts else 0

    return max(_DELIMITERS, key=cells)
