"""Rows of text from CSV, XLSX, XLS or ODS, numbered as a spreadsheet shows them.

A cell merged over several rows is in each of them; one merged over columns is in the first.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from console.sitelist.plain import tidy
from console.sitelist.workbook import workbook_rows
from schemas.errors import UserError

MOST_ROWS: Final = 1_000_000
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
    """All rows of a file, or of one sheet of a workbook (the first with something in it).

    `shown`: what to call the file where it is not where the user has it. Raises UserError that
    says what the file is not.
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
        rows = [Row(number, tuple(row)) for number, row in enumerate(cells, start=1)]
    elif suffix in _TEXTS:
        if sheet is not None:
            raise UserError(f"--sheet: {shown} không có trang tính. / {shown} has no sheets.")
        rows = list(_of_text(path, shown))
    else:
        raise UserError(
            f"Tệp {shown} phải là {', '.join((*_TEXTS, *_WORKBOOKS))}. / "
            f"{shown} must be one of these by its name: {', '.join((*_TEXTS, *_WORKBOOKS))}."
        )
    if len(rows) > MOST_ROWS:
        raise UserError(
            f"Tệp {shown} có hơn {MOST_ROWS} dòng: hãy tách ra. / {shown} has more than "
            f"{MOST_ROWS:,} rows: split it."
        )
    return rows


def _of_text(path: Path, shown: str) -> Iterator[Row]:
    data = path.read_bytes()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"Tệp {shown}, dòng {line}: không phải UTF-8. Hãy lưu lại dạng CSV UTF-8 hoặc XLSX. / "
            f"{shown}, line {line}: not UTF-8. Save it as CSV UTF-8 or as XLSX."
        ) from None
    delimiter = _delimiter(text)
    csv.field_size_limit(1024 * 1024)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begin = 1
    try:
        for cells in reader:
            yield Row(begin, tuple(tidy(cell) for cell in cells))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"Tệp {shown}, dòng {begin}: không đọc được ({error}). / "
            f"{shown}, line {begin}: cannot be read as CSV ({error})."
        ) from None


def _delimiter(text: str) -> str:
    """The one that parts most of the first lines into the most cells."""
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]

    def cells(delimiter: str) -> int:
        counts = sorted(len(cells) for cells in csv.reader(lines, delimiter=delimiter))
        return counts[(len(counts) - 1) // 2] if counts else 0

    return max(_DELIMITERS, key=cells)
