"""`truyvet bench gateway`: the HTTP gateway beside a bare echo."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.out import json_line, line, note, number, screen
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from bench.gateway import Result


def add_gateway_bench(bench: typer.Typer) -> None:
    """This command."""
    about = "Cổng HTTP trên một lõi, cạnh một máy chủ chỉ đọc. / The gateway beside an echo."
    bench.command("gateway", help=about)(gateway)


def gateway(
    context: typer.Context,
    short: Annotated[
        bool, typer.Option("--short", help="Vài giây mỗi lượt, một lượt. / One round of seconds.")
    ] = False,
    as_json: Json = False,
) -> None:
    """A Kafka of its own in a directory of its own; nothing else is touched. Exit code 1 below
    20,000 scans a second in bodies of 1,000, unless short."""
    from bench.gateway import WANTED, document, passes, run

    session = session_of(context)
    result = run(note, short=short)
    passed = passes(result, short=short)
    if as_json:
        json_line(document(result, short=short))
    else:
        _show(session, result)
    if not passed:
        below = session.words("dưới mức yêu cầu, lượt quét/giây", "below the limit, scans/s")
        note(f"{below}: {number(result.scans_per_s)} < {number(WANTED)}")
    raise typer.Exit(0 if passed else 1)


def _show(session: Session, result: "Result") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for vi, en in (
        ("lượt quét mỗi lần gửi", "scans a body"),
        ("lượt quét/giây", "scans/s"),
        ("máy chủ chỉ đọc", "echo"),
        ("tỷ lệ", "ratio"),
        ("p99 ms", "p99 ms"),
    ):
        table.add_column(session.words(vi, en), justify="right")
    for row in result.rows:
        table.add_row(
            number(row.scans_a_body),
            number(row.scans_per_s),
            number(row.echo_scans_per_s),
            f"{row.ratio_to_echo:.3f}",
            f"{row.p99_ms:.1f}",
        )
    screen().print(table)
    line(
        session.lines(
            f"{number(result.acknowledged)} lượt quét được xác nhận, {number(result.on_topic)} "
            "có trên topic.",
            f"{number(result.acknowledged)} scans were acknowledged, {number(result.on_topic)} "
            "are on the topic.",
        )
    )
