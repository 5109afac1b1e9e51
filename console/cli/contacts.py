"""`truyvet contacts [CASE]`: possible contacts, with the reason for each."""

from typing import Annotated, Final

import typer

from console.cli.out import json_line
from console.cli.session import Json, session_of

SHOWN: Final = 20


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "contacts",
        help="Người có thể đã tiếp xúc với một ca. / Possible contacts of a case.",
    )(contacts)


def contacts(
    context: typer.Context,
    case_id: Annotated[
        str | None,
        typer.Argument(metavar="[CASE]", help="Bỏ trống: mọi ca đang mở. / None: all open cases."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Bao nhiêu người ({SHOWN}; --json: tất cả). / How many."),
    ] = None,
    wait_s: Annotated[
        float, typer.Option(min=0, help="Chờ truy vết bao nhiêu giây. / Seconds to wait.")
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Who, where, when, how long, which clause could apply and what to ask, on what ground."""
    from console.cli.api import Api
    from console.cli.out import screen
    from console.cli.tracing import contacts_of, places_of

    session = session_of(context)
    wanted = limit if limit is not None or as_json else SHOWN
    with Api(session.settings()) as api:
        if case_id is None:
            found = api.get("/v1/contacts", limit=min(limit or 1000, 1000))
            if as_json:
                json_line(found)
                return
            from console.cli.contacts_across import show_across

            show_across(found | {"contacts": found["contacts"][:wanted]}, session)
            return
        found = contacts_of(api, case_id, wanted, wait_s)
        found["places"] = places_of(api, found["contacts"])
    if as_json:
        json_line(found)
        return
    from console.cli.contacts_table import show

    show(found, session, screen())
