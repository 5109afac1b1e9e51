"""`truyvet inspections round | list | show | record`; `inspection_steps` has what is done.

They work on the database itself; the console's relay publishes what they change.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli import inspection_steps
from console.cli.inspection_taking import id_in
from console.cli.inspection_text import show_inspection, show_line, show_visit
from console.cli.out import json_line, line, note
from console.cli.outfile import Replace, check_out, write_whole
from console.cli.session import Json, Lang, session_of, store_of
from schemas.errors import UserError
from schemas.inspections import Stage

if TYPE_CHECKING:
    pass

Which = Annotated[
    str, typer.Argument(metavar="ID", help="Số hoặc mã đợt kiểm tra. / Its number or id.")
]
Ward = Annotated[str, typer.Option(help="Mã xã, phường. / The ward's code.")]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(no_args_is_help=True, help="Kiểm tra điểm quét. / Inspections of places.")
    group.command("round", help="Đi kiểm tra những đâu. / Where to go next.")(round_)
    inspection_steps.add_to(group)
    group.command("show", help="Một đợt kiểm tra. / One, with its steps.")(show)
    group.command("list", help="Các đợt kiểm tra. / Inspections, the newest first.")(list_)
    group.command("record", help="In biên bản. / Its record on paper, as PDF.")(record)
    about = "Bỏ vị trí, tên máy khỏi ảnh cũ. / Old photos lose what cameras wrote."
    group.command("bare-photos", help=about)(bare_photos)
    app.add_typer(group, name="inspections")


def round_(
    context: typer.Context,
    ward: Ward,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Past the day to mend, planned or answered, never inspected, longest since the last look."""
    from console.api.inspections_said import round_of
    from console.store.engine import utc_now
    from issuer.units import ward as unit
    from schemas.clock import LOCAL

    try:
        unit(ward)
    except ValueError:
        raise UserError(
            f"--ward {ward}: không có xã, phường nào mang mã này. / "
            f"--ward {ward}: no ward has this code."
        ) from None
    session = session_of(context)
    with store_of(session) as store:
        today = utc_now().astimezone(LOCAL).date()
        found = round_of(store, ward, today, limit=limit, offset=offset)
    if as_json:
        json_line(found.model_dump(mode="json"))
        return
    for visit in found.visits:
        show_visit(visit, session)
    shown = offset + len(found.visits)
    note(session.words(f"{shown} / {found.total} nơi", f"{shown} of {found.total} places"))


def list_(
    context: typer.Context,
    ward: Annotated[list[str] | None, typer.Option(help="Nhiều lần được. / Repeatable.")] = None,
    place: Annotated[int | None, typer.Option(min=1, help="Điểm quét. / Of this place.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Đang ở bước nào. / At this stage.")] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Chỉ những nơi quá hạn. / Only past their day.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    after: Annotated[int, typer.Option(min=0, help="Số nhỏ hơn. / Numbers below this.")] = 0,
    as_json: Json = False,
) -> None:
    """With where each stands."""
    from console.api.inspections_schemas import LineSaid
    from console.store.engine import utc_now
    from console.store.inspection_lists import Wanted, listed
    from schemas.clock import LOCAL

    session = session_of(context)
    today = utc_now().astimezone(LOCAL).date()
    wanted = Wanted(ward, None, place, None, stage, due_before=today if overdue else None)
    with store_of(session) as store:
        found = listed(store, wanted, limit=limit + 1, after=after)
    more, found = len(found) > limit, found[:limit]
    lines = [LineSaid(**vars(one)) for one in found]
    if as_json:
        rows = [one.model_dump(mode="json") for one in lines]
        json_line({"inspections": rows, "after": lines[-1].number if more else None})
        return
    for one in lines:
        show_line(one, session)
    if not lines:
        note(session.words("Không có đợt kiểm tra nào.", "There are no such inspections."))
    if more:
        last = lines[-1].number
        note(session.words(f"Còn nữa: --after {last}", f"There are more: --after {last}"))


def show(context: typer.Context, which: Which, as_json: Json = False) -> None:
    """Its steps as they happened, whose turn it is, and what is proposed."""
    from console.api.inspections_said import said_of
    from console.store.inspection_lists import line_of
    from console.store.inspections import inspection_of

    session = session_of(context)
    with store_of(session) as store:
        number = id_in(store, which)
        whole, names = inspection_of(store, number), line_of(store, number)
        assert whole is not None
        assert names is not None
        said = said_of(store, whole, names)
    if as_json:
        json_line(said.model_dump(mode="json"))
    else:
        show_inspection(said, session)


def record(
    context: typer.Context,
    which: Which,
    out: Annotated[Path, typer.Option(help="Tệp PDF. / The PDF file.")],
    paper: Annotated[str, typer.Option(help="Số biên bản, như 12/BB-KT. / Its number.")] = "",
    name: Annotated[
        list[str] | None,
        typer.Option(help="Tên thành viên, theo thứ tự; không lưu. / A member's, not kept."),
    ] = None,
    representative: Annotated[
        str, typer.Option(help="Đại diện cơ sở; không lưu. / For the site; not kept.")
    ] = "",
    position: Annotated[str, typer.Option(help="Chức vụ. / Their position; not kept.")] = "",
    alone: Annotated[
        bool, typer.Option("--alone", help="Chỉ điểm quét này. / Without the site's others.")
    ] = False,
    replace: Replace = False,
    as_json: Json = False,
) -> None:
    """Of the newest check, with the site's other places of that day. --lang en is a translation."""
    from console.inspection_papers import paper_of
    from console.inspections.paper import Language, Names

    session = session_of(context)
    names = Names(paper, tuple(name or ()), representative, position)
    languages: dict[Lang, Language] = {Lang.VI: "vi", Lang.EN: "en", Lang.BOTH: "both"}
    check_out(out, replace)
    with store_of(session) as store:
        pdf = paper_of(store, id_in(store, which), languages[session.lang], names, alone=alone)
    write_whole(out, pdf)
    if as_json:
        json_line({"file": str(out), "bytes": len(pdf)})
    else:
        line(str(out))


def bare_photos(context: typer.Context, as_json: Json = False) -> None:
    """Photos sent since are kept bare anyway; run it once after an upgrade. Backups made before
    it keep the old ones until they age out."""
    from dataclasses import asdict

    from console.store.inspection_photos import bare_all

    session = session_of(context)
    with store_of(session) as store:
        done = bare_all(store)
    if as_json:
        json_line(asdict(done))
        return
    line(
        session.words(
            f"Đã xem {done.looked} ảnh; đã bỏ dữ liệu máy ảnh khỏi {done.changed}.",
            f"{done.looked} photos looked at; {done.changed} lost what a camera had written.",
        )
    )
    for inspection, name in done.damaged:
        note(
            session.words(
                f"Ảnh hỏng, giữ nguyên: {inspection} {name}",
                f"Damaged, left as it is: {inspection} {name}",
            )
        )
