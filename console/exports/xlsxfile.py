"""XLSX: text cells, a frozen header in both languages, sized columns, and a sheet of notes."""

from collections.abc import Generator, Iterable, Sequence
from typing import IO, Any, Final, Literal

import xlsxwriter

from console.exports.columns import COLUMNS, Line, shown
from schemas.errors import UserError

MOST_ROWS: Final = 1_048_575  # of a sheet, less the header
_HEADER: Final = {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF4",
                  "bottom": 1}  # fmt: skip


def write_xlsx(
    file: IO[bytes],
    pages: Iterable[Sequence[Line]],
    *,
    language: Literal["vi", "en"],
    about: Sequence[tuple[str, str]],
    tmpdir: str,
) -> Generator[int]:
    """Write the workbook, and say after each page how many contacts are in it. Each row leaves
    memory when the next begins. Left before its end, there is no workbook.

    Raises UserError if there are more than a sheet holds.
    """
    options = {"constant_memory": True, "tmpdir": tmpdir, "strings_to_formulas": False,
               "strings_to_urls": False, "strings_to_numbers": False}  # fmt: skip
    book = xlsxwriter.Workbook(file, options)
    try:
        text = book.add_format({"num_format": "@", "valign": "top"})
        plain = book.add_format({"valign": "top"})
        sheet = book.add_worksheet("Danh sách" if language == "vi" else "Contacts")
        _head(book, sheet)
        count = 0
        for page in pages:
            for line in page:
                count += 1
                if count > MOST_ROWS:
                    raise UserError(
                        f"Nhiều hơn {MOST_ROWS} người, quá một trang tính: hãy nêu từng ca hoặc "
                        f"lấy CSV. / More than {MOST_ROWS} contacts, which a sheet cannot hold: "
                        "name cases, or take CSV."
                    )
                for at, column in enumerate(COLUMNS):
                    cell = shown(column, line, language)
                    if cell is None or cell == "":
                        continue
                    if isinstance(cell, int):
                        sheet.write_number(count, at, cell, plain)
                    else:
                        sheet.write_string(count, at, str(cell), text)
            yield count
        sheet.autofilter(0, 0, max(count, 1), len(COLUMNS) - 1)
        _notes(book, about, language)
        book.close()
    finally:
        for sheet in book.worksheets():
            sheet.row_data_fh.close()  # its rows, where it is left before its end


def _head(book: Any, sheet: Any) -> None:
    header = book.add_format(_HEADER)
    for at, column in enumerate(COLUMNS):
        sheet.set_column(at, at, column.width)
    sheet.set_row(0, 48)
    for at, column in enumerate(COLUMNS):
        sheet.write_string(0, at, f"{column.vi}\n{column.en}", header)
    sheet.freeze_panes(1, 2)
    sheet.set_landscape()
    sheet.repeat_rows(0)


def _notes(book: Any, about: Sequence[tuple[str, str]], language: Literal["vi", "en"]) -> None:
    """What the file is, what it is not, and each column in both languages."""
    sheet = book.add_worksheet("Ghi chú" if language == "vi" else "Notes")
    header = book.add_format(_HEADER)
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for at, width in enumerate((22, 60, 60)):
        sheet.set_column(at, at, width)
    for at, title in enumerate(("", "Tiếng Việt", "English")):
        sheet.write_string(0, at, title, header)
    rows = [("", vi, en) for vi, en in about]
    rows += [(column.key, column.vi, column.en) for column in COLUMNS]
    for number, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            sheet.write_string(number, at, cell, wrapped)
    sheet.freeze_panes(1, 0)
