"""The cells of XLSX, XLS and ODS, read in a process of its own with a bound on its memory.

A sheet is read as a whole rectangle up to its last cell: a few bytes that put a cell at the far end
of a sheet, or a stray blank of an honest list, would otherwise take the memory of whoever reads.
"""

import multiprocessing
import os
import resource
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from console.sitelist.plain import tidy
from schemas.errors import UserError

MOST_MEMORY: Final = 4 * 1024**3
_MOST_CPU_S: Final = 120
_ONE: Final = threading.Lock()  # so the bound is one of the whole program


def workbook_rows(path: Path, sheet: str | None, shown: str) -> list[list[str]]:
    """Of a sheet, or of the first with something in it: its rows, from the sheet's first.

    A cell merged over several rows is in each of them. Raises UserError.
    """
    spawn = multiprocessing.get_context("spawn")
    with _ONE, ProcessPoolExecutor(1, mp_context=spawn, initializer=_bound) as reader:
        try:
            return reader.submit(_read, str(path), sheet, shown).result()
        except (BrokenProcessPool, MemoryError):
            raise UserError(
                f"Tệp {shown} quá lớn, hoặc có ô nằm rất xa bảng: hãy xoá các hàng, cột thừa, hoặc "
                f"lưu lại dạng CSV UTF-8. / {shown} is too large, or has cells far outside its "
                "table: delete those rows and columns, or save it as CSV UTF-8."
            ) from None


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the reader's own last words are for nobody


def _read(path: str, wanted: str | None, shown: str) -> list[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(path)
        names = book.sheet_names
        if wanted is not None and wanted not in names:
            raise UserError(
                f"--sheet: tệp {shown} không có trang {wanted!r}. / "
                f"--sheet: {shown} has no sheet {wanted!r}; it has {', '.join(names)}."
            )
        for name in [wanted] if wanted is not None else names:
            sheet = book.get_sheet_by_name(name)
            rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
            if wanted is not None or any(any(row) for row in rows):
                _fill(rows, sheet.merged_cell_ranges or ())
                return rows
    except CalamineError as error:
        raise UserError(
            f"Tệp {shown} không đọc được: {error}. / {shown} cannot be read as a workbook: {error}."
        ) from None
    return []


def _fill(
    rows: Sequence[list[str]], merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]
) -> None:
    for (top, left), (bottom, _) in merged:
        for row in range(top + 1, min(bottom + 1, len(rows))):
            if left < len(rows[row]) and not rows[row][left]:
                rows[row][left] = rows[top][left]


def _text(cell: Any) -> str:
    """A cell as a person reads it: 100, not 100.0; 07:30; 2026-11-26."""
    if isinstance(cell, str):
        return tidy(cell)
    if isinstance(cell, bool):
        return "x" if cell else ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else str(cell)
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return f"{cell:%Y-%m-%d}"
    return tidy(str(cell))
