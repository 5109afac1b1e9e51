"""`truyvet bench`: benchmarks side by side, each in a data directory of its own."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from console.cli.bench_gateway import add_gateway_bench
from console.cli.bench_places import add_places_bench
from console.cli.bench_posters import add_posters_bench
from console.cli.bench_rebuild import add_rebuild_bench
from console.cli.bench_scanability import add_scanability_bench
from console.cli.bench_shards import add_shards_bench
from console.cli.bench_trace import add_trace_bench
from console.cli.bench_upgrade import add_upgrade_bench
from console.cli.benching_long import add_long_benches
from console.cli.benching_truth import add_truth_bench
from console.cli.out import json_line, line, note, number, screen
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from rich.table import Table

    from bench.report import Report

SHORT_RECORDS: Final = 100_000


def add_to(app: typer.Typer) -> None:
    """These commands."""
    bench = typer.Typer(no_args_is_help=True, help="Đo tốc độ. / Benchmarks, side by side.")
    bench.command(
        "ingest", help="truyvet bên cạnh các hệ khác, cùng chủ đề. / truyvet beside others."
    )(bench_ingest)
    add_long_benches(bench)
    add_gateway_bench(bench)
    add_truth_bench(bench)
    add_trace_bench(bench)
    add_posters_bench(bench)
    add_places_bench(bench)
    add_rebuild_bench(bench)
    add_upgrade_bench(bench)
    add_scanability_bench(bench)
    add_shards_bench(bench)
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
        raise UserError(
            f"Một phép đo đang chạy trong {directory}. / A benchmark runs in {directory}."
        )
    if any(directory.iterdir()) and not (directory / "truyvet.env").exists():
        raise UserError(
            f"{directory} không giống thư mục của một phép đo: chưa xoá gì. / "
            f"{directory} does not look like a benchmark's: nothing was deleted."
        )
    shutil.rmtree(directory)


def show(report: "Report", session: Session) -> None:
    """Ratios first, then each row with what it leaves out, then where the CPU time went."""
    from bench.report import ratio
    from bench.rows import STOCK

    for vi, en, other in (
        ("lần Faust nguyên bản", "times stock Faust", report.median(STOCK)),
        ("lần đường ống ngắn nhất", "times the shortest pipe", report.shortest_pipe),
    ):
        times = ratio(report.events_per_s, other)
        line(f"{'–' if times is None else f'{times:.2f}':>8} × {session.words(vi, en)}")
    line()
    for made in (_rows, _costs, _model):
        screen().print(made(report, session))
        line()


def _table(session: Session, *headings: tuple[str, str]) -> "Table":
    """Both languages in its headings; figures to the right, the words of what they are last."""
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False, leading=1)
    for vi, en in headings:
        words = vi in ("hệ", "bỏ qua", "CPU của truyvet", "giới hạn trước hết")
        table.add_column(session.lines(vi, en), justify="left" if words else "right")
    return table


def _rows(report: "Report", session: Session) -> "Table":
    from bench.report import ratio

    table = _table(
        session,
        ("truyvet gấp", "truyvet is"),
        ("mỗi giây", "a second"),
        ("hệ", "what"),
        ("bỏ qua", "leaves out"),
    )
    for measured in report.rows:
        row, times = measured.row, ratio(report.events_per_s, measured.median)
        what = session.lines(row.vi, row.en)
        if measured.median is None:
            table.add_row("–", "–", what, measured.failure)
            continue
        leaves = session.lines(row.leaves_out_vi, row.leaves_out_en)
        table.add_row(f"{times:.2f} ×", number(measured.median), what, leaves)
    return table


def _costs(report: "Report", session: Session) -> "Table":
    cost, records, floors = report.cost(), report.filled.records, report.floors
    table = _table(
        session,
        ("CPU của truyvet", "truyvet's CPU"),
        ("µs mỗi lượt", "µs an event"),
        ("sàn", "floor"),
    )
    table.leading = 0
    lowest = {
        "fetch": min((v for k, v in floors.items() if k.startswith("read_")), default=None),
        "decode": floors.get("parse_pyarrow"),
        "engine": floors.get("engine_arrow_insert"),
    }

    def add(label: str, spent: float, floor: float | None) -> None:
        table.add_row(label, f"{spent:.2f}", "" if floor is None else f"{floor:.2f}")

    for name, spent in cost.per_event(records).items():
        add(session.words(*_LABELS[name]), spent, lowest.get(name))
        if name == "worker":
            for step, seconds in cost.steps_per_event(records).items():
                add(f"  {step}", seconds, lowest.get(step))
    return table


def _model(report: "Report", session: Session) -> "Table":
    from bench.model import MODEL_CORES, model

    table = _table(
        session,
        ("lõi (trên giấy)", "cores (on paper)"),
        ("mỗi giây", "a second"),
        ("tiến trình cần", "workers needed"),
        ("giới hạn trước hết", "limited first by"),
    )
    table.leading = 0
    for cores in MODEL_CORES:
        found = model(report.load(), cores)
        limit = session.words(*_LIMITS[found.limit])
        table.add_row(str(cores), number(found.events_per_s), str(found.partitions_needed), limit)
    return table


_LABELS: Final = {
    "worker": ("tiến trình xử lý", "worker"),
    "engine": ("ClickHouse", "ClickHouse"),
    "engine_merging_afterwards": ("ClickHouse, gộp sau đó", "ClickHouse, merging afterwards"),
    "broker": ("Kafka", "Kafka"),
}
_LIMITS: Final = {
    "cpu": ("CPU", "CPU"),
    "partitions": ("số phân vùng của chủ đề", "the topic's partitions"),
    "network": ("mạng 10 Gbit/s", "a network of 10 Gbit/s"),
}
