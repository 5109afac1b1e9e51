"""`truyvet f2 CASE`: who was with possible contacts, and by which path."""

from datetime import datetime
from typing import Annotated, Any

import typer

from console.cli.out import json_line, line, number, screen
from console.cli.session import Json, Session, session_of
from schemas.clock import LOCAL


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "f2",
        help="Người tiếp xúc với người tiếp xúc gần (F2). / Contacts of possible contacts (F2).",
    )(second)


def second(
    context: typer.Context,
    case_id: Annotated[str, typer.Argument(metavar="CASE")],
    limit: Annotated[int, typer.Option(min=1, max=5000, help="Bao nhiêu người. / How many.")] = 20,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Cả khi bộ quy tắc không có F2. / Also where the rules have no F2."
        ),
    ] = False,
    confirmed: Annotated[
        bool,
        typer.Option("--confirmed", help="Chỉ qua F1 đã xác định. / Through confirmed F1s only."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Each with the path: the case, where, the possible contact, where, the person."""
    from urllib.parse import quote

    from console.cli.api import Api
    from console.cli.tracing import places_named

    session = session_of(context)
    asked: dict[str, Any] = {"limit": limit}
    asked |= {n: "true" for n, on in (("anyway", anyway), ("confirmed", confirmed)) if on}
    with Api(session.settings()) as api:
        found = api.get(f"/v1/cases/{quote(case_id, safe='')}/second-contacts", **asked)
        steps = [step for contact in found["contacts"] for step in contact["path"]]
        places = places_named(api, {step["place"] for step in steps if "place" in step})
    if as_json:
        json_line(found | {"places": places})
    else:
        show(found, places, session, anyway=anyway, confirmed=confirmed)


def show(
    found: dict[str, Any],
    places: dict[str, Any],
    session: Session,
    *,
    anyway: bool = False,
    confirmed: bool = False,
) -> None:
    """What the rules say of F2, whom was followed, and a line of path for each."""
    line(session.lines(found["note"]["vi"], found["note"]["en"]))
    if not found["followed"] and not found["contacts"]:
        if not (found["f2"] or anyway):
            line(session.words("Thêm --anyway để vẫn truy vết.", "Add --anyway to trace them."))
            return
        vi, en = ("chưa F1 nào được xác định", "no F1 is confirmed")
        if not confirmed:
            vi, en = ("không có F1 nào để theo", "there is no F1 to follow")
        line(session.lines(f"0 người (F2): {vi}.", f"0 people (F2): {en}."))
        return
    followed, more = number(found["followed"]), number(found["not_followed"])
    line(
        session.lines(
            f"{number(found['total'])} người (F2) qua {followed} người tiếp xúc gần"
            + (f"; {more} người chưa được xét." if found["not_followed"] else "."),
            f"{number(found['total'])} people (F2) through {followed} possible contacts"
            + (f"; {more} were not followed." if found["not_followed"] else "."),
        )
    )
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for vi, en, options in (
        ("#", "#", {"justify": "right", "no_wrap": True}),
        ("Ai (F2)", "Who (F2)", {"no_wrap": True}),
        ("Phút", "Min", {"justify": "right", "no_wrap": True}),
        ("Đường lây có thể", "Possible path", {"ratio": 1}),
    ):
        table.add_column("#" if vi == "#" else session.lines(vi, en), **options)
    for contact in found["contacts"]:
        path = "\n".join(_step(step, places, session) for step in contact["path"][1:-1])
        others = len(contact["through"]) - 1
        if others:
            path += session.words(f"\n(và qua {others} người khác)", f"\n(and {others} others)")
        who = str(contact["rank"]), contact["person"], f"{contact['minutes']:.0f}"
        table.add_row(*who, escape(path))
    screen().print(table)
    if found["left_out"]:
        left = number(found["left_out"])
        line(session.words(f"… và {left} người nữa", f"… and {left} more"))


def _step(step: dict[str, Any], places: dict[str, Any], session: Session) -> str:
    if "person" in step:
        return f"F1 {step['person']}"
    known = places.get(str(step["place"]))
    where = f"#{step['place']}" if known is None else f"{known['name']}, {known['site_name']}"
    begin, end = (datetime.fromisoformat(step[k]).astimezone(LOCAL) for k in ("start", "end"))
    until = f"{end:%H:%M}" if end.date() == begin.date() else f"{end:%d/%m %H:%M}"
    return f"{session.words('ở', 'at')} {where}, {begin:%d/%m %H:%M}–{until}"
