"""`truyvet report daily`: a day of a ward, district, city or sector: page, workbook or text."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from console.cli.areas import City, District, Sector, Ward, asked_of
from console.cli.options import day_of
from console.cli.out import json_line, line
from console.cli.outfile import Replace, check_out, write_whole
from console.cli.session import Json, Lang, session_of
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.reminders.texts import Lang as TextLang
    from console.reports.made import Format

_BY_NAME: Final[dict[str, "Format"]] = {".pdf": "pdf", ".xlsx": "xlsx", ".txt": "txt"}


def add_to(app: typer.Typer) -> None:
    """This command."""
    group = typer.Typer(no_args_is_help=True, help="Báo cáo. / Reports.")
    group.command("daily", help="Báo cáo ngày. / The daily report.")(daily)
    app.add_typer(group, name="report")


def daily(
    context: typer.Context,
    ward: Ward = None,
    district: District = None,
    city: City = None,
    sector: Sector = None,
    day: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="Mặc định: hôm nay. / Today.")
    ] = None,
    out: Annotated[
        str, typer.Option("--out", help="Tệp .pdf, .xlsx, .txt; - là ra màn hình. / - is stdout.")
    ] = "-",
    replace: Replace = False,
    as_json: Json = False,
) -> None:
    """One page, a workbook, or a text to copy; `--lang en` has it in English."""
    from console.reminders.desk import desk_of
    from console.reports.daily import daily as daily_
    from console.reports.made import document, made
    from console.store.engine import open_store
    from streams.clickhouse import ClickHouse

    session = session_of(context)
    path, form = _target(out, replace)
    asked = asked_of(ward, district, city, sector)
    lang: TextLang = "en" if session.lang is Lang.EN else "vi"
    settings = session.settings()
    store, clickhouse = open_store(settings), ClickHouse(settings, timeout_s=15)
    try:
        found = daily_(desk_of(settings, store, clickhouse), asked, day_of("--date", day))
        if as_json:
            json_line(document(found, lang))
            return
        content = made(found, form, lang)
    finally:
        store.close()
        clickhouse.close()
    if path is None:
        sys.stdout.write(content.decode())
    else:
        write_whole(path, content)
        line(str(path))


def _target(out: str, replace: bool) -> tuple[Path | None, "Format"]:
    if out == "-":
        return None, "txt"
    path = Path(out)
    form = _BY_NAME.get(path.suffix.lower())
    if form is None:
        raise UserError("--out: .pdf, .xlsx, .txt hoặc -. / --out: .pdf, .xlsx, .txt or -.")
    check_out(path, replace)
    return path, form
