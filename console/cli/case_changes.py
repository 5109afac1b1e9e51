"""`truyvet case amend | close | reopen | void`, over the HTTP API."""

from typing import Annotated, Any, Final

import typer

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
from console.cli.case_shown import show_case
from console.cli.out import json_line
from console.cli.session import Json, session_of
from schemas.errors import UserError

_REMOVABLE: Final = (
    "symptoms", "onset", "sampled_on", "result_on", "isolated_at", "negative_at",
    "rule_set",
)  # fmt: skip
CaseId = Annotated[str, typer.Argument(metavar="CASE")]
Ward = Annotated[str | None, typer.Option(help="Mã xã, phường, thị trấn. / Code of the ward.")]
RuleSet = Annotated[str | None, typer.Option(help="Bộ quy tắc. / Rule-set.")]
Remove = Annotated[
    list[str] | None,
    typer.Option(help="Bỏ trống trường này; nhiều lần được. / Take this field away; repeatable."),
]
OnVersion = Annotated[
    int | None,
    typer.Option(min=1, help="Chỉ khi ca còn ở phiên bản này. / Only if still at this version."),
]
Reason = Annotated[str | None, typer.Option(help="Lý do, không ghi tên người. / Why; no names.")]


def add_to(group: typer.Typer) -> None:
    """These commands."""
    group.command("amend", help="Sửa ca; truy vết lại. / Amend a case; it is traced again.")(amend)
    group.command("close", help="Đóng ca. / Close a case: followed to its end.")(close)
    group.command("reopen", help="Mở lại ca đã đóng. / Open a closed case again.")(reopen)
    group.command("void", help="Huỷ ca đăng ký nhầm. / Void a case registered in error.")(void)


def amend(
    context: typer.Context,
    case_id: CaseId,
    symptoms: Symptoms = None,
    onset: Onset = None,
    sampled_on: SampledOn = None,
    result_on: ResultOn = None,
    isolated_at: IsolatedAt = None,
    negative_at: NegativeAt = None,
    ward: Ward = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Từ nghi ngờ thành xác định. / Suspected: confirmed.")
    ] = False,
    rule_set: RuleSet = None,
    remove: Remove = None,
    on_version: OnVersion = None,
    as_json: Json = False,
) -> None:
    """Only what is named changes. Officers are told who is added, changed or withdrawn, and why."""
    given = said(
        symptoms=symptoms, onset=onset, sampled_on=sampled_on, result_on=result_on,
        isolated_at=isolated_at, negative_at=negative_at, ward=ward, rule_set=rule_set,
        status="confirmed" if confirm else None,
    )  # fmt: skip
    body = _without(given, remove)
    if not body:
        raise UserError("Chưa nêu gì để sửa. / Nothing is named that should change.")
    if on_version is not None:
        body["version"] = on_version
    change(context, "PATCH", case_id, "", body, as_json)


def close(
    context: typer.Context, case_id: CaseId, reason: Reason = None, as_json: Json = False
) -> None:
    """It is watched no longer; what was found stays."""
    change(context, "POST", case_id, "/close", {"reason": reason}, as_json)


def reopen(
    context: typer.Context,
    case_id: CaseId,
    status: Annotated[
        OpenStatus, typer.Option(help="Là ca xác định hay nghi ngờ. / As confirmed or suspected.")
    ],
    symptoms: Symptoms = None,
    onset: Onset = None,
    sampled_on: SampledOn = None,
    result_on: ResultOn = None,
    isolated_at: IsolatedAt = None,
    negative_at: NegativeAt = None,
    ongoing: Annotated[
        bool,
        typer.Option("--ongoing", help="Thời kỳ lây truyền chưa hết. / Infectious still."),
    ] = False,
    although_open: AlthoughOpen = False,
    ward: Ward = None,
    rule_set: RuleSet = None,
    remove: Remove = None,
    on_version: OnVersion = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """It is traced and watched again, and can be corrected: a list of places that came later."""
    given = said(
        symptoms=symptoms, onset=onset, sampled_on=sampled_on, result_on=result_on,
        isolated_at=isolated_at, negative_at=negative_at, ward=ward, rule_set=rule_set,
        status=status, ongoing=ongoing, although_open=although_open or None, reason=reason,
        version=on_version,
    )  # fmt: skip
    change(context, "POST", case_id, "/reopen", _without(given, remove), as_json)


def void(
    context: typer.Context, case_id: CaseId, reason: Reason = None, as_json: Json = False
) -> None:
    """Everybody on its call list is withdrawn. It cannot be opened again."""
    change(context, "POST", case_id, "/void", {"reason": reason}, as_json)


def _without(given: dict[str, Any], remove: list[str] | None) -> dict[str, Any]:
    """What is given, and null for what is to be taken away. Raises UserError."""
    for field in remove or ():
        if field not in _REMOVABLE or field in given:
            raise UserError(
                f"--remove {field}: chỉ bỏ được {', '.join(_REMOVABLE)}, và không đồng thời đặt. / "
                f"--remove {field}: one of {', '.join(_REMOVABLE)}, and not also set."
            )
    return given | dict.fromkeys(remove or ())


def change(
    context: typer.Context,
    method: str,
    case_id: str,
    what: str,
    body: dict[str, Any],
    as_json: bool,
) -> None:
    """Ask the API to change the case, and show it as it stands then."""
    from urllib.parse import quote

    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        case = api.send(method, f"/v1/cases/{quote(case_id, safe='')}{what}", body)
    if as_json:
        json_line(case)
    else:
        show_case(case, session)
