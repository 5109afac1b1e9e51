"""`truyvet list …`: working a case's list, over the HTTP API."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from console.cli import worklist_changes, worklist_export, worklist_team
from console.cli.list_status import show_ended, statuses_of
from console.cli.out import json_line, screen
from console.cli.session import Json, session_of
from console.cli.worklist_text import CaseId, Person, show_contact, show_list, show_summary


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Làm việc với danh sách người tiếp xúc. / Working a case's list of contacts.",
    )
    group.command("show", help="Danh sách của một ca. / A case's list, with what is decided.")(show)
    group.command("person", help="Một người, và lịch sử. / One contact, and the history.")(person)
    group.command("summary", help="Danh sách bằng con số. / A list in numbers.")(summary)
    worklist_changes.add_to(group)
    worklist_team.add_to(group)
    worklist_export.add_to(group)
    app.add_typer(group, name="list")


def show(
    context: typer.Context,
    case_id: CaseId,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    as_json: Json = False,
) -> None:
    """By the tracer's rank; whom no scan shows, and who was withdrawn, at the end."""
    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        found = api.get(f"/v1/cases/{quote(case_id, safe='')}/list", limit=limit, offset=offset)
        statuses = statuses_of(api, [case_id])
    if as_json:
        json_line(found | {"case_status": statuses.get(case_id)})
        return
    show_ended(statuses, session, screen())
    show_list(found, session, screen())


def person(context: typer.Context, case_id: CaseId, who: Person, as_json: Json = False) -> None:
    """What is known, what the answers say of each clause, what is due, who changed what."""
    from console.cli.api import Api

    session = session_of(context)
    path = f"/v1/cases/{quote(case_id, safe='')}/list/{quote(who, safe='')}"
    with Api(session.settings()) as api:
        found: dict[str, Any] = api.get(path)
        found |= api.get(f"{path}/visits") | api.get(f"{path}/history")
        statuses = statuses_of(api, [case_id])
    if as_json:
        json_line(found | {"case_status": statuses.get(case_id)})
        return
    show_ended(statuses, session, screen())
    show_contact(found, session, screen())


def summary(context: typer.Context, case_id: CaseId, as_json: Json = False) -> None:
    """Counts by axis, and how people can be reached."""
    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        found = api.get(f"/v1/cases/{quote(case_id, safe='')}/list-summary")
        statuses = statuses_of(api, [case_id])
    if as_json:
        json_line(found | {"case_status": statuses.get(case_id)})
        return
    show_ended(statuses, session, screen())
    show_summary(found, session, screen())
