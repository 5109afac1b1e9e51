"""`truyvet list export`: lists as a file, whole or not at all."""

import os
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from console.cli.out import json_line, line, note, number, progress
from console.cli.outfile import Replace, check_out, whole_file
from console.cli.rowcount import RowCount
from console.cli.session import Json, Lang, Session, session_of
from console.cli.worklist_team import Cases
from console.vault import NO_VAULT
from schemas.errors import UserError


class Format(StrEnum):
    """What kind of file."""

    CSV = "csv"
    XLSX = "xlsx"
    SORMAS = "sormas"


class Dates(StrEnum):
    """How SORMAS is to read dates: by the language of whoever imports."""

    DMY = "dmy"
    DOTTED = "dotted"
    MDY = "mdy"


def add_to(group: typer.Typer) -> None:
    """This command."""
    group.command("export", help="Xuất danh sách ra tệp. / Lists of contacts as a file.")(export)


def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Ghi vào đâu. / The file to write.")],
    format_: Annotated[
        Format | None, typer.Option("--format", help="Mặc định: theo tên tệp. / By the name.")
    ] = None,
    case: Cases = None,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Cả người chỉ có mặt cùng lúc. / All tiers.")
    ] = False,
    bom: Annotated[bool, typer.Option(help="CSV: dấu UTF-8 cho bảng tính. / UTF-8 BOM.")] = True,
    semicolon: Annotated[
        bool, typer.Option("--semicolon", help="CSV: phân cách bằng ';'. / Separated by ';'.")
    ] = False,
    dates: Annotated[
        Dates, typer.Option(help="SORMAS: 31/12/2026, 31.12.2026, 12/31/2026.")
    ] = Dates.DMY,
    replace: Replace = False,
    as_json: Json = False,
) -> None:
    """Of the area's open cases and what was handed over to it, or of the cases named."""
    from console.cli.api import Api

    session = session_of(context)
    kind = _kind(format_, out)
    check_out(out, replace)
    wanted: dict[str, Any] = {
        "format": kind.value,
        "case": case or [],
        "everybody": everybody,
        "bom": bom,
        "separator": ";" if semicolon else ",",
        "lang": "en" if session.lang is Lang.EN else "vi",
        "dates": dates.value,
    }
    with Api(session.settings()) as api:
        headers, count = _whole(api, out, kind, wanted, session)
    if as_json:
        about = {"contacts": count, "bytes": out.stat().st_size}
        json_line({"file": str(out), "format": kind, **about})
    else:
        contacts = number(count)
        line(session.words(f"Đã ghi {contacts} người: {out}", f"{contacts} contacts: {out}"))
        if not count and not everybody:
            note(
                session.words(
                    "Người chỉ có mặt cùng thời điểm không có trong tệp: thêm --everybody nếu cần.",
                    "Those only there at the same time are left out: add --everybody for them.",
                )
            )
    if headers.get("X-Truyvet-Note") == "no_identity_vault":
        note(session.words(*NO_VAULT))


def _whole(
    api: Any, out: Path, kind: Format, wanted: dict[str, Any], session: Session
) -> tuple[Any, int]:
    """The answer's headers, and how many contacts are in the file."""
    count = RowCount()
    # a workbook comes when the console has made all of it: until then there is nothing to count
    counts = kind is not Format.XLSX
    what = ("ghi", "writing") if counts else ("lập bảng tính", "making the workbook")
    unit = session.words("người", "contacts") if counts else ""
    with whole_file(out) as file, progress(session.words(*what), 0, unit) as advance:

        def came(piece: bytes) -> None:
            if counts:
                count.take(piece)
                advance(count.rows)

        headers = api.download("/v1/exports/contacts", file, came, **wanted)
        if kind is Format.CSV and not _has_its_end(file):
            raise UserError(
                "Tệp thiếu dòng cuối, không giữ lại gì: hãy lấy lại. / The file has no end line "
                "and nothing of it is kept: ask again."
            )
    return headers, count.rows if counts else int(headers["X-Truyvet-Contacts"])


def _has_its_end(file: IO[bytes]) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1024))
    return file.read().rstrip().rpartition(b"\n")[2].startswith(b"# whole: ")


def _kind(format_: Format | None, out: Path) -> Format:
    named = {".csv": Format.CSV, ".xlsx": Format.XLSX}.get(out.suffix.lower())
    if format_ is None and named is None:
        raise UserError(
            f"{out.name}: nêu --format csv, xlsx hoặc sormas. / "
            f"{out.name}: say --format csv, xlsx or sormas."
        )
    # a spreadsheet trusts the name
    if format_ and named and (format_ is Format.XLSX) != (named is Format.XLSX):
        raise UserError(
            f"{out.name}: tên tệp không hợp với --format {format_.value}. / "
            f"{out.name}: this name is not of --format {format_.value}."
        )
    kind = format_ or named
    assert kind is not None
    return kind
