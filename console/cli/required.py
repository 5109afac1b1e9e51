"""`truyvet required …`: lists of establishments that must have codes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.areas import City, District, Kind, Sector, Ward, asked_of
from console.cli.options import day_of, one_of
from console.cli.out import json_line, line, note, number, progress
from console.cli.session import BY, Json, Session, session_of, store_of
from console.cli.site_import import GOES_ON, show_refused, write_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.store.engine import Store as _Store

    Change = Callable[[_Store, str], None]
    from console.sitelist.requiring import RequiredPlan

ListId = Annotated[str, typer.Argument(metavar="LIST", help="Danh sách. / The list.")]
Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="Mục. / Its entry, or its beginning.")]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Danh sách cơ sở phải có mã. / Who must have codes."
    )
    group.command("import", help="Nhập danh sách. / Import a list; first a dry run.")(import_list)
    group.command("lists", help="Các danh sách. / All lists, with their keeper and day.")(lists)
    group.command("entries", help="Các mục của danh sách. / A list's entries.")(entries)
    group.command("suggest", help="Mục có thể đã đăng ký. / Entries likely registered.")(suggest)
    group.command("link", help="Mục là cơ sở này. / That an entry is this site.")(link)
    group.command("exempt", help="Mục không cần mã. / That an entry needs no code.")(exempt)
    group.command("withdraw", help="Thôi dùng danh sách. / A list no longer counts.")(withdraw)
    app.add_typer(group, name="required")


def import_list(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    keeper: Annotated[str, typer.Option(help="Cơ quan giữ danh sách. / Whose list it is.")],
    as_of: Annotated[str, typer.Option(help="Ngày của danh sách. / Its day: 2026-10-01.")],
    list_id: Annotated[
        str | None, typer.Option("--list", help="Tên ngắn; mặc định tên tệp. / A short name.")
    ] = None,
    name: Annotated[str, typer.Option(help="Tên đầy đủ. / Its title.")] = "",
    area: Annotated[
        str, typer.Option(help="Địa bàn của danh sách. / Whose list: city/31, district/…, ward/…")
    ] = "*",
    ward: Annotated[
        str | None, typer.Option(help="Khi không ghi. / Where none is written.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Khi không ghi. / Where none is written.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="name='Tên quán'. / A heading by hand.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Trang tính. / The workbook's sheet.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Nhập. / Import it.")] = False,
    without_refused: Annotated[
        bool, typer.Option("--without-refused", help="Bỏ dòng bị từ chối. / Leave them out.")
    ] = False,
    refused_to: Annotated[
        Path | None, typer.Option(help="Ghi các dòng bị từ chối ra CSV. / Refused rows as CSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Nothing is registered by it: coverage is measured against it."""
    from console.sitelist.linking import link_certain
    from console.sitelist.options import options_of
    from console.sitelist.requiring import list_of, plan_required
    from console.sitelist.run import check_refused
    from console.sitelist.sheet import rows_of
    from console.sitelist.understand import understand
    from console.store import required
    from console.store.engine import open_store

    session = session_of(context)
    options = options_of(area, ward, kind, column or [])
    with progress(session.words("đọc danh sách", "reading the list"), 0):
        made = plan_required(understand(rows_of(file, sheet), options))
    about = list_of(list_id or file.stem, name, keeper, day_of("--as-of", as_of), len(made.entries))
    if refused_to is not None:
        write_refused(refused_to, made.understood, rows_of(file, sheet))
    changed = linked = None
    if apply:
        check_refused(made.understood, without_refused)
        store = open_store(session.settings())
        try:
            label, total = session.words("nhập", "importing"), len(made.entries)
            with progress(label, total, session.words("mục", "entries")) as advance:
                changed = required.import_list(store, about, made.entries, BY, advance)
            linked = link_certain(store, sorted({entry.ward for entry in made.entries}))
        except KeyboardInterrupt:
            note(session.words(*GOES_ON))
            raise
        finally:
            store.close()
    if as_json:
        json_line(
            {
                "list": about.id,
                "applied": apply,
                "rows": len(made.understood.listed),
                "refused": [vars(one) for one in made.understood.refused],
                "entries": len(made.entries),
                "by_kind": dict(made.understood.by_kind().most_common()),
                "changed": changed,
                "linked": linked,
            }
        )
        return
    _show(session, made, changed, linked)


def lists(context: typer.Context, as_json: Json = False) -> None:
    """By id."""
    from console.store.required_reading import lists as known

    session = session_of(context)
    with store_of(session) as store:
        found = known(store)
    if as_json:
        json_line(
            {
                "lists": [
                    one.list.model_dump(mode="json")
                    | {"counted": one.counted, "linked": one.linked}
                    for one in found
                ]
            }
        )
        return
    for one in found:
        about = one.list
        gone = f"  ({session.words('đã thôi dùng', 'withdrawn')})" if about.withdrawn else ""
        line(f"{about.id}  {about.name}{gone}")
        line(f"    {about.keeper}, {about.as_of:%d/%m/%Y}")
        counts = number(one.counted), number(one.linked)
        vi, en = "{} cơ sở, {} đã đăng ký", "{} sites, {} registered"
        line(f"    {session.words(vi, en).format(*counts * 2)}")
    if not found:
        note(session.words("Chưa có danh sách nào.", "There is no list."))


