"""The report as a workbook: the funnel, all parts, and what to know of the numbers."""

import io
from collections.abc import Sequence
from typing import Any, Final

import xlsxwriter

from console.reports.sheet import Sheet

_HEADER: Final = {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF4",
                  "bottom": 1}  # fmt: skip


def workbook(sheet: Sheet) -> bytes:
    """The XLSX. Names are text cells: none is run as a formula."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False}  # fmt: skip
    book = xlsxwriter.Workbook(file, options)
    vi = sheet.lang == "vi"
    style = {
        "head": book.add_format(_HEADER),
        "bold": book.add_format({"bold": True, "font_size": 14}),
        "share": book.add_format({"num_format": "0 %"}),
        "count": book.add_format({"num_format": "#,##0"}),
        "change": book.add_format({"num_format": "+#,##0;-#,##0;0"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    _funnel(book.add_worksheet("Báo cáo" if vi else "Report"), sheet, style)
    _parts(book.add_worksheet("Chi tiết" if vi else "Parts"), sheet, style)
    notes = book.add_worksheet("Ghi chú" if vi else "Notes")
    notes.set_column(0, 0, 110)
    for at, note in enumerate(sheet.notes):
        notes.write_string(at, 0, note, style["wrap"])
    book.close()
    return file.getvalue()


def _funnel(page: Any, sheet: Sheet, style: dict[str, Any]) -> None:
    page.set_column(0, 0, 46)
    page.set_column(1, 5, 16)
    page.write_string(0, 0, sheet.title, style["bold"])
    page.write_string(1, 0, f"{sheet.area}, {sheet.day}. {sheet.as_of}")
    _heads(page, 3, sheet.heads, style)
    at = 3
    for at, row in enumerate(sheet.rows, start=4):
        page.write_string(at, 0, row.name)
        page.write_number(at, 1, row.sites, style["count"])
        if row.of:
            page.write_number(at, 2, row.sites / row.of, style["share"])
        for column, value, form in (
            (3, row.change, "change"),
            (4, row.all_sites, "count"),
            (5, row.places, "count"),
        ):
            if value is not None:
                page.write_number(at, column, value, style[form])
    page.conditional_format(4, 2, at, 2, {"type": "data_bar", "min_type": "num", "min_value": 0,
                                          "max_type": "num", "max_value": 1})  # fmt: skip
    for n, (label, said) in enumerate(sheet.facts, start=at + 2):
        page.write_string(n, 0, label)
        page.write_string(n, 1, said)
    page.set_landscape()
    page.fit_to_pages(1, 1)


def _parts(page: Any, sheet: Sheet, style: dict[str, Any]) -> None:
    page.set_column(0, 0, 40)
    page.set_column(1, len(sheet.part_heads) - 1, 16)
    _heads(page, 0, sheet.part_heads, style)
    for at, part in enumerate(sheet.parts, start=1):
        page.write_string(at, 0, part.name)
        listed = (part.of, *part.sites)
        for column, value in enumerate((*listed, part.all_sites), start=1):
            if value is not None and (part.of or column > len(listed)):
                page.write_number(at, column, value, style["count"])
    page.freeze_panes(1, 1)


def _heads(page: Any, at: int, heads: Sequence[str], style: dict[str, Any]) -> None:
    for column, head in enumerate(heads):
        page.write_string(at, column, head, style["head"])
