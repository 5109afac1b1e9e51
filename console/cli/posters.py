"""`truyvet posters`: what a ward, a district, a site or some places put up, as files to print."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.out import json_line, line, note, number, progress
from console.cli.session import Json, Session, session_of
from issuer.formats import Format

if TYPE_CHECKING:
    from console.printing import Selection, Wanted
    from issuer.printing.order import Order, Packing

_SHOWN = 20  # places named in a line; `--json` has all of them


def add_to(app: typer.Typer) -> None:
    """This command."""
    about = "In áp phích mã QR của cả phường, quận, cơ quan. / Posters of a whole ward or site."
    app.command("posters", help=about)(posters)


def posters(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", help="Thư mục, tệp .pdf hoặc .zip. / Folder, .pdf or .zip.")
    ],
    ward: Annotated[str | None, typer.Option(help="Mã xã, phường: 11413. / A ward.")] = None,
    district: Annotated[str | None, typer.Option(help="Mã quận, huyện: 306. / A district.")] = None,
    site: Annotated[int | None, typer.Option(help="Cơ quan, đơn vị. / A site.")] = None,
    place: Annotated[
        list[int] | None, typer.Option(help="Điểm quét, nhiều lần. / A place; more than once.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="a3 sảnh, a4 cửa, a5 để bàn. / hall, door, table.")
    ] = Format.A4,
    zipped: Annotated[
        bool, typer.Option("--zip", help="Mỗi điểm một PDF trong ZIP. / A PDF each, in a ZIP.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Ghi đè tệp đã có. / Write over a file.")
    ] = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="Bản thử: không ghi là đã in. / Not counted as printed.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Số tiến trình. / Processes.")
    ] = None,
    as_json: Json = False,
) -> None:
    """With an index sheet to tick off. Stopped midway, the same command goes on from there."""
    import os
    from datetime import UTC, datetime

    from console.printing import mark_printed, select_posters, sheets_of
    from console.store.engine import open_store
    from issuer.printing.order import Order
    from issuer.printing.run import folder_of, print_set

    session = session_of(context)
    wanted = _wanted(ward, district, site, place)
    packing = _packing(out, zipped)
    settings = session.settings()
    _check_origin(settings.code_origin)
    store = open_store(settings)
    try:
        found = select_posters(store, wanted, datetime.now(UTC))
        total = len(found.chosen)
        order = Order(found.title, form, settings.code_origin, settings.retention_days, packing)
        targets = _targets(out, found.name, order, total)
        with progress(session.words("in áp phích", "printing"), total) as advance:
            printed = print_set(
                order,
                sheets_of(store, found.chosen),
                total,
                targets,
                workers=workers or len(os.sched_getaffinity(0)),
                replace=replace,
                on_progress=advance,
            )
        if not draft:
            mark_printed(store, found.chosen, datetime.now(UTC))
    except KeyboardInterrupt:
        note(
            session.words(
                "Phần đã in được giữ lại: chạy lại cùng lệnh để in tiếp.",
                "What is printed is kept: the same command goes on from there.",
            )
        )
        raise
    finally:
        store.close()
    assert not folder_of(targets[0]).exists()
    if as_json:
        json_line(
            {
                "files": [str(path) for path in printed.files],
                "title": found.title,
                "format": form.value,
                "posters": printed.posters,
                "bytes": printed.size,
                "kept_from_before": printed.kept,
                "left_out": {"no_code_in_force": found.no_code, "closed": found.closed},
            }
        )
        return
    _tell(session, found, printed.files, printed.posters, printed.kept)


def _tell(
    session: Session, found: "Selection", files: tuple[Path, ...], posters_: int, kept: int
) -> None:
    line(
        session.words(f"{found.title}: {number(posters_)} áp phích", f"{number(posters_)} posters")
    )
    for path in files:
        line(f"  {path}")
    if kept:
        before = number(kept)
        note(session.words(f"{before} đã in từ lần trước.", f"{before} were done before."))
    for vi, en, left in (
        ("không có mã còn hiệu lực", "without a code in force", found.no_code),
        ("đã đóng", "closed", found.closed),
    ):
        if left:
            some = ", ".join(map(str, left[:_SHOWN])) + (", …" if len(left) > _SHOWN else "")
            count = number(len(left))
            note(
                session.words(
                    f"Bỏ qua {count} điểm quét {vi}: {some}", f"Left out, {count} {en}: {some}"
                )
            )


def _wanted(
    ward: str | None, district: str | None, site: int | None, places: list[int] | None
) -> "Wanted":
    """Raises UserError unless exactly one is given."""
    from console.printing import Wanted
    from schemas.errors import UserError

    given = [o for o in (ward, district, site, places or None) if o is not None]
    if len(given) != 1:
        raise UserError(
            "Nêu đúng một trong --ward, --district, --site, --place. / "
            "Give exactly one of --ward, --district, --site and --place."
        )
    return Wanted(ward, district, site, tuple(places or ()))


def _packing(out: Path, zipped: bool) -> "Packing":
    """By `--zip` and the file's name. Raises UserError if they contradict each other."""
    from issuer.printing.order import Packing
    from schemas.errors import UserError

    suffix = out.suffix.lower()
    if zipped and suffix == ".pdf":
        raise UserError(
            f"--out {out}: với --zip, tệp phải là .zip. / --out {out}: with --zip it is a .zip."
        )
    return Packing.ZIP if zipped or suffix == ".zip" else Packing.PDF


def _targets(out: Path, name: str, order: "Order", total: int) -> list[Path]:
    """The files to write: the one named, or some in a folder. Raises UserError."""
    from schemas.errors import UserError

    files = order.files(total)
    named = out.suffix.lower() in (".pdf", ".zip") and not out.is_dir()
    if named and files > 1:
        raise UserError(
            f"--out {out}: {total} áp phích là {files} tệp PDF (mỗi tệp {order.file_pages}); hãy "
            f"nêu thư mục hoặc --zip. / --out {out}: {total} posters are {files} PDFs (of "
            f"{order.file_pages} each); name a folder, or use --zip."
        )
    folder = out.parent if named else out
    if named and not folder.is_dir():
        raise UserError(f"Không có thư mục {folder}. / There is no directory {folder}.")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {out} không phải thư mục. / --out {out} is not a folder.")
    if named:
        return [out]
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"posters-{name}-{order.form}"
    if files == 1:
        return [folder / f"{stem}.{order.packing}"]
    width = max(2, len(str(files)))
    return [folder / f"{stem}-{n:0{width}}.{order.packing}" for n in range(1, files + 1)]


def _check_origin(origin: str) -> None:
    """Raises UserError that names the setting."""
    from issuer.codes import BadToken, code_url
    from schemas.errors import UserError

    try:
        code_url(origin, "")
    except BadToken:
        return  # the origin is looked at first
    except ValueError as error:
        raise UserError(
            f"TRUYVET_CODE_ORIGIN không dùng được cho mã in ({error}). / "
            f"TRUYVET_CODE_ORIGIN cannot be used for codes ({error})."
        ) from None