def entries(
    context: typer.Context,
    list_id: ListId,
    state: Annotated[
        str | None, typer.Option(help="unlinked, linked, exempt: chưa có, đã có cơ sở, không cần.")
    ] = None,
    ward: Ward = None,
    district: District = None,
    city: City = None,
    sector: Sector = None,
    kind: Kind = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    after: Annotated[str, typer.Option(help="Tiếp sau mục này. / After this entry.")] = "",
    as_json: Json = False,
) -> None:
    """Each with the site registered for it, or why it needs none."""
    from console.cli.behind_text import show_entries
    from console.store.required_reading import State
    from console.store.required_reading import entries as entries_
    from issuer.units import ward_codes

    session = session_of(context)
    asked = asked_of(ward, district, city, sector, kind)
    wanted = one_of(State, "--state", state) if state is not None else None
    with store_of(session) as store:
        found = entries_(
            store, list_id, ward_codes(asked.area),
            limit=limit + 1, after=after, state=wanted, sector=sector, kind=kind,
        )  # fmt: skip
    show_entries(session, found, limit, as_json=as_json)


def suggest(
    context: typer.Context,
    list_id: ListId,
    ward: Ward = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000)] = 2_000,
    as_json: Json = False,
) -> None:
    """The likest first. Nothing is linked: `truyvet required link` does, when you have looked."""
    from console.sitelist.linking import suggested
    from console.store.required_reading import unregistered

    session = session_of(context)
    with store_of(session) as store:
        wards = [ward] if ward else None
        pairs = suggested(store, unregistered(store, wards, limit=limit, list_id=list_id))
    if as_json:
        rows = [
            {"entry": one.entry, "name": one.name, "address": one.address, "ward": one.ward,
             "site": pair.other.site, "site_name": pair.other.name, "likeness": pair.likeness}
            for one, pair in pairs
        ]  # fmt: skip
        json_line({"list": list_id, "suggested": rows})
        return
    for one, pair in pairs:
        line(f"{pair.likeness:>3} %  {one.entry}  {one.name}, {one.address or '?'}")
        line(f"       #{pair.other.site}  {pair.other.name}, {pair.other.address or '?'}")
    if not pairs:
        note(session.words("Không có gợi ý.", "Nothing is likely."))


def link(
    context: typer.Context,
    list_id: ListId,
    entry: Entry,
    site: Annotated[int | None, typer.Argument(metavar="[SITE]", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Without a site: that it is none of those registered."""
    from console.store import required
    from console.store.engine import Store

    def change(store: Store, whole: str) -> None:
        required.link(store, [(list_id, whole, site)], BY)

    _decide(context, list_id, entry, change, as_json)


def exempt(
    context: typer.Context,
    list_id: ListId,
    entry: Entry,
    reason: Annotated[
        str | None, typer.Option(help="Lý do; không có: lại cần mã. / Why; without: it needs one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Closed for good, not there, listed twice."""
    from console.store import required
    from console.store.engine import Store

    def change(store: Store, whole: str) -> None:
        required.exempt(store, list_id, whole, reason, BY)

    _decide(context, list_id, entry, change, as_json)


def withdraw(context: typer.Context, list_id: ListId, as_json: Json = False) -> None:
    """Import it again to take it back."""
    from console.store import required

    session = session_of(context)
    with store_of(session) as store:
        after = required.withdraw(store, list_id, BY)
    if as_json:
        json_line({"list": after.model_dump(mode="json")})
    else:
        line(session.words(f"{list_id}: thôi dùng.", f"{list_id}: withdrawn."))


def _decide(
    context: typer.Context, list_id: str, entry: str, change: "Change", as_json: bool
) -> None:
    from console.cli.behind_text import standing_text
    from console.store.required_reading import standing, whole_entry

    session = session_of(context)
    with store_of(session) as store:
        whole = whole_entry(store, list_id, entry)
        change(store, whole)
        after = standing(store, list_id, whole)
    if as_json:
        json_line({"entry": vars(after)})
        return
    line(f"{after.name}, {after.address or '?'}: {standing_text(session, after)}")


def _show(session: Session, made: "RequiredPlan", changed: int | None, linked: int | None) -> None:
    from issuer.kinds import kinds

    words = session.words
    rows, entries = number(len(made.understood.listed)), number(len(made.entries))
    line(words(f"{rows} dòng: {entries} cơ sở", f"{rows} rows: {entries} establishments"))
    for kind, count in made.understood.by_kind().most_common():
        name = kinds()[kind].name
        line(f"  {number(count):>8}  {words(name.vi, name.en)}")
    show_refused(session, made.understood)
    line()
    if changed is None or linked is None:
        note(words("Chưa nhập gì; thêm --apply.", "Nothing is imported yet: --apply."))
        return
    line(
        words(
            f"Đã nhập: {number(changed)} mục mới hoặc thay đổi, {number(linked)} đã có trong sổ.",
            f"Imported: {number(changed)} new or changed, {number(linked)} found registered.",
        )
    )
