"""`truyvet counts`: where every scan is."""

from typing import TYPE_CHECKING

import typer

from console.cli.out import json_line, line, note, number
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.accounting.counts import Counts


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command("counts", help="Mọi lượt quét ở đâu. / Where every scan is; nothing is missing.")(
        counts
    )


def counts(context: typer.Context, as_json: Json = False) -> None:
    """Exit code 1 if anything is missing or there twice."""
    from console.accounting.reading import read_counts

    session = session_of(context)
    found = read_counts(session.settings())
    if as_json:
        json_line(found.document())
    else:
        show(found, session)
    if found.missing:
        note(
            session.words(
                f"{found.missing} lượt quét không khớp sổ: hãy báo cho người vận hành.",
                f"{found.missing} scans are unaccounted for (below 0: there twice); "
                "this must not happen.",
            )
        )
        raise typer.Exit(1)


def show(found: "Counts", session: Session) -> None:
    """As a sum, one line each."""
    rows = [
        ("", "đã gửi lên", "produced", found.produced),
        ("=", "đã ghi", "written", found.written),
        ("+", "trùng", "duplicates", found.duplicates),
        ("+", "từ chối", "rejected", found.rejected),
    ]
    for sign, vi, en, count in rows:
        line(f"{sign:1} {number(count):>13}  {session.words(vi, en)}")
    for reason, count in sorted(found.rejected_by_reason.items(), key=lambda item: -item[1]):
        line(f"  {'':13}    {number(count):>11}  {reason}")
    for sign, vi, en, count in (
        ("+", "quá hạn lưu giữ khi ghi", "expired", found.expired),
        ("+", "đã xoá theo yêu cầu", "erased", found.erased),
        ("+", "đang xử lý", "in flight", found.in_flight),
        ("+", "thiếu", "missing", found.missing),
    ):
        line(f"{sign:1} {number(count):>13}  {session.words(vi, en)}")
