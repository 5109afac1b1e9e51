"""`truyvet case runs | changes`, over the HTTP API: earlier runs, and what changed with one."""

from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from console.cli.case_changes import CaseId
from console.cli.out import json_line
from console.cli.session import Json, session_of

_SHOWN: Final = 50
_PAGE: Final = 500


def add_to(group: typer.Typer) -> None:
    """These commands."""
    group.command("runs", help="Các lần truy vết của ca. / The runs of a case, newest first.")(runs)
    group.command(
        "changes", help="Ai thêm, đổi, rút, vì sao. / Who was added, changed, withdrawn, and why."
    )(changes)


def runs(
    context: typer.Context,
    case_id: CaseId,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Bao nhiêu. / How many.")] = 20,
    before: Annotated[
        int | None, typer.Option(min=1, help="Chỉ những lần trước số này. / Only earlier ones.")
    ] = None,
    as_json: Json = False,
) -> None:
    """When each was stored, what made it, and how many it found. Times are Asia/Ho_Chi_Minh."""
    from console.cli.api import Api
    from console.cli.case_runs_text import show_runs

    session = session_of(context)
    asked = {"limit": limit} | ({"before": before} if before else {})
    with Api(session.settings()) as api:
        found = api.get(f"{_path(case_id)}/runs", **asked)
    if as_json:
        json_line(found)
    else:
        show_runs(found, session)


def changes(
    context: typer.Context,
    case_id: CaseId,
    run: Annotated[
        int | None,
        typer.Option(min=1, help="Lần truy vết nào; bỏ trống: mới nhất. / Which run; the newest."),
    ] = None,
    against: Annotated[
        int | None,
        typer.Option(min=1, help="So với lần nào; bỏ trống: lần trước. / With which earlier run."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Bao nhiêu người ({_SHOWN}; --json: tất cả). / How many."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Against the run before it, or an earlier one. Times are Asia/Ho_Chi_Minh."""
    from console.cli.api import Api
    from console.cli.case_runs_text import no_runs, places_in, show_changes
    from console.cli.tracing import places_named

    session = session_of(context)
    wanted = limit if limit is not None or as_json else _SHOWN
    with Api(session.settings()) as api:
        if run is None:
            newest = api.get(f"{_path(case_id)}/runs", limit=1)["runs"]
            if not newest:
                raise no_runs(case_id)
            run = newest[0]["run"]
        found = _all(api, f"{_path(case_id)}/runs/{run}/changes", against, wanted)
        if as_json:
            json_line(found)
            return
        places = places_named(api, places_in(found["changes"]))
    show_changes(found, places, session)


def _all(api: Any, path: str, against: int | None, wanted: int | None) -> dict[str, Any]:
    """The answer with up to `wanted` changes (None: all), page after page."""
    asked: dict[str, Any] = {"against": against} if against else {}
    answer: dict[str, Any] = {}
    found: list[Any] = []
    while not answer or (answer["next"] and (wanted is None or len(found) < wanted)):
        after = {"after": answer["next"]} if answer else {}
        room = _PAGE if wanted is None else min(_PAGE, wanted - len(found))
        answer = api.get(path, **asked, **after, limit=room)
        found += answer["changes"]
    return answer | {"changes": found}


def _path(case_id: str) -> str:
    return f"/v1/cases/{quote(case_id, safe='')}"
