"""The longer benchmarks: live, soak, growth, window, watch, outage, fsync, garbage.

Each has a directory of its own beside the data, which it empties first; `--short` is the whole
path in small, to see that it is right: it says nothing about speed. Exit code 1 when a limit
that the command states was passed; never in the short form.
"""

from typing import Annotated, Any

import typer

from console.cli.benching_long_kit import (
    LIVE_FILE,
    half_the_live_rate,
    own_directory,
    rising_numbers,
    show,
)
from console.cli.out import note
from console.cli.session import Json, session_of

Short = Annotated[
    bool, typer.Option("--short", help="Bản nhỏ, chỉ kiểm tra đúng sai. / Small: only correctness.")
]
Seed = Annotated[int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same, same city.")]
Rate = Annotated[float, typer.Option(min=0, help="Lượt mỗi giây. / Scans a second.")]


def add_long_benches(bench: typer.Typer) -> None:
    """These commands."""
    for name, words, command in (
        ("live", "Từ lượt quét đến khi tra được; tốc độ trực tiếp. / Scan to queryable.", live),
        ("soak", "Nửa giờ tải đều: bộ nhớ có phẳng không. / Half an hour: is memory flat.", soak),
        ("growth", "Giá mỗi lượt khi bảng đã lớn. / Cost of a scan in a large table.", growth),
        ("window", "Cửa sổ trùng lặp và hàng chờ. / The duplicate window, a backlog.", window),
        ("watch", "Giá của việc đối chiếu ca bệnh. / What checking open cases costs.", watch),
        ("outage", "ClickHouse mất nhiều phút. / ClickHouse is gone for minutes.", outage),
        ("fsync", "Giá của an toàn khi mất điện. / What power-loss safety costs.", fsync),
        ("garbage", "Giá của bản ghi hỏng. / What bad records cost.", garbage),
    ):
        bench.command(name, help=words)(command)


def live(
    context: typer.Context,
    rate: Rate = 10_000,
    seconds: Annotated[float, typer.Option(min=2, help="Mỗi đoạn. / A stretch.")] = 120,
    seconds_per_step: Annotated[
        float, typer.Option(min=4, help="Mỗi bước tìm. / A step of the search.")
    ] = 120,
    first_rate: Annotated[
        float, typer.Option(min=1, help="Tìm bắt đầu từ đây. / The search begins here.")
    ] = 60_000,
    most_rate: Annotated[
        float, typer.Option(min=1, help="Tìm đến đây thôi. / It goes no further.")
    ] = 400_000,
    search: Annotated[
        bool, typer.Option(help="Tìm tốc độ trực tiếp. / Find the live rate.")
    ] = True,
    maintenance: Annotated[
        int,
        typer.Option(
            min=0,
            help="Dòng của các tuần đã đóng, gộp bên cạnh. / Closed weeks' rows merged beside.",
        ),
    ] = 0,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """Delays at a steady rate; the highest rate at which the lag does not grow; delays at 80 %."""
    from bench.live import Plan, run

    plan = Plan(
        rate=rate,
        seconds=seconds,
        seconds_per_step=seconds_per_step,
        first_rate=first_rate,
        most_rate=most_rate,
        maintenance_rows=maintenance,
        seed=seed,
    )
    if short:
        plan = Plan(
            rate=1_000, seconds=3, warm_up_s=1, seconds_per_step=4, first_rate=2_000,
            most_rate=4_000, factor=2, steps_most=2, maintenance_rows=20_000, places=200, seed=seed,
        )  # fmt: skip
    session = session_of(context)
    found = run(own_directory(session, "live"), plan, note, find_live_rate=search)
    if not short and found.live_rate:
        (session.data_dir / LIVE_FILE).write_text(str(found.live_rate), encoding="utf-8")
    late = found.steady.p99_ms > found.steady_limit_ms or (
        found.live is not None and found.live.p99_ms > found.live_limit_ms
    )
    show(session, "live", found.as_dict(), (), as_json, passed=short or not late)


def soak(
    context: typer.Context,
    minutes: Annotated[float, typer.Option(min=0.1, help="Số phút. / Minutes.")] = 30,
    rate: Annotated[
        float,
        typer.Option(
            min=0,
            help="0: nửa tốc độ trực tiếp, tối đa 50.000. / 0: half the live rate.",
        ),
    ] = 0,
    maintenance: Annotated[
        int, typer.Option(min=0, help="Dòng của các tuần đã đóng. / Rows of closed weeks.")
    ] = 2_000_000,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """Memory of worker, engine and broker, parts and lag, every ten seconds."""
    from bench.soak import Plan, run

    session = session_of(context)
    if short:
        plan = Plan(
            rate=1_000, seconds=8, settle_s=2, mean_s=2, every_s=0.5, maintenance_rows=20_000,
            places=200, seed=seed,
        )  # fmt: skip
    else:
        plan = Plan(
            rate=rate or half_the_live_rate(session),
            seconds=60 * minutes,
            settle_s=min(300, 30 * minutes),
            maintenance_rows=maintenance,
            seed=seed,
        )
    found = run(own_directory(session, "soak"), plan, note)
    lines = [f"{name:>12}  {bars}" for name, bars in found.sparklines().items()]
    flat = 0.9 <= found.rss_ratio <= 1.1
    show(session, "soak", found.as_dict(), lines, as_json, passed=short or flat)


def growth(
    context: typer.Context,
    rows: Annotated[
        str, typer.Option(help="Số dòng có sẵn, phân cách bằng dấu phẩy. / Rows there before.")
    ] = "10000000,100000000",
    records: Annotated[
        int, typer.Option(min=1_000, help="Lượt quét mỗi vòng. / Scans a round.")
    ] = 1_000_000,
    rate: Rate = 50_000,
    paper: Annotated[
        int, typer.Option(min=100, help="Lượt gõ từ giấy của hai tuần. / Typed from paper.")
    ] = 200_000,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """CPU a scan of worker and engine with an empty, a large and a very large table."""
    from bench.growth import Plan, run

    session = session_of(context)
    plan = Plan(rising_numbers(rows), records, rate, paper, seed=seed)
    if short:
        plan = Plan((40_000, 120_000), 10_000, 10_000, 5_000, 200, seed, rounds=1)
    found = run(own_directory(session, "growth"), plan, note)
    slow = any(s.present.at_end_s > found.present_limit_s for s in found.stages)
    dear = found.ratio_last_to_first_filled > 1.1
    show(session, "growth", found.as_dict(), (), as_json, passed=short or not (slow or dear))


def window(
    context: typer.Context,
    ids: Annotated[
        int, typer.Option(min=10_000, help="Số mã trong cửa sổ. / Ids in the window.")
    ] = 4_000_000,
    backlog: Annotated[
        int,
        typer.Option(min=10_000, help="Hàng chờ lớn, so với bốn phần mười. / Against four tenths."),
    ] = 10_000_000,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """Memory and rebuild of the duplicate window per million ids; memory with a backlog."""
    from bench.window import Plan, run

    session = session_of(context)
    plan = Plan(ids, small_backlog=backlog * 4 // 10, backlog=backlog, seed=seed)
    if short:
        plan = Plan(100_000, 5, 50_000, 200_000, 200, seed)
    found = run(own_directory(session, "window"), plan, note)
    flat = found.backlog_ratio <= 1.1
    show(session, "window", found.as_dict(), (), as_json, passed=short or flat)


def watch(
    context: typer.Context,
    windows: Annotated[
        int, typer.Option(min=20, help="Mốc dịch tễ đang theo dõi. / Place-windows open.")
    ] = 10_000,
    isolated_hours: Annotated[
        float, typer.Option(min=0, help="Từ lúc cách ly. / Since the cases were isolated.")
    ] = 24,
    rate: Rate = 50_000,
    seconds: Annotated[float, typer.Option(min=1, help="Mỗi lần đo. / Each time.")] = 30,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Lấy trung vị. / Median of.")] = 3,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """Worker CPU a scan with no case open and with many, in turn."""
    from bench.watch import Plan, run

    session = session_of(context)
    plan = Plan(windows, isolated_hours, rate, seconds, rounds, seed=seed)
    if short:
        plan = Plan(100, isolated_hours, 1_000, 3, 1, 200, seed)
    found = run(own_directory(session, "watch"), plan, note)
    cheap = found.ratio <= found.limit
    show(session, "watch", found.as_dict(), (), as_json, passed=short or cheap)


def outage(
    context: typer.Context,
    minutes: Annotated[float, typer.Option(min=0.1, help="Số phút. / Minutes.")] = 10,
    rate: Rate = 20_000,
    hang: Annotated[
        bool,
        typer.Option("--hang", help="Treo (SIGSTOP) thay vì bị giết. / It hangs instead of dying."),
    ] = False,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """The engine is gone while scans keep coming; nothing may be lost."""
    from bench.outage import Plan, run

    session = session_of(context)
    how: Any = "stop" if hang else "kill"
    plan = Plan(60 * minutes, rate, how, seed=seed)
    if short:
        plan = Plan(20 if hang else 8, 1_000, how, 0.5, 4, 200, seed)
    found = run(own_directory(session, "outage"), plan, note)
    seen = found.engine_away_share >= 0.9 and found.not_ready_share >= 0.9
    well = seen and found.ready_after and not found.away_after
    lines = [f"{name:>12}  {bars}" for name, bars in found.sparklines().items()]
    show(session, "outage", found.as_dict(), lines, as_json, passed=short or well)


def fsync(
    context: typer.Context,
    records: Annotated[
        int, typer.Option(min=1_000, help="Lượt quét mỗi vòng. / Scans a round.")
    ] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Lấy trung vị. / Median of.")] = 3,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """Publishing and ingest under each setting, as ratios to the default."""
    from bench.fsync import Plan, run

    session = session_of(context)
    plan = Plan(5_000, 1, 200, seed) if short else Plan(records, rounds, seed=seed)
    show(session, "fsync", run(own_directory(session, "fsync"), plan, note).as_dict(), (), as_json)


def garbage(
    context: typer.Context,
    records: Annotated[
        int, typer.Option(min=1_000, help="Bản ghi mỗi loại. / Records of a kind.")
    ] = 500_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Lấy trung vị. / Median of.")] = 3,
    seed: Seed = 7,
    short: Short = False,
    as_json: Json = False,
) -> None:
    """A topic of nothing but one kind of bad record, beside a good one."""
    from bench.garbage import Plan, run

    session = session_of(context)
    plan = Plan(4_000, 1, 200, seed) if short else Plan(records, rounds, seed=seed)
    found = run(own_directory(session, "garbage"), plan, note)
    dear = found.worst > found.limit
    show(session, "garbage", found.as_dict(), (), as_json, passed=short or not dear)
