"""`truyvet inspections open | check | order | reply | refer | decide | close`: the steps.

Each takes `--at` for what happened earlier and `--event-id` to send the same step again.
"""

from pathlib import Path
from typing import Annotated

import typer

from console.cli.inspection_taking import bytes_of, member_of, take
from console.cli.session import Json
from schemas.inspections import Authority, Ending, Ground, Mend, Outcome, Result, Says

PlaceId = Annotated[
    int, typer.Argument(metavar="PLACE", min=1, help="Số điểm quét. / The place's number.")
]
Which = Annotated[
    str, typer.Argument(metavar="ID", help="Số hoặc mã đợt kiểm tra. / Its number or id.")
]
At = Annotated[str | None, typer.Option("--at", help="Xảy ra lúc; mặc định: bây giờ. / When.")]
EventId = Annotated[
    str | None, typer.Option("--event-id", help="UUID của bước, để gửi lại. / To send it again.")
]
Note = Annotated[
    str | None, typer.Option("--note", help="Ghi chú, không ghi tên người. / No names of persons.")
]
DAY = "YYYY-MM-DD"


def add_to(group: typer.Typer) -> None:
    """These commands."""
    group.command("open", help="Mở đợt kiểm tra. / Somebody is to go there.")(open_)
    group.command("check", help="Kiểm tra tại chỗ. / What was found there.")(check)
    group.command("order", help="Yêu cầu khắc phục. / What to mend, by when.")(order)
    group.command("reply", help="Cơ sở trả lời. / What the owner says.")(reply)
    group.command("refer", help="Chuyển người có thẩm quyền. / To who decides.")(refer)
    group.command("decide", help="Quyết định của họ. / What they decided.")(decide)
    group.command("close", help="Kết thúc. / Nothing is left to do.")(close)


def open_(
    context: typer.Context,
    place: PlaceId,
    on: Annotated[str | None, typer.Option(metavar=DAY, help="Ngày đi. / The day.")] = None,
    ground: Annotated[Ground, typer.Option(help="Vì sao. / Why.")] = Ground.ROUND,
    note: Note = None,
    at: At = None,
    event_id: EventId = None,
    as_json: Json = False,
) -> None:
    """An inspection may as well begin with its check."""
    said = {"kind": "opened", "ground": ground, "planned_on": on, "note": note}
    take(context, (None, place, True), said, (at, event_id), as_json)


def check(
    context: typer.Context,
    place: PlaceId,
    result: Annotated[Result, typer.Option(help="Kết luận. / What you conclude.")],
    posted: Annotated[
        bool | None, typer.Option("--posted/--not-posted", help="Có dán không. / Is it there.")
    ] = None,
    visible: Annotated[
        bool | None, typer.Option("--visible/--hidden", help="Dễ thấy không. / Is it seen.")
    ] = None,
    current: Annotated[
        bool | None,
        typer.Option("--current/--old", help="Đúng phiên bản, nếu không quét. / By eye."),
    ] = None,
    guided: Annotated[
        bool | None,
        typer.Option("--guided/--unguided", help="Có người hướng dẫn. / Is there help."),
    ] = None,
    scanned: Annotated[
        str | None, typer.Option(help="Nội dung quét được từ áp phích. / What the poster reads.")
    ] = None,
    team: Annotated[
        list[str] | None,
        typer.Option(metavar="AGENCY[:ROLE]", help="Đoàn liên ngành; nhiều lần. / Joint team."),
    ] = None,
    photo: Annotated[list[Path] | None, typer.Option(help="Ảnh, ≤ 1 MiB. / A picture.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Đợt mới. / Not the running one.")] = False,
    note: Note = None,
    at: At = None,
    event_id: EventId = None,
    as_json: Json = False,
) -> None:
    """Goes to the place's inspection that is not closed, if there is one; else begins one."""
    from console.inspections.photos import digest

    files = [bytes_of(path) for path in photo or ()]
    said = {
        "kind": "checked",
        "result": result,
        "posted": posted,
        "visible": visible,
        "current": current,
        "guided": guided,
        "scanned": scanned,
        "team": [member_of(text) for text in team or ()],
        "photos": [digest(data) for data in files],
        "note": note,
    }
    take(context, (None, place, new), said, (at, event_id), as_json, files)


def order(
    context: typer.Context,
    which: Which,
    mend: Annotated[list[Mend], typer.Option(help="Khắc phục gì; nhiều lần được. / What.")],
    by: Annotated[str, typer.Option(metavar=DAY, help="Hạn, hết ngày. / By the end of.")],
    note: Note = None,
    at: At = None,
    event_id: EventId = None,
    as_json: Json = False,
) -> None:
    """After a check that found defects."""
    said = {"kind": "ordered", "mend": mend, "by": by, "note": note}
    take(context, (which, None, False), said, (at, event_id), as_json)


def reply(
    context: typer.Context,
    which: Which,
    says: Annotated[Says, typer.Option(help="Nói gì. / What they say.")],
    until: Annotated[str | None, typer.Option(metavar=DAY, help="Xin đến ngày. / Until.")] = None,
    note: Note = None,
    at: At = None,
    event_id: EventId = None,
    as_json: Json = False,
) -> None:
    """As you write it down for them."""
    said = {"kind": "replied", "says": says, "until": until, "note": note}
    take(context, (which, None, False), said, (at, event_id), as_json)


def refer(
    context: typer.Context,
    which: Which,
    to: Annotated[Authority, typer.Option(help="Cho ai. / To whom.")],
    note: Note = None,
    at: At = None,
    event_id: EventId = None,
    as_json: Json = False,
) -> None:
    """Nothing refers itself: the program at most proposes it."""
    said = {"kind": "referred", "to": to, "note": note}
    take(context, (which, None, False), said, (at, event_id), as_json)


def decide(
    context: typer.Context,
    which: Which,
    by: Annotated[Authority, typer.Option(help="Ai quyết định. / Who decided.")],
    outcome: Annotated[Outcome, typer.Option(help="Quyết định gì. / What.")],
    until: Annotated[str | None, typer.Option(metavar=DAY, help="Gia hạn đến. / Until.")] = None,
    document: Annotated[str | None, typer.Option(help="Số văn bản. / Its number.")] = None,
    note: Note = None,
    at: At = None,
    event_id: EventId = None,
    as_json: Json = False,
) -> None:
    """By the authority that it was referred to."""
    said = {"kind": "decided", "by": by, "outcome": outcome, "until": until}
    said |= {"document": document, "note": note}
    take(context, (which, None, False), said, (at, event_id), as_json)


def close(
    context: typer.Context,
    which: Which,
    ending: Annotated[Ending, typer.Option("--why", help="Vì sao. / Why.")],
    note: Note = None,
    at: At = None,
    event_id: EventId = None,
    as_json: Json = False,
) -> None:
    """What comes later at this place is another inspection."""
    said = {"kind": "closed", "ending": ending, "note": note}
    take(context, (which, None, False), said, (at, event_id), as_json)
