"""`truyvet case venue`: where a case was at places that the register does not have, in words."""

from typing import Annotated, Any, Final

import typer

from console.cli.case_changes import CaseId
from console.cli.case_shown import show_case
from console.cli.case_text import local, moment
from console.cli.entries_text import SOURCES
from console.cli.out import json_line, line, note, screen
from console.cli.session import Json, Session, session_of
from schemas.cases import PointSource
from schemas.errors import UserError

_ONE_OF: Final = (
    "Dùng một trong ba: --enter với --from và --to; --number với --place; --remove. / "
    "One of three: --enter with --from and --to; --number with --place; --remove."
)


def add_to(group: typer.Typer) -> None:
    """This command."""
    group.command("venue", help="Nơi ca đã đến, ngoài danh bạ. / Where it was, in words.")(venue)


def venue(
    context: typer.Context,
    case_id: CaseId,
    enter: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Nơi chưa có trong danh bạ, không ghi tên người. / A place in words; no names.",
        ),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Từ lúc. / From.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Đến lúc. / Until.")
    ] = None,
    source: Annotated[
        PointSource, typer.Option(help="Biết từ đâu. / Where it is known from.")
    ] = PointSource.INTERVIEW,
    number: Annotated[
        int | None, typer.Option(min=1, help="Số của mốc, cùng với --place. / With --place.")
    ] = None,
    place: Annotated[
        int | None,
        typer.Option(min=1, help="Điểm quét mà nơi đó là. / The place of the register that it is."),
    ] = None,
    remove: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="Bỏ mốc này. / Take it back.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Without options, the list. No scan says who else was there: ask."""
    from urllib.parse import quote

    from console.cli.api import Api

    wanted = (enter is not None, number is not None or place is not None, remove is not None)
    timed = begin is not None or end is not None
    if sum(wanted) > 1 or (timed and not wanted[0]) or (number is None) is not (place is None):
        raise UserError(_ONE_OF)
    session = session_of(context)
    path = f"/v1/cases/{quote(case_id, safe='')}/venues"
    with Api(session.settings()) as api:
        if enter is not None:
            times = {"begin": moment("--from", begin), "end": moment("--to", end)}
            if None in times.values():
                raise UserError(_ONE_OF)
            api.send("POST", path, {"venue": enter, "source": source.value} | times)
        elif number is not None:
            case = api.send("POST", f"{path}/{number}/place", {"place": place})
            if as_json:
                json_line(case)
            else:
                show_case(case, session)
            return
        elif remove is not None:
            api.send("DELETE", f"{path}/{remove}", {})
        found = api.get(path)
    if as_json:
        json_line(found)
    else:
        _show(found["venues"], session)


def _show(venues: list[dict[str, Any]], session: Session) -> None:
    from rich.markup import escape
    from rich.table import Table

    if not venues:
        line(session.words("Không có mốc nào ngoài danh bạ.", "None beside the register."))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("#", justify="right")
    columns = (("từ", "from"), ("đến", "until"), ("nơi", "where"), ("biết từ", "known from"))
    for vi, en in columns:
        table.add_column(session.lines(vi, en))
    for one in venues:
        times = local(one["begin"]), local(one["end"])
        known = session.words(*SOURCES[one["source"]])
        table.add_row(str(one["number"]), *times, escape(one["venue"]), known)
    screen().print(table)
    note(
        session.words(
            "Không lượt quét nào cho biết ai cũng ở đó: hãy hỏi. Khi nơi đó có trong danh bạ: "
            "--number … --place ….",
            "No scan says who else was there: ask. Once the place is in the register: "
            "--number … --place ….",
        )
    )
