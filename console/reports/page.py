"""The report as one A4 page."""

from dataclasses import asdict
from typing import Any, Final

from console.reminders.texts import Lang
from console.reports.sheet import PartRow, Sheet, number, percent, signed
from issuer.typesetting import typeset

MOST_PARTS: Final = 32  # what the page holds; the workbook has all


def page_pdf(sheet: Sheet) -> bytes:
    """The PDF: the same bytes for the same report."""
    return typeset("daily", _data(sheet))


def _data(sheet: Sheet) -> dict[str, Any]:
    lang, left = sheet.lang, len(sheet.parts) - MOST_PARTS
    more = (
        f"… và {left} dòng nữa trong bảng tính"
        if lang == "vi"
        else f"… {left} more in the workbook"
    )
    same = ("lang", "title", "area", "day", "as_of", "heads", "part_heads", "facts", "notes")
    return {name: value for name, value in asdict(sheet).items() if name in same} | {
        "rows": [
            {
                "name": row.name,
                "sites": number(row.sites, lang),
                "share": row.sites / row.of if row.of and row.all_sites is not None else None,
                "percent": percent(row.sites, row.of) if row.all_sites is not None else "",
                "change": signed(row.change, lang),
                "all_sites": "" if row.all_sites is None else number(row.all_sites, lang),
                "places": "" if row.places is None else number(row.places, lang),
            }
            for row in sheet.rows
        ],
        "parts": [_cells(part, lang) for part in sheet.parts[:MOST_PARTS]],
        "more": more if left > 0 else "",
    }


def _cells(part: PartRow, lang: Lang) -> list[str]:
    """A line of the parts; of what no list names anybody of, only what is registered."""
    known = [f"{number(n, lang)} ({percent(n, part.of)})" if part.of else "–" for n in part.sites]
    every = [] if part.all_sites is None else [number(part.all_sites, lang)]
    return [part.name, number(part.of, lang) if part.of else "–", *known, *every]
