"""`truyvet case register | show | list`, over the HTTP API; `case_changes` has the others."""

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli import case_changes, case_entries, case_runs, case_venues
from console.cli.case_options import (
    AlthoughOpen,
    IsolatedAt,
    NegativeAt,
    Onset,
    OpenStatus,
    ResultOn,
    SampledOn,
    Symptoms,
    said,
)
from console.cli.case_shown import STATUSES, show_case
from console.cli.case_text import day, local, point_of
from console.cli.out import json_line, line, note, screen
from console.cli.session import Json, Session, session_of
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.cli.api import Api


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Ca bệnh: đăng ký, sửa, đóng, huỷ. / Cases: register, amend, close, void.",
    )
    group.command("register", help="Đăng ký ca bệnh và truy vết. / Register a case; it is traced.")(
        register
    )
    group.command("show", help="Xem một ca. / One case.")(show)
    group.command("list", help="Các ca. / Cases, the newest first.")(list_)
    case_changes.add_to(group)
    case_entries.add_to(group)
    case_venues.add_to(group)
    case_runs.add_to(group)
    app.add_typer(group, name="case")


def register(
    context: typer.Context,
    person: Annotated[
        str | None, typer.Option(help="13 ký tự. / The pseudonym, 13 characters.")
    ] = None,
    symptoms: Symptoms = None,
    onset: Onset = None,
    sampled_on: SampledOn = None,
    result_on: ResultOn = None,
    isolated_at: IsolatedAt = None,
    negative_at: NegativeAt = None,
    ward: Annotated[
        str, typer.Option(help="Mã xã, phường, thị trấn. / Code of the ward.")
    ] = "unknown",
    status: Annotated[
        OpenStatus, typer.Option(help="Xác định hay nghi ngờ. / Confirmed or suspected.")
    ] = OpenStatus.CONFIRMED,
    point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLACE,FROM,TO,SOURCE",
            help="Mốc dịch tễ; nhiều lần được, có thể không kèm người. / "
            "A place-time point; repeatable, also without a person.",
        ),
    ] = None,
    rule_set: Annotated[
        str | None, typer.Option(help="Bộ quy tắc, nếu không lấy bộ mới nhất. / Rule-set.")
    ] = None,
    although_open: AlthoughOpen = False,
    request_key: Annotated[
        str | None, typer.Option(help="Gửi lại không tạo ca thứ hai. / Kept in retries.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Chờ truy vết xong. / Wait until it is traced.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Times without a zone are Asia/Ho_Chi_Minh."""
    from console.cli.api import Api

    session = session_of(context)
    if person is None and not point:
        raise UserError("Thiếu --person hoặc --point. / Give --person, or --point, or both.")
    body = said(
        person=person, symptoms=symptoms, onset=onset, sampled_on=sampled_on, result_on=result_on,
        isolated_at=isolated_at, negative_at=negative_at, ward=ward, status=status,
        rule_set=rule_set,
        points=[point_of("--point", text) for text in point] if point else None,
        although_open=although_open or None,
    )  # fmt: skip
    with Api(session.settings()) as api:
        case = _registered(api, body, request_key or str(uuid.uuid4()), session)
        if wait:
            from console.cli.tracing import wait_until_traced

            wait_until_traced(api, case["id"])
    if as_json:
        json_line(case)
        return
    show_case(case, session)
    note(
        session.words(
            f"Tiếp theo: `truyvet contacts {case['id']}`.",
            f"Next: `truyvet contacts {case['id']}`.",
        )
    )


def _registered(api: "Api", body: Any, request_key: str, session: Session) -> Any:
    try:
        return api.post("/v1/cases", body, request_key)
    except KeyboardInterrupt:
        note(
            session.lines(
                "Có thể ca đã được đăng ký: xem `truyvet case list`, hoặc gửi lại với "
                f"--request-key {request_key}.",
                "The case may have been registered: see `truyvet case list`, or send it again with "
                f"--request-key {request_key}.",
            )
        )
        raise


def show(
    context: typer.Context,
    case_id: Annotated[str, typer.Argument(metavar="CASE")],
    as_json: Json = False,
) -> None:
    """The case as it stands."""
    from urllib.parse import quote

    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        case = api.get(f"/v1/cases/{quote(case_id, safe='')}")
    if as_json:
        json_line(case)
    else:
        show_case(case, session)


def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Json = False,
) -> None:
    """The newest first."""
    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        found = api.get("/v1/cases", limit=limit)
    if as_json:
        json_line(found)
        return
    if not found["cases"]:
        line(session.words("Chưa có ca nào.", "There are no cases yet."))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    names = (("ca", "case"), ("người", "person"), ("trạng thái", "status"))
    dates = (("khởi phát", "onset"), ("địa bàn", "ward"), ("đăng ký", "registered"))
    for vi, en in (*names, *dates):
        table.add_column(session.lines(vi, en))
    for case in found["cases"]:
        table.add_row(
            case["id"],
            case["person"] or session.words("mốc dịch tễ", "points"),
            session.words(*STATUSES[case["status"]]),
            day(case["onset"] or case["sampled_on"]),
            case["ward"],
            local(case["registered_at"]),
        )
    screen().print(table)
