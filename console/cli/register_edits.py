"""`truyvet sites edit`, `truyvet places show | edit | close`: the same edits as over HTTP."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.out import json_line, line
from console.cli.postings import add_report
from console.cli.register_text import show_place, show_place_fields, show_site, step_text
from console.cli.session import BY, Json, Session, session_of, store_of
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.api.register_schemas import EditPlace, EditSite
    from issuer.kinds import Level

SiteId = Annotated[int, typer.Argument(metavar="SITE", min=1, help="Số cơ sở. / Its number.")]
PlaceId = Annotated[int, typer.Argument(metavar="PLACE", min=1, help="Số điểm quét. / Its number.")]
Name = Annotated[str | None, typer.Option(help="Tên. / Name.")]
Kind = Annotated[str | None, typer.Option(help="Loại: market, bus, … / Kind.")]
Sector = Annotated[str | None, typer.Option(help="Ngành: health, … / Sector.")]
Note = Annotated[str | None, typer.Option("--note", help="Ghi vào lịch sử. / For the history.")]
Version = Annotated[
    int | None,
    typer.Option(min=1, help="Chỉ sửa khi còn ở phiên bản này. / Only if still at this version."),
]
Clear = Annotated[
    list[str] | None, typer.Option("--clear", help="Bỏ trống trường này. / Take a field away.")
]


def add_edit(group: typer.Typer) -> None:
    """`edit`, of the sites."""
    group.command("edit", help="Sửa một cơ sở. / Change a site.")(edit_site)


def add_to(app: typer.Typer) -> None:
    """`places`."""
    group = typer.Typer(no_args_is_help=True, help="Điểm quét. / Places.")
    group.command("show", help="Một điểm quét và lịch sử. / One, with its history.")(show)
    group.command("edit", help="Sửa một điểm quét. / Change a place.")(edit_place)
    add_report(group)
    group.command("close", help="Đóng, thu hồi mã. / Close it; its codes are revoked.")(close)
    app.add_typer(group, name="places")


def edit_site(
    context: typer.Context,
    site_id: SiteId,
    name: Name = None,
    address: Annotated[str | None, typer.Option(help="Địa chỉ. / Address.")] = None,
    ward: Annotated[str | None, typer.Option(help="Chuyển sang xã, phường. / Move to.")] = None,
    kind: Kind = None,
    sector: Sector = None,
    clear: Clear = None,
    version: Version = None,
    note_: Note = None,
    as_json: Json = False,
) -> None:
    """Only what is named changes. Its places go with it to another ward; codes stay."""
    from console.api.register_schemas import EditSite
    from console.store.edits import edit_site as edit
    from console.store.history import What, Why
    from issuer.kinds import Level

    given = {"name": name, "address": address, "ward": ward, "kind": kind, "sector": sector}
    changes = _checked(EditSite, given, clear, Level.PLACE)
    session = session_of(context)
    why = Why(BY, What.EDIT, note_)
    with store_of(session) as store:
        after = edit(store, site_id, changes, why, on_version=version)
    if as_json:
        json_line({"site": after.model_dump(mode="json")})
    else:
        show_site(after, session)


def edit_place(
    context: typer.Context,
    place_id: PlaceId,
    name: Name = None,
    kind: Kind = None,
    hours: Annotated[
        str | None, typer.Option(help="7h30-22h, 24/24. / Opening hours, local.")
    ] = None,
    capacity: Annotated[int | None, typer.Option(help="Sức chứa, người. / People.")] = None,
    usual_stay: Annotated[
        int | None, typer.Option(help="Thường ở lại, phút. / Usual stay, minutes.")
    ] = None,
    enclosed: Annotated[
        bool | None, typer.Option("--enclosed/--open", help="Kín hay thoáng. / Walls and a roof?")
    ] = None,
    small: Annotated[
        bool | None, typer.Option("--small/--large", help="Hẹp hay rộng. / Small or not.")
    ] = None,
    gate: Annotated[
        bool | None, typer.Option("--gate/--no-gate", help="Chỉ là lối qua. / Only a gate.")
    ] = None,
    within: Annotated[
        int | None,
        typer.Option(help="Nằm trong điểm quét số. / The place around it, as a room's building."),
    ] = None,
    sector: Sector = None,
    clear: Clear = None,
    version: Version = None,
    note_: Note = None,
    as_json: Json = False,
) -> None:
    """Only what is named changes; with another kind, what the kind says of it."""
    from console.api.register_schemas import EditPlace
    from console.sitelist.values import Unclear, hours_of
    from console.store.edits import edit_place as edit
    from console.store.history import What, Why
    from issuer.kinds import Level

    try:
        opening = hours_of(hours) if hours else None
    except Unclear as error:
        raise UserError(f"--hours: {error.vi}. / --hours: {error.en}.") from None
    given = {
        "name": name, "kind": kind, "hours": opening, "capacity": capacity, "sector": sector,
        "usual_stay": usual_stay, "enclosed": enclosed, "small": small, "gate": gate,
        "within": within,
    }  # fmt: skip
    changes = _checked(EditPlace, given, clear, Level.SITE)
    session = session_of(context)
    why = Why(BY, What.EDIT, note_)
    with store_of(session) as store:
        after = edit(store, place_id, changes, why, on_version=version)
    _tell_place(after, session, as_json)


def close(
    context: typer.Context,
    place_id: PlaceId,
    reason: Annotated[str, typer.Option(help="Lý do, ghi vào lịch sử. / Why, for the history.")],
    as_json: Json = False,
) -> None:
    """Scans so far stay traceable; scans from now on are refused."""
    from console.store.edits import close_place
    from console.store.history import What, Why

    if not reason.strip():
        raise UserError("--reason: cần lý do. / --reason: a reason is needed.")
    session = session_of(context)
    why = Why(BY, What.CLOSE, reason)
    with store_of(session) as store:
        after = close_place(store, place_id, why)
    _tell_place(after, session, as_json)


def show(context: typer.Context, place_id: PlaceId, as_json: Json = False) -> None:
    """With its codes, and what was changed of it."""
    from console.store import history, sites

    session = session_of(context)
    with store_of(session) as store:
        place = sites.place(store, place_id)
        steps = history.steps(store, "place", place_id)
    if place is None:
        raise UserError(f"Không có điểm quét {place_id}. / There is no place {place_id}.")
    if as_json:
        json_line(
            {"place": place.model_dump(mode="json"), "history": [vars(step) for step in steps]}
        )
        return
    show_place(place, session)
    show_place_fields(place, session)
    for step in steps:
        line(step_text(step))


def _checked(
    schema: "type[EditSite | EditPlace]",
    given: dict[str, Any],
    clear: list[str] | None,
    not_of: "Level",
) -> dict[str, Any]:
    """The fields to change, held to what the API holds them to. Raises UserError naming options."""
    from pydantic import ValidationError

    from console.editcheck import wrong_in
    from console.wordings import problem_said

    named = {field: value for field, value in given.items() if value is not None}
    for option in clear or ():
        field = option.replace("-", "_")
        if field not in given:
            there = ", ".join(given)
            raise UserError(
                f"--clear: không có trường {option}. / --clear: no field {option}; there are "
                f"{there}."
            )
        if field in named:
            raise UserError(f"--clear {option}: vừa ghi vừa bỏ. / --clear {option}: both.")
        named[field] = None
    try:
        body = schema.model_validate(named)
    except ValidationError as error:
        said = [(_option(str(e["loc"][0])), *problem_said(e)) for e in error.errors()]
        vi = " ".join(f"{option}: {one}" for option, one, _ in said)
        en = " ".join(f"{option}: {one}" for option, _, one in said)
        raise UserError(f"{vi} / {en}") from None
    if wrong := wrong_in(named, not_of):
        vi = " ".join(f"{_option(one.field)}: {one.vi}" for one in wrong)
        en = " ".join(f"{_option(one.field)}: {one.en}" for one in wrong)
        raise UserError(f"{vi} / {en}")
    return {field: getattr(body, field) for field in named}


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def _tell_place(place: Any, session: Session, as_json: bool) -> None:
    if as_json:
        json_line({"place": place.model_dump(mode="json", exclude={"codes"})})
    else:
        show_place(place, session)
        show_place_fields(place, session)
