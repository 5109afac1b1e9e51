"""`truyvet list decide | visit | assign | convert`: what an officer says of one contact."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from console.cli.case_options import Onset, ResultOn, SampledOn, Symptoms
from console.cli.case_shown import show_case
from console.cli.list_status import show_ended, statuses_of
from console.cli.out import json_line, note, screen
from console.cli.session import Json, Session, session_of
from console.cli.worklist_text import CaseId, Note, Person, show_contact
from console.worklist.axes import (
    Category,
    Classification,
    FollowUp,
    Reachability,
    VisitResult,
)
from schemas.errors import UserError

NOTHING = "none"


def add_to(group: typer.Typer) -> None:
    """These commands."""
    group.command("decide", help="Trả lời câu hỏi, kết luận. / Answer the questions, decide.")(
        decide
    )
    group.command("visit", help="Ghi lần thăm trong ngày. / Record a day's visit.")(visit)
    group.command("assign", help="Giao cho cán bộ. / Who works it.")(assign)
    group.command("convert", help="Người này đã thành ca bệnh. / Became a case.")(convert)


def decide(
    context: typer.Context,
    case_id: CaseId,
    who: Person,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="Q=yes|no|unknown|none",
            help="Trả lời của một câu hỏi; nhiều lần được. / One question's answer; repeatable.",
        ),
    ] = None,
    classification: Annotated[
        Classification | None, typer.Option(help="Có phải tiếp xúc. / Whether it is a contact.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(metavar="ACTIVE|DROPPED", help="Còn việc không. / Work left?")
    ] = None,
    follow_up: Annotated[
        FollowUp | None, typer.Option(help="Theo dõi 14 ngày. / Followed for 14 days.")
    ] = None,
    category: Annotated[Category | None, typer.Option(help="Nhóm nguy cơ. / Risk.")] = None,
    reachable: Annotated[
        Reachability | None, typer.Option(help="Liên lạc bằng cách nào. / How to reach.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD", help="Bỏ trống: follow_up, category, reachability. / Take away."
        ),
    ] = None,
    words: Note = None,
    on_version: Annotated[
        int | None, typer.Option(min=0, help="Chỉ khi còn ở phiên bản này. / Only if still at it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The answers say which clauses they fulfil or exclude; the classification is yours."""
    body: dict[str, Any] = {
        name: value
        for name, value in {
            "classification": classification,
            "status": status,
            "follow_up": follow_up,
            "category": category,
            "reachability": reachable,
            "note": words,
        }.items()
        if value is not None
    }
    if answer:
        body["answers"] = dict(_answer(text) for text in answer)
    for field in remove or ():
        if field not in ("follow_up", "category", "reachability") or field in body:
            raise UserError(
                f"--remove {field}: chỉ bỏ được follow_up, category, reachability, và không đồng "
                f"thời đặt. / --remove {field}: one of follow_up, category, reachability, and not "
                "also set."
            )
        body[field] = None
    if not body:
        raise UserError("Chưa nêu gì để ghi. / Nothing is named that should change.")
    if on_version is not None:
        body["version"] = on_version
    _changed(context, "PATCH", _path(case_id, who), body, as_json)


def _answer(text: str) -> tuple[str, str | None]:
    question, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not question or not value:
        raise UserError(
            f"--answer {text!r}: viết như masks=no. / --answer {text!r}: write it as masks=no."
        )
    return question, None if value == NOTHING else value


def visit(
    context: typer.Context,
    case_id: CaseId,
    who: Person,
    result: Annotated[VisitResult, typer.Option(help="Kết quả. / What came of it.")],
    day: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Mặc định: hôm nay. / Today.")
    ] = None,
    symptoms: Annotated[
        bool | None,
        typer.Option("--symptoms/--no-symptoms", help="Có triệu chứng không. / Symptoms."),
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="°C.")] = None,
    words: Note = None,
    as_json: Json = False,
) -> None:
    """One a day; entered again, it is corrected."""
    from console.store.engine import utc_now
    from schemas.clock import LOCAL

    when = day or f"{utc_now().astimezone(LOCAL):%Y-%m-%d}"
    body = {
        "result": result,
        "symptoms": symptoms,
        "temperature": temperature,
        "note": words,
    }
    path = f"{_path(case_id, who)}/visits/{quote(when, safe='')}"
    given = {name: value for name, value in body.items() if value is not None}
    _changed(context, "PUT", path, given, as_json)


def assign(
    context: typer.Context,
    case_id: CaseId,
    who: Person,
    to: Annotated[
        str, typer.Argument(metavar="KEY|none", help="Như key/7; none: không ai. / Or nobody.")
    ],
    words: Note = None,
    as_json: Json = False,
) -> None:
    """By the account's key as records name it; never a person's name."""
    body = {"to": None if to == NOTHING else to} | ({"note": words} if words else {})
    _changed(context, "PUT", f"{_path(case_id, who)}/assignment", body, as_json)


def convert(
    context: typer.Context,
    case_id: CaseId,
    who: Person,
    case: Annotated[
        str | None, typer.Option(help="Ca đã đăng ký của người này. / Registered already.")
    ] = None,
    symptoms: Symptoms = None,
    onset: Onset = None,
    sampled_on: SampledOn = None,
    result_on: ResultOn = None,
    ward: Annotated[
        str | None, typer.Option(help="Mặc định: của ca ban đầu. / Default: the first case's.")
    ] = None,
    suspected: Annotated[
        bool, typer.Option("--suspected", help="Nghi ngờ, chưa xác định. / Not confirmed yet.")
    ] = False,
    words: Note = None,
    as_json: Json = False,
) -> None:
    """Registers the case and links it; what was done with the contact stays in its history."""
    from console.cli.api import Api

    session = session_of(context)
    fields = {
        "case": case,
        "symptoms": symptoms.value if symptoms else None,
        "onset": onset,
        "sampled_on": sampled_on,
        "result_on": result_on,
        "ward": ward,
        "status": "suspected" if suspected else None,
        "note": words,
    }
    body = {name: value for name, value in fields.items() if value is not None}
    with Api(session.settings()) as api:
        found = api.send("POST", f"{_path(case_id, who)}/convert", body)
    if as_json:
        json_line(found)
        return
    show_case(found["case"], session)
    became = found["case"]["id"]
    note(session.words(f"{who} → {became}", f"{who} became {became}"))


def _path(case_id: str, who: str) -> str:
    return f"/v1/cases/{quote(case_id, safe='')}/list/{quote(who, safe='')}"


def _changed(
    context: typer.Context, method: str, path: str, body: dict[str, Any], as_json: bool
) -> None:
    from console.cli.api import Api

    session: Session = session_of(context)
    with Api(session.settings()) as api:
        found = api.send(method, path, body)
        statuses = {} if as_json else statuses_of(api, [found["case"]])
    if as_json:
        json_line(found)
    else:
        show_ended(statuses, session, screen())
        show_contact(found, session, screen())
