"""`truyvet staff declare | history | coverage`: headcounts, and how many of them scanned."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.areas import City, District, Sector, Ward, asked_of
from console.cli.options import day_of
from console.cli.out import json_line, line, note
from console.cli.session import BY, Json, Session, session_of, store_of
from schemas.clock import local_text

if TYPE_CHECKING:
    from console.staff.day import StaffDay

SiteId = Annotated[int, typer.Argument(metavar="SITE", min=1, help="Số cơ sở. / Its number.")]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    about = "Cán bộ quét mã tại cơ quan, không theo từng người. / Staff who scan, never one by one."
    group = typer.Typer(no_args_is_help=True, help=about)
    group.command("declare", help="Khai số người làm việc. / Declare a headcount.")(declare)
    group.command("history", help="Các lần khai. / What was declared.")(history)
    group.command("coverage", help="Một ngày đã qua. / A day that is over.")(coverage)
    app.add_typer(group, name="staff")


def declare(
    context: typer.Context,
    site: SiteId,
    headcount: Annotated[int, typer.Argument(min=0, max=1_000_000, metavar="N")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Mặc định: ngày mai. / Tomorrow.")
    ] = None,
    note_: Annotated[str | None, typer.Option("--note", help="Ghi chú. / A note.")] = None,
    as_json: Json = False,
) -> None:
    """From tomorrow or a later day on; a day past does not change."""
    from console.store import headcounts

    session = session_of(context)
    with store_of(session) as store:
        day = day_of("--from", since)
        made = headcounts.declare(store, site, headcount, by=BY, since=day, note=note_)
    if as_json:
        json_line(vars(made))
    else:
        vi = f"#{site}: {headcount} người từ ngày {made.since:%d/%m/%Y}"
        line(session.words(vi, f"#{site}: {headcount} people from {made.since:%d/%m/%Y} on"))


def history(context: typer.Context, site: SiteId, as_json: Json = False) -> None:
    """In its order; of one day the last counts."""
    from console.store import headcounts

    session = session_of(context)
    with store_of(session) as store:
        found = headcounts.history(store, site)
    if as_json:
        json_line({"headcounts": [vars(one) for one in found]})
        return
    for one in found:
        noted = f"  «{one.note}»" if one.note else ""
        line(f"{one.since:%d/%m/%Y}  {one.headcount:>6}  {local_text(one.at)}  {one.by}{noted}")


def coverage(
    context: typer.Context,
    ward: Ward = None,
    district: District = None,
    city: City = None,
    sector: Sector = None,
    day: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="Mặc định: hôm qua. / Yesterday.")
    ] = None,
    as_json: Json = False,
) -> None:
    """By groups of at least ten people; not for attendance and not for discipline."""
    from console.staff.day import staff_day
    from console.staff.names import group_names
    from console.store.engine import open_store, utc_now
    from schemas.clock import LOCAL
    from streams.clickhouse import ClickHouse

    session = session_of(context)
    settings, now = session.settings(), utc_now()
    asked = asked_of(ward, district, city, sector)
    wanted = day_of("--date", day) or now.astimezone(LOCAL).date() - timedelta(days=1)
    store, clickhouse = open_store(settings), ClickHouse(settings, timeout_s=15)
    try:
        found = staff_day(
            store,
            clickhouse,
            wanted,
            asked.area,
            sector,
            retention_days=settings.retention_days,
            now=now,
        )
        names = group_names(store, found.groups)
    finally:
        store.close()
        clickhouse.close()
    if as_json:
        groups = [
            {**vars(group), "name": name, "sites": len(group.sites)}
            for group, name in zip(found.groups, names, strict=True)
        ]
        json_line(vars(found) | {"groups": groups, "total": vars(found.total)})
    else:
        _show(session, found, names)


def _show(session: Session, found: "StaffDay", names: list[str]) -> None:
    from issuer.units import area_name

    words = session.words
    head = words("đã quét / số khai", "scanned / declared")
    line(f"{found.day:%d/%m/%Y}  {area_name(found.area)}  ({head})")
    if not found.groups:
        line(
            session.lines(
                "  Chưa có nhóm nào để đếm: đơn vị khai số người bằng `truyvet staff declare`.",
                "  There is no group to count: units declare with `truyvet staff declare`.",
            )
        )
    for group, name in zip(found.groups, names, strict=True):
        counted = "< 10" if group.counted is None else f"≈ {group.counted}"
        units = len(group.sites)
        small = words(f"{units} đơn vị nhỏ", f"{units} small units")
        what = f"{name} ({small})" if units > 1 else name
        line(f"  {counted:>6} / {group.declared:<6} {group.sector:<15} {what}")
    all_ = found.total
    if all_.groups:
        line(f"  {'≈ ' + str(all_.counted):>6} / {all_.declared:<6} {words('cộng', 'in all')}")
    for vi, en, many in (
        ("nhóm có dưới 10 người quét, không cộng", "groups under ten, not added", all_.under_ten),
        ("đơn vị dưới 10 người, không hiện", "units of fewer than ten, not shown", found.left_out),
        ("đơn vị chưa có lối vào cán bộ", "units without a staff entrance", found.no_entrance),
    ):
        if many:
            note(f"{many} {words(vi, en)}")
    note(
        session.lines(
            "Không dùng để chấm công hay kỷ luật; số được làm tròn đến 5.",
            "Not for attendance and not for discipline; numbers are rounded to fives.",
        )
    )
