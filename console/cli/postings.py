"""`truyvet places report`: what is said of posters, of many places at once."""

from typing import Annotated

import typer

from console.cli.case_text import moment
from console.cli.options import one_of
from console.cli.out import json_line, line
from console.cli.session import Json, session_of, store_of
from schemas.errors import UserError


def add_report(group: typer.Typer) -> None:
    """This command, into the group `places`."""
    about = "Báo: đã dán, đã in, có người phụ trách. / Say: posted, printed, duty."
    group.command("report", help=about)(report)


def report(
    context: typer.Context,
    fact: Annotated[str, typer.Argument(metavar="FACT", help="posted, printed, duty")],
    places: Annotated[list[int], typer.Argument(metavar="PLACE...", min=1)],
    code_version: Annotated[
        int | None,
        typer.Option(min=1, max=1023, help="Phiên bản mã trên áp phích. / The poster's version."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Lúc: 2026-11-20T08:30; mặc định: bây giờ. / When.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Sent late or twice it changes nothing: the newest of each fact counts. All or none."""
    from console.store import postings
    from console.store.engine import utc_now
    from schemas.coverage import Fact
    from schemas.scan import parse_timestamp

    session = session_of(context)
    said = one_of(Fact, "FACT", fact)
    if said is Fact.INSPECTED:
        raise UserError(
            "FACT: kiểm tra thì dùng `truyvet inspections check`. / "
            "FACT: an inspection is `truyvet inspections check`."
        )
    now = utc_now()
    given = moment("--at", at)
    when = parse_timestamp(given) if given else now
    if when > now:
        raise UserError("--at: ở tương lai. / --at is in the future.")
    with store_of(session) as store:
        marks = [postings.Mark(place, said, when, code_version) for place in places]
        with store.write() as connection:
            changed = postings.mark(connection, marks)
    if as_json:
        json_line({"postings": [one.model_dump(mode="json") for one in changed]})
    else:
        count = len(changed)
        line(session.words(f"Đã ghi: {count} điểm quét.", f"Noted: {count} places."))
