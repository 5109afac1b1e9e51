"""`truyvet sites import FILE`: what a ward's list says, what of it is refused, and the import."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.out import json_line, line, note, number, progress
from console.cli.session import BY, Json, Session, session_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from console.sitelist.duplicates import Named
    from console.sitelist.run import Plan
    from console.sitelist.sheet import Row
    from console.sitelist.understand import Understood

GOES_ON = (
    "Phần đã nhập được giữ lại: chạy lại cùng lệnh để nhập tiếp.",
    "What is imported is kept: the same command goes on from there.",
)
_SHOWN = 20
_HELP = (
    "Nhập danh sách cơ sở từ CSV, XLSX. / Import a list of establishments.\n\n"
    "Trước hết chỉ đọc và cho biết hiểu gì, từ chối gì, gì có thể trùng; thêm --apply để nhập. / "
    "First only what it understands, what it refuses and why, what may be there twice; with "
    "--apply the import."
)


def add_import(sites: typer.Typer) -> None:
    """This command, into the group `sites`."""
    sites.command("import", help=_HELP)(import_sites)


def import_sites(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    area: Annotated[
        str, typer.Option(help="Địa bàn của danh sách. / Whose list: city/31, district/…, ward/…")
    ] = "*",
    ward: Annotated[
        str | None,
        typer.Option(help="Phường, xã khi danh sách không ghi. / Where none is written."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Loại hình khi không ghi. / Where none is written.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="name='Tên quán', khi tiêu đề không được hiểu. / A heading by hand."),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Trang tính. / The workbook's sheet.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Tên của danh sách; mặc định là tên tệp. / The list's name.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Nhập. / Import it.")] = False,
    without_refused: Annotated[
        bool,
        typer.Option("--without-refused", help="Bỏ các dòng bị từ chối. / Leave them out."),
    ] = False,
    likely: Annotated[
        str | None,
        typer.Option(help="take | leave: nhập hay bỏ dòng có thể trùng. / Likely duplicates."),
    ] = None,
    refused_to: Annotated[
        Path | None, typer.Option(help="Ghi các dòng bị từ chối ra CSV. / Refused rows as CSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A second import of the same list adds only what is new in it."""
    from console.codekeys import ring_of
    from console.sitelist.options import options_of
    from console.sitelist.report import document
    from console.sitelist.run import apply as import_
    from console.sitelist.run import check_decided, check_likely, plan
    from console.sitelist.sheet import rows_of
    from console.sitelist.understand import understand
    from console.store.engine import open_store

    check_likely(likely)
    session = session_of(context)
    options = options_of(area, ward, kind, column or [])
    name = source or file.stem
    with progress(session.words("đọc danh sách", "reading the list"), 0):
        understood = understand(rows_of(file, sheet), options)
    if refused_to is not None:
        write_refused(refused_to, understood, rows_of(file, sheet))
    settings = session.settings()
    store = open_store(settings)
    try:
        with progress(session.words("so với sổ đăng ký", "comparing with the register"), 0):
            made = plan(store, name, understood, options.wards)
        if apply:
            check_decided(made, without_refused, likely)
        left = made.left_out(likely)
        places = None
        if apply:
            ring = ring_of(settings)
            label = session.words("đăng ký", "registering")
            with progress(
                label, made.grouped.places, session.words("điểm quét", "places")
            ) as advance:
                now = datetime.now(UTC)
                places = import_(store, ring, name, made, left, BY, now, advance)
    except KeyboardInterrupt:
        if apply:
            note(session.words(*GOES_ON))
        raise
    finally:
        store.close()
    if as_json:
        json_line(document(made, name, places))
        return
    _show(session, made, places, len(left))


def write_refused(file: Path, understood: "Understood", rows: "Iterable[Row]") -> None:
    """The refused rows with their reasons, as a CSV that Excel opens: mended, it is a list again.

    Without the columns that are left out of an import, too: people's names and numbers.
    """
    import csv

    from console.exports.cells import defused

    refused = {one.row for one in understood.refused}
    cells = {row.number: row.cells for row in rows if row.number in refused}
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        columns = [c for c in understood.heading.columns if c.used]
        headings = [defused(c.heading) for c in columns]
        writer.writerow(["dòng / row", "cột / column", "lý do", "reason", *headings])
        for one in understood.refused:
            said = [one.column, one.vi, one.en]
            said += [cells[one.row][c.at] if c.at < len(cells[one.row]) else "" for c in columns]
            writer.writerow([one.row, *map(defused, said)])


