"""The report in the format asked for."""

from dataclasses import asdict
from typing import Any, Final, Literal

from console.reminders.texts import Lang
from console.reports.daily import Daily
from console.reports.page import page_pdf
from console.reports.sheet import sheet_of
from console.reports.text import text_of
from console.reports.workbook import workbook

Format = Literal["pdf", "xlsx", "txt", "json"]
FORMATS: Final[dict[Format, str]] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
}


def made(daily: Daily, form: Format, lang: Lang) -> bytes:
    """The file's bytes; of `json` see `document`."""
    sheet = sheet_of(daily, lang)
    match form:
        case "pdf":
            return page_pdf(sheet)
        case "xlsx":
            return workbook(sheet)
        case "txt":
            return text_of(sheet).encode()
        case "json":
            raise AssertionError("a document is no file")


def document(daily: Daily, lang: Lang) -> dict[str, Any]:
    """The numbers and the words of the report as JSON."""
    return asdict(sheet_of(daily, lang)) | {"date": daily.day.isoformat(), "silent": daily.silent}
