"""`truyvet demo`: the whole path in five steps, and a sum that must come out to the event."""

from typing import Annotated

import typer

from console.cli.out import json_line
from console.cli.session import Json, Session, session_of


def add_to(app: typer.Typer) -> None:
    """These commands."""
    app.command(
        "demo", help="Toàn bộ đường đi trong hai phút. / The whole path in two minutes, with proof."
    )(demo)


def demo(
    context: typer.Context,
    events: Annotated[
        int, typer.Option(min=1_000, help="Lượt quét hai tuần. / Two weeks.")
    ] = 500_000,
    people: Annotated[int, typer.Option(min=0, help="Số người; 0: tự tính. / 0: as needed.")] = 0,
    seed: Annotated[
        int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same, same city.")
    ] = 7,
    steady_seconds: Annotated[
        float, typer.Option(min=1, help="Đoạn đều. / Steady stretch.")
    ] = 60.0,
    rate: Annotated[float, typer.Option(min=1, help="Lượt mỗi giây. / Scans a second.")] = 2000.0,
    keep: Annotated[bool, typer.Option("--keep", help="Để chạy tiếp. / Leave it running.")] = False,
    as_json: Json = False,
) -> None:
    """Exit code 0 only if everything adds up. Nothing is left running, unless --keep."""
    from console.cli.demo_run import run_demo
    from console.cli.simulating import Load

    session = session_of(context)
    own = Session(session.data_dir / "demo", session.lang)
    load = Load(events, people, seed, rate, steady_seconds)
    result = run_demo(own, load, keep=keep, quiet=as_json)
    if as_json:
        json_line(result.document())
    raise typer.Exit(0 if not result.wrong else 1)
