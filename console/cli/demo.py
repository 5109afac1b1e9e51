"""`truyvet demo`: the whole path in five steps, and a sum that must come out to the event."""

from typing import Annotated

import typer

from console.cli.out import json_line, line, note, number
from console.cli.session import Json, Session, session_of


def add_to(app: typer.Typer) -> None:
    """These commands."""
    app.command(
        "demo", help="Toàn bộ đường đi trong hai phút. / The whole path in two minutes, with proof."
    )(demo)
    bench = typer.Typer(no_args_is_help=True, help="Đo tốc độ. / Benchmarks, side by side.")
    bench.command(
        "ingest", help="Faust nguyên bản và truyvet, cùng chủ đề. / Stock Faust and ours."
    )(bench_ingest)
    app.add_typer(bench, name="bench")


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


def bench_ingest(
    context: typer.Context,
    records: Annotated[
        int, typer.Option(min=1_000, help="Bản ghi trên chủ đề. / Records on the topic.")
    ] = 4_000_000,
    stock_records: Annotated[
        int, typer.Option(min=1_000, help="Faust nguyên bản chỉ đọc. / Stock Faust reads only.")
    ] = 300_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Lấy trung vị. / Median of.")] = 3,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    as_json: Json = False,
) -> None:
    """In one run, on one topic, in a directory of its own: the ratio is what counts."""
    import shutil

    from bench.ingest import run

    session = session_of(context)
    own = session.data_dir / "bench"
    if (own / "truyvet.env").exists():
        from deploy.embedded.stack import status
        from schemas.errors import UserError

        if status(own).running:
            raise UserError(f"A benchmark runs in {own}.")
        shutil.rmtree(own)
    found = run(own, records, stock_records, rounds, seed, note)
    if as_json:
        json_line(found.as_dict())
        return
    rows = (
        ("Faust nguyên bản, chỉ đếm", "stock Faust, counting only", found.stock_events_per_s),
        ("truyvet, đầy đủ", "truyvet, everything on", found.events_per_s),
    )
    for vi, en, rate in rows:
        line(f"{number(rate):>12} /s  {session.words(vi, en)}")
    line(f"{found.ratio_to_stock_faust:>12.1f} ×")
