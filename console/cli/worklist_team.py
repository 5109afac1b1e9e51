"""`truyvet list today | triage | hand-over | duplicates …`: what a team does together."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from console.cli.list_status import show_ended, statuses_of
from console.cli.out import json_line, line, note, screen
from console.cli.session import Json, session_of
from console.cli.worklist_team_text import (
    HANDOVER_STATES,
    show_due,
    show_duplicates,
    show_handovers,
    show_triage,
)
from console.cli.worklist_text import CaseId, Note, Person

Cases = Annotated[
    list[str] | None,
    typer.Option("--case", help="Chỉ các ca này; nhiều lần được. / Only these; repeatable."),
]
Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1)]


def add_to(group: typer.Typer) -> None:
    """These commands."""
    group.command("today", help="Hôm nay phải thăm ai. / Who is due or overdue today.")(today)
    group.command("triage", help="Gọi ai trước, theo sức của ngày. / Whom to call first.")(triage)
    group.command("hand-over", help="Bàn giao nơi khác. / Hand a contact to another area.")(hand)
    group.command("hand-overs", help="Các bàn giao. / Hand-overs from here and to here.")(listed)
    for word, vi, en in (
        ("accept", "Nhận bàn giao", "Accept a hand-over"),
        ("refuse", "Từ chối bàn giao", "Refuse a hand-over"),
        ("withdraw", "Rút lại bàn giao", "Withdraw a hand-over"),
    ):
        group.command(word, help=f"{vi}. / {en}.")(_answering(word))
    group.command("duplicates", help="Ai có thể là một người. / Who may be one person.")(duplicates)
    group.command("same", help="Hai mã là một người. / Two are one person; the first is kept.")(
        _deciding(True)
    )
    group.command("different", help="Hai mã là hai người. / Two are two persons.")(_deciding(False))


def today(
    context: typer.Context,
    everybody: Annotated[
        bool, typer.Option("--all", help="Cả người đã thăm. / Also those who are done.")
    ] = False,
    assigned_to: Annotated[str | None, typer.Option(metavar="KEY")] = None,
    as_json: Json = False,
) -> None:
    """Over all cases of the area: symptoms first, then overdue, then due."""
    from console.cli.api import Api

    session = session_of(context)
    wanted = {"state": "all" if everybody else "open", "limit": 1000}
    if assigned_to:
        wanted["assigned_to"] = assigned_to
    contacts: list[dict[str, Any]] = []
    with Api(session.settings()) as api:
        page = api.get("/v1/follow-up", **wanted)
        contacts += page["contacts"]
        while page["next"]:
            page = api.get("/v1/follow-up", **(wanted | {"after": page["next"]}))
            contacts += page["contacts"]
        statuses = statuses_of(api, (contact["case"] for contact in contacts))
    if as_json:
        json_line({"day": page["day"], "contacts": contacts, "case_statuses": statuses})
        return
    show_ended(statuses, session, screen())
    show_due(page["day"], contacts, session, screen())


def triage(
    context: typer.Context,
    capacity: Annotated[
        int, typer.Option(min=1, max=10_000, help="Hôm nay gọi được bao nhiêu người. / Calls.")
    ],
    case: Cases = None,
    as_json: Json = False,
) -> None:
    """In order, cut at the capacity; what is left out, and why."""
    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        found = api.get("/v1/triage", capacity=capacity, case=case or [])
        statuses = statuses_of(api, case or [])
    if as_json:
        json_line(found | {"case_statuses": statuses})
        return
    show_ended(statuses, session, screen())
    show_triage(found, session, screen())


def hand(
    context: typer.Context,
    case_id: CaseId,
    who: Person,
    to: Annotated[str, typer.Argument(metavar="AREA", help="ward/…, district/…, city/…")],
    words: Note = None,
    as_json: Json = False,
) -> None:
    """Until it is accepted you stay responsible."""
    path = f"/v1/cases/{quote(case_id, safe='')}/list/{quote(who, safe='')}/hand-overs"
    _handed(context, path, {"to": to} | ({"note": words} if words else {}), as_json)


def _answering(word: str) -> Any:
    def answer(
        context: typer.Context, number: Number, words: Note = None, as_json: Json = False
    ) -> None:
        body = {"note": words} if words else {}
        _handed(context, f"/v1/hand-overs/{number}/{word}", body, as_json)

    return answer


def _handed(context: typer.Context, path: str, body: dict[str, Any], as_json: bool) -> None:
    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        found = api.send("POST", path, body)
    if as_json:
        json_line(found)
        return
    state = session.words(*HANDOVER_STATES[found["state"]])
    line(f"{found['id']}: {found['person']} ({found['case']}) → {found['to']}: {state}")


def listed(
    context: typer.Context,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Chỉ những bàn giao đang chờ. / Only pending ones.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: Json = False,
) -> None:
    """The newest first."""
    from console.cli.api import Api

    session = session_of(context)
    wanted = {"state": "pending"} if waiting else {}
    with Api(session.settings()) as api:
        found = api.get("/v1/hand-overs", limit=limit, **wanted)
    if as_json:
        json_line(found)
        return
    show_handovers(found["hand_overs"], session, screen())


def duplicates(context: typer.Context, case_id: CaseId, as_json: Json = False) -> None:
    """Scanned together again and again: a card and a phone, or two who go together."""
    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        found = api.get(f"/v1/cases/{quote(case_id, safe='')}/duplicates")
        statuses = statuses_of(api, [case_id])
    if as_json:
        json_line(found | {"case_status": statuses.get(case_id)})
        return
    show_ended(statuses, session, screen())
    show_duplicates(found, session, screen())


def _deciding(same: bool) -> Any:
    def decide(
        context: typer.Context,
        case_id: CaseId,
        keep: Annotated[str, typer.Argument(metavar="PERSON")],
        other: Annotated[str, typer.Argument(metavar="OTHER")],
        words: Note = None,
        as_json: Json = False,
    ) -> None:
        from console.cli.api import Api

        session = session_of(context)
        body: dict[str, Any] = {"keep": keep, "other": other, "same": same}
        if words:
            body["note"] = words
        with Api(session.settings()) as api:
            path = f"/v1/cases/{quote(case_id, safe='')}/duplicates"
            found = api.send("POST", path, body)
        if as_json:
            json_line(found)
        elif same:
            line(session.words(f"{other} là {keep}.", f"{other} is {keep}."))
            note(session.words(f"Từ nay làm việc với {keep}.", f"{keep} is worked from now on."))
        else:
            vi, en = f"{keep} và {other} là hai người.", f"{keep} and {other} are two persons."
            line(session.words(vi, en))

    return decide
