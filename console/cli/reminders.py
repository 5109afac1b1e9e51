"""`truyvet reminders propose | list | show | release | withdraw | undelivered | effect | texts`.

They work on the database itself; nothing goes out before `release`. `reminders_text` has what is
shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.areas import City, District, Kind, Sector, Ward, area_of, asked_of
from console.cli.options import day_of, one_of
from console.cli.out import json_line, line
from console.cli.outfile import Replace, check_out, write_whole
from console.cli.reminders_text import show_batch, show_effects, show_line
from console.cli.session import BY, Json, Lang, Session, session_of
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.reminders.desk import Desk
    from console.reminders.texts import Lang as TextLang
    from console.store.reminder_rows import Batch

Number = Annotated[int, typer.Argument(metavar="BATCH", min=1, help="Số đợt nhắc. / The batch.")]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(no_args_is_help=True, help="Đôn đốc, nhắc nhở. / Reminders about coverage.")
    group.command("propose", help="Lập đề xuất, chưa gửi gì. / Propose; nothing is sent.")(propose)
    group.command("list", help="Các đợt nhắc. / Batches, the newest first.")(list_)
    group.command("show", help="Một đợt nhắc, với lời nhắn. / One batch, with its words.")(show)
    group.command("release", help="Duyệt và gửi. / Release a proposal.")(release)
    group.command("withdraw", help="Rút đề xuất. / Withdraw a proposal.")(withdraw)
    group.command("undelivered", help="Tin không đến nơi. / A message reached nobody.")(undelivered)
    group.command("effect", help="Nhắc rồi có làm không. / What became of those told.")(effect)
    group.command("texts", help="Lời kêu gọi quét mã. / Ready words to urge to scan.")(texts)
    app.add_typer(group, name="reminders")


def propose(
    context: typer.Context,
    reason: Annotated[
        str, typer.Argument(metavar="STAGE", help="registered, duty, printed, posted, scanned")
    ],
    channel: Annotated[str, typer.Option(help="zalo, loudspeaker, email, webhook")],
    ward: Ward = None,
    district: District = None,
    city: City = None,
    sector: Sector = None,
    kind: Kind = None,
    text: Annotated[str | None, typer.Option(help="Mẫu lời nhắn. / Which of its texts.")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="DATE", help="Trước ngày, 2026-11-29. / Asked by then.")
    ] = None,
    as_json: Json = False,
) -> None:
    """To all who are behind at a stage and were not told so already."""
    from console.reminders.desk import Wanted
    from console.reminders.texts import Channel, Reason

    session = session_of(context)
    if ward is district is city is None:
        raise UserError(
            "Nêu --ward, --district hoặc --city. / Name a --ward, a --district or a --city."
        )
    wanted = Wanted(
        asked_of(ward, district, city, sector, kind),
        one_of(Reason, "STAGE", reason),
        one_of(Channel, "--channel", channel),
        _lang(session),
        text,
        day_of("--by", by),
    )
    with _desk(session) as desk:
        _show(session, desk, desk.propose(wanted, BY), as_json)


def list_(
    context: typer.Context,
    ward: Ward = None,
    district: District = None,
    city: City = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
    as_json: Json = False,
) -> None:
    """Of the area and what lies in it."""
    from console.store.reminder_rows import batches

    session = session_of(context)
    with _desk(session) as desk:
        found = batches(desk.store, area_of(ward, district, city), limit=limit)
        if as_json:
            json_line({"batches": [_fields(desk, one) for one in found]})
            return
    for one in found:
        show_line(session, one)


def show(
    context: typer.Context,
    number: Number,
    out: Annotated[
        Path | None, typer.Option("--out", help="Ghi lời nhắn ra .csv, .txt. / Texts to a file.")
    ] = None,
    replace: Replace = False,
    as_json: Json = False,
) -> None:
    """Of a proposal the first few messages; of what was released all."""
    from console.reminders.files import file_of
    from console.store.reminder_rows import batch

    session = session_of(context)
    with _desk(session) as desk:
        found = batch(desk.store, number)
        if out is not None:
            kind = out.suffix.lower().lstrip(".")
            if kind not in ("csv", "txt"):
                raise UserError("--out: .csv hoặc .txt. / --out: .csv or .txt.")
            check_out(out, replace)
            write_whole(out, file_of(desk.store, found, "csv" if kind == "csv" else "txt"))
            line(str(out))
            return
        _show(session, desk, found, as_json)


def release(
    context: typer.Context,
    number: Number,
    count: Annotated[int, typer.Option(min=1, help="Số tin bạn đã xem. / Messages you saw.")],
    as_json: Json = False,
) -> None:
    """What has caught up is dropped. Many messages take a second release, from another account."""
    session = session_of(context)
    with _desk(session) as desk:
        _show(session, desk, desk.release(number, count, BY, lambda _: None), as_json)


def withdraw(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Nothing was sent."""
    from console.store import reminders

    session = session_of(context)
    with _desk(session) as desk:
        gone = reminders.withdraw(desk.store, number, BY, lambda _: None)
        _show(session, desk, gone, as_json)


