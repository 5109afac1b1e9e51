"""`truyvet bench`: benchmarks side by side, each in a data directory of its own."""

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from console.cli.out import json_line, line, note, number, screen
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from bench.report import Measured, Report

_LONG: Final = "console.cli.benching_long"
SHORT_RECORDS: Final = 100_000


def add_to(app: typer.Typer) -> None:
    """These commands, and the long ones if they are there."""
    bench = typer.Typer(no_args_is_help=True, help="Đo tốc độ. / Benchmarks, side by side.")
    bench.command(
        "ingest", help="truyvet bên cạnh các hệ khác, cùng chủ đề. / truyvet beside others."
    )(bench_ingest)
    if importlib.util.find_spec(_LONG) is not None:
        importlib.import_module(_LONG).add_long_benches(bench)
    app.add_typer(bench, name="bench")


def bench_ingest(
    context: typer.Context,
    records: Annotated[
        int, typer.Option(min=10_000, help="Bản ghi trên chủ đề. / Records on the topic.")
    ] = 4_000_000,
    stock_records: Annotated[
        int, typer.Option(min=1_000, help="Faust nguyên bản đọc. / Stock Faust reads only.")
    ] = 300_000,
    peer_records: Annotated[
        int, typer.Option(min=10_000, help="Các hệ khác đọc. / Peers read only.")
    ] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Lấy trung vị. / Median of.")] = 3,
    peers: Annotated[
        str, typer.Option(help="all, none, quixstreams,bytewax,pathway. / Which others.")
    ] = "all",
    workers: Annotated[
        str, typer.Option(help="Số tiến trình, ví dụ 1,2. / Worker processes, as in 1,2.")
    ] = "1",
    garbage: Annotated[
        float, typer.Option(min=0, max=0.4, help="Phần hỏng và lặp. / Share refused, repeated.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng dữ liệu. / Same data.")] = 7,
    short: Annotated[
        bool, typer.Option("--short", help="Ngắn, chỉ kiểm tra đúng sai. / Short, for CI.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Giữ thư mục dữ liệu. / Keep the data directory.")
    ] = False,
    as_json: Json = False,
) -> None:
    """In one run, on one topic, in a directory of its own: the ratios are what counts."""
    from bench.ingest import Plan, run
    from bench.rows import catalogue, named_peers, worker_counts

    session = session_of(context)
    names, counts = named_peers(peers), worker_counts(workers)
    if short:
        records, rounds, names = min(records, SHORT_RECORDS), 1, ()
        stock_records, peer_records = records // 10, records
    plan = Plan(
        catalogue(names, counts, bare=short),
        records,
        stock_records,
        peer_records,
        rounds,
        seed,
        garbage,
        floors=not short,
    )
    own = session.data_dir / "bench"
    wipe(own)
    try:
        report = run(own, plan, note)
    finally:
        if not keep:
            wipe(own)
    if as_json:
        json_line(report.as_dict())
    else:
        show(report, session)


def wipe(directory: Path) -> None:
    """A benchmark's own directory is made anew. Raises UserError if something runs there."""
    from deploy.embedded.stack import status
    from schemas.errors import UserError

    if not directory.exists():
        return
    if status(directory).running:
        raise UserError(f"A benchmark runs in {directory}.")
    if any(directory.iterdir()) and not (directory / "truyvet.env").exists():
        raise UserError(f"{directory} does not look like a benchmark's: nothing was deleted.")
    shutil.rmtree(directory)


def show(report: "Report", session: Session) -> None:
    """Ratios first, then each row with what it leaves out, then where the CPU time went."""
    from rich.table import Table

    from bench.model import table as model_lines

    table = Table(show_edge=False, pad_edge=False)
    table.add_column(session.words("truyvet gấp", "truyvet is"), justify="right")
    table.add_column(session.words("mỗi giây", "a second"), justify="right")
    table.add_column(session.words("hệ", "what"))
    table.add_column(session.words("bỏ qua", "leaves out"))
    for measured in report.rows:
        table.add_row(*_cells(report, measured, session))
    screen().print(table)
    screen().print(_costs(report, session))
    for text in model_lines(report.as_dict()):
        line(text)


def _cells(report: "Report", measured: "Measured", session: Session) -> tuple[str, str, str, str]:
    from bench.report import ratio

    row = measured.row
    times = ratio(report.events_per_s, measured.median)
    what = session.lines(row.vi, row.en)
    if measured.median is None:
        return "–", "–", what, measured.failure
    leaves = session.lines(row.leaves_out_vi, row.leaves_out_en)
    return f"{times:.2f} ×", number(measured.median), what, leaves


def _costs(report: "Report", session: Session) -> "object":
    from rich.table import Table

    cost, records, floors = report.cost(), report.filled.records, report.floors
    table = Table(show_edge=False, pad_edge=False)
    table.add_column(session.words("CPU của truyvet", "truyvet's CPU"))
    table.add_column(session.words("µs mỗi lượt", "µs an event"), justify="right")
    table.add_column(session.words("sàn", "floor"), justify="right")
    lowest = {
        "fetch": min((v for k, v in floors.items() if k.startswith("read_")), default=None),
        "decode": floors.get("parse_pyarrow"),
        "engine": floors.get("engine_arrow_insert"),
    }
    for name, spent in cost.per_event(records).items():
        floor = lowest.get(name)
        table.add_row(_LABELS.get(name, name), f"{spent:.2f}", f"{floor:.2f}" if floor else "")
        if name == "worker":
            for step, seconds in cost.steps_per_event(records).items():
                floor = lowest.get(step)
                table.add_row(f"  {step}", f"{seconds:.2f}", f"{floor:.2f}" if floor else "")
    return table


_LABELS: Final = {
    "worker": "worker (tiến trình xử lý)",
    "engine": "ClickHouse",
    "engine_merging_afterwards": "ClickHouse, merging afterwards (gộp sau đó)",
    "broker": "Kafka",
}