def _show(session: Session, made: "Plan", places: int | None, left: int) -> None:
    from issuer.kinds import kinds

    words, understood, groups = session.words, made.understood, made.grouped
    line(words("Cột", "Columns"))
    for c in understood.heading.columns:
        if c.heading:
            meaning = words(*c.used.words) if c.used else words("không dùng", "left out")
            line(f"  {c.heading}  →  {meaning}")
    line()
    rows = number(len(understood.listed))
    line(
        words(
            f"{rows} dòng: {number(len(groups.sites))} cơ sở ({number(made.new_sites)} mới), "
            f"{number(groups.places)} điểm quét",
            f"{rows} rows: {number(len(groups.sites))} sites ({number(made.new_sites)} new), "
            f"{number(groups.places)} places",
        )
    )
    for kind, count in understood.by_kind().most_common():
        name = kinds()[kind].name
        line(f"  {number(count):>8}  {words(name.vi, name.en)}")
    for count, vi, en in (
        (understood.guessed, "loại hình đoán từ tên", "kinds guessed by the name"),
        (groups.gates, "cơ sở không ghi phòng: một cổng", "sites without rooms: one gate each"),
        (len(groups.again), "dòng lặp lại, bỏ qua", "rows said before, passed over"),
        (len(made.closed), "cơ sở đã đóng hay gộp: không thêm gì", "closed or merged since: left"),
    ):
        if count:
            line(f"  {number(count):>8}  {words(vi, en)}")
    if understood.titles:
        first = ", ".join(map(str, understood.titles[:_SHOWN]))
        more = "…" if len(understood.titles) > _SHOWN else ""
        what = words("tiêu đề, tổng cộng, bỏ qua: dòng", "titles, totals, passed over: rows")
        line(f"  {number(len(understood.titles)):>8}  {what} {first}{more}")
    show_refused(session, understood)
    _show_likely(session, made)
    line()
    if places is None:
        note(session.words("Chưa nhập gì; thêm --apply.", "Nothing is imported yet: --apply."))
    else:
        fresh = number(made.new_sites - left)
        line(
            words(
                f"Đã nhập: {fresh} cơ sở mới; danh sách có {number(places)} điểm quét trong sổ.",
                f"Imported: {fresh} new sites; {number(places)} places of the list are registered.",
            )
        )
        if left:
            note(words(f"Bỏ {left} cơ sở có thể trùng.", f"{left} likely duplicates left out."))


def show_refused(session: Session, understood: "Understood") -> None:
    """The first of them, and how many there are."""
    refused = understood.refused
    if not refused:
        return
    line()
    count = number(len(refused))
    line(session.words(f"Từ chối: {count} dòng", f"Refused rows: {count}"))
    for one in refused[:_SHOWN]:
        at = session.words(f"dòng {one.row}", f"row {one.row}")
        line(f"  {at}, {one.column}: {session.words(one.vi, one.en)}")
    if len(refused) > _SHOWN:
        rest = number(len(refused) - _SHOWN)
        line(
            session.words(
                f"  … và {rest} dòng nữa: --refused-to TỆP",
                f"  … and {rest} more: --refused-to FILE",
            )
        )


def _show_likely(session: Session, made: "Plan") -> None:
    if not made.likely:
        return
    line()
    count = number(len(made.likely))
    line(session.words(f"Có thể trùng: {count} cơ sở", f"Likely there already: {count} sites"))
    for pair in made.likely[:_SHOWN]:
        other = (
            session.words(f"dòng {pair.other.row}", f"row {pair.other.row}")
            if pair.other.row
            else session.words(f"cơ sở {pair.other.site}", f"site {pair.other.site}")
        )
        row = session.words(f"dòng {pair.one.row}", f"row {pair.one.row}")
        apart = pair.one.ward != pair.other.ward
        line(f"  {pair.likeness} %  {row} {_named(pair.one, apart)}")
        line(f"         {other} {_named(pair.other, apart)}")
    if len(made.likely) > _SHOWN:
        rest = number(len(made.likely) - _SHOWN)
        line(session.words(f"  … và {rest} nữa", f"  … and {rest} more"))


def _named(one: "Named", with_ward: bool) -> str:
    from console.coverage.funnel import By
    from console.coverage.names import name_of

    where = f" ({name_of(By.WARD, one.ward)})" if with_ward else ""
    return f"{one.name}, {one.address or '?'}{where}"