def undelivered(
    context: typer.Context,
    message: Annotated[int, typer.Argument(metavar="MESSAGE", min=1, help="Số tin. / Its number.")],
    reason: Annotated[str, typer.Option(help="Vì sao; không ghi tên, số. / Why; no names.")],
) -> None:
    """Then the same can be said another way."""
    from console.store import reminder_ends

    session = session_of(context)
    if not reason.strip():
        raise UserError("--reason: cần lý do. / --reason: a reason is needed.")
    with _desk(session) as desk:
        reminder_ends.undelivered(desk.store, message, reason, lambda _: None)
    line(session.words(f"Tin {message}: không đến nơi", f"Message {message}: reached nobody"))


def effect(
    context: typer.Context,
    ward: Ward = None,
    district: District = None,
    city: City = None,
    days: Annotated[int, typer.Option(min=1, max=60, help="Trong số ngày. / Within.")] = 7,
    as_json: Json = False,
) -> None:
    """By stage, channel and text, of the last ninety days: what happened, not what caused it."""
    session = session_of(context)
    with _desk(session) as desk:
        found = desk.effect(area_of(ward, district, city), days)
    if as_json:
        json_line({"days": days, "effects": [vars(one) | {"share": one.share} for one in found]})
    else:
        show_effects(session, found, days)


def texts(
    context: typer.Context,
    ward: Annotated[str, typer.Option(help="Mã xã, phường: 11413. / A ward.")],
    channel: Annotated[str, typer.Option(help="loudspeaker, zalo, poster")] = "loudspeaker",
) -> None:
    """To read aloud, to post, to print. `--lang en` has them in English."""
    from console.reminders.texts import URGING, urging

    session = session_of(context)
    area_of(ward, None, None)
    if channel not in URGING:
        there = ", ".join(URGING)
        raise UserError(f"--channel: chỉ có {there}. / --channel: there are {there}.")
    line(urging(channel, ward, _lang(session)))


def _show(session: Session, desk: "Desk", batch: "Batch", as_json: bool) -> None:
    from console.reminders.desk import shown_of

    messages = shown_of(desk.store, batch)
    if as_json:
        json_line(_fields(desk, batch) | {"shown": [vars(message) for message in messages]})
    else:
        show_batch(session, batch, messages, desk.two_above)


def _fields(desk: "Desk", batch: "Batch") -> dict[str, Any]:
    from console.reminders.desk import fields_of

    return fields_of(batch, desk.two_above)


@contextmanager
def _desk(session: Session) -> Iterator["Desk"]:
    from console.reminders.desk import desk_of
    from console.store.engine import open_store
    from streams.clickhouse import ClickHouse

    settings = session.settings()
    store, clickhouse = open_store(settings), ClickHouse(settings, timeout_s=15)
    try:
        yield desk_of(settings, store, clickhouse)
    finally:
        store.close()
        clickhouse.close()


def _lang(session: Session) -> "TextLang":
    return "en" if session.lang is Lang.EN else "vi"
