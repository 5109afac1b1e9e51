"""`truyvet sites list | show | close | merge`: the register; `site_import` has the lists,
`register_edits` the edits.

They work on the database itself; the console's relay publishes what they change.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.out import json_line, line, note
from console.cli.register_edits import add_edit
from console.cli.register_text import show_place, show_site, state_text, step_text
from console.cli.session import BY, Json, session_of
from console.cli.site_import import add_import
from console.cli.site_regroup import add_regroup
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.store.history import What
    from schemas.places import Site

SiteId = Annotated[int, typer.Argument(metavar="SITE", min=1, help="Số cơ sở. / Its number.")]
Reason = Annotated[str, typer.Option(help="Lý do, ghi vào lịch sử. / Why, for the history.")]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(no_args_is_help=True, help="Cơ quan, đơn vị, cơ sở. / Sites.")
    group.command("list", help="Các cơ sở. / Sites, by number.")(list_)
    group.command("show", help="Một cơ sở và các điểm quét. / One, with its places.")(show)
    group.command("close", help="Đóng cơ sở, thu hồi mã. / Close it; its codes are revoked.")(close)
    group.command("merge", help="Gộp vào cơ sở khác. / Merge it into another; codes stay.")(merge)
    add_edit(group)
    add_import(group)
    add_regroup(group)
    app.add_typer(group, name="sites")


def list_(
    context: typer.Context,
    ward: Annotated[
        list[str] | None,
        typer.Option(help="Xã, phường; nhiều lần được. / Of this ward; repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1_000,
    after: Annotated[int, typer.Option(help="Chỉ số lớn hơn. / Numbers above this.")] = 0,
    as_json: Json = False,
) -> None:
    """With how many places each has that are not closed."""
    from console.store.engine import open_store
    from console.store.site_list import list_sites

    session = session_of(context)
    store = open_store(session.settings())
    try:
        found = list_sites(store, ward or None, limit=limit + 1, after=after)
    finally:
        store.close()
    more, found = len(found) > limit, found[:limit]
    if as_json:
        rows = [{**one.site.model_dump(mode="json"), "places": one.places} for one in found]
        json_line({"sites": rows, "more": more})
        return
    for one in found:
        places = session.words(f"{one.places} điểm quét", f"{one.places} places")
        state = state_text(one.site, session)
        line(f"#{one.site.id:<7} {one.site.ward:<7} {one.site.name}  ({state}, {places})")
    if not found:
        note(session.words("Không có cơ sở nào.", "There are no such sites."))
    if more:
        last = found[-1].site.id
        note(session.words(f"Còn nữa: --after {last}", f"There are more: --after {last}"))


def show(context: typer.Context, site_id: SiteId, as_json: Json = False) -> None:
    """Its places with their codes, and what was changed of it."""
    from console.store import history, sites
    from console.store.engine import open_store
    from console.store.site_list import places_of_site

    session = session_of(context)
    store = open_store(session.settings())
    try:
        site = sites.site(store, site_id)
        if site is None:
            raise UserError(f"Không có cơ sở {site_id}. / There is no site {site_id}.")
        places = places_of_site(store, site_id)
        steps = history.steps(store, "site", site_id)
    finally:
        store.close()
    if as_json:
        document: dict[str, Any] = {"site": site.model_dump(mode="json")}
        document["places"] = [place.model_dump(mode="json") for place in places]
        document["history"] = [vars(step) for step in steps]
        json_line(document)
        return
    show_site(site, session)
    for place in places:
        show_place(place, session)
    for step in steps:
        line(step_text(step))


def close(context: typer.Context, site_id: SiteId, reason: Reason, as_json: Json = False) -> None:
    """With all its places. Scans so far stay traceable; scans from now on are refused."""
    from console.store.edits import close_site
    from console.store.history import What

    _end(context, lambda store, why: close_site(store, site_id, why), What.CLOSE, reason, as_json)


def merge(
    context: typer.Context,
    site_id: SiteId,
    into: Annotated[int, typer.Option(min=1, help="Cơ sở giữ lại. / The one that stays.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """The other takes its places over, with their numbers and codes: posters go on working."""
    from console.store.edits import merge_site
    from console.store.history import What

    def end(store: Any, why: Any) -> "Site":
        return merge_site(store, site_id, into, why)

    _end(context, end, What.MERGE, reason, as_json)


def _end(context: typer.Context, end: Any, what: "What", reason: str, as_json: bool) -> None:
    from console.store.engine import open_store
    from console.store.history import Why

    if not reason.strip():
        raise UserError("--reason: cần lý do. / --reason: a reason is needed.")
    session = session_of(context)
    store = open_store(session.settings())
    try:
        site = end(store, Why(BY, what, reason))
    finally:
        store.close()
    if as_json:
        json_line({"site": site.model_dump(mode="json")})
    else:
        show_site(site, session)
