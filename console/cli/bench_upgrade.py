"""`truyvet bench upgrade`: its options and its lines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.benching_long_kit import own_directory
from console.cli.out import json_line, line, note, number
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from bench.queryable import Delays
    from bench.upgrade import Result


def add_upgrade_bench(bench: typer.Typer) -> None:
    """This command."""
    about = "Nâng cấp khi đang có tải, từ phiên bản trước. / Upgrade under load from the last."
    bench.command("upgrade", help=about)(upgrade)


def upgrade(
    context: typer.Context,
    revision: Annotated[
        str, typer.Option("--from", help="Phiên bản cũ trong git. / The old version, in git.")
    ] = "HEAD^",
    tree: Annotated[
        Path | None,
        typer.Option(
            "--from-tree", help="Hoặc thư mục mã nguồn cũ. / Or where it lies unpacked: no git."
        ),
    ] = None,
    rate: Annotated[float, typer.Option(min=10, help="Lượt mỗi giây. / Scans a second.")] = 5_000,
    seconds: Annotated[
        float, typer.Option(min=2, help="Mỗi đoạn trước và sau. / Before, and after.")
    ] = 60,
    workers: Annotated[
        int, typer.Option(min=1, max=4, help="Tiến trình mỗi bên. / Workers of each version.")
    ] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same city.")] = 7,
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Old workers, migrations, new workers beside them, the old ones leave: nothing is lost,
    nothing is there twice. Exit code 1 if not, or if scans had to wait too long (unless short).
    """
    from bench.upgrade import Plan, run

    session = session_of(context)
    plan = Plan(revision, tree, rate, seconds, workers=workers, seed=seed)
    if short:
        plan = Plan(
            revision, tree, rate=500, seconds=4, apart_s=3, warm_up_s=2, workers=1, places=200,
            seed=seed,
        )  # fmt: skip
    found = run(own_directory(session, "upgrade"), plan, note)
    passed = found.exact and found.graceful and (short or found.prompt)
    if as_json:
        json_line({"bench": "upgrade", **found.as_dict(), "passed": passed})
    else:
        _tell(session, found)
    raise typer.Exit(0 if passed else 1)


def _tell(session: Session, found: "Result") -> None:
    stretches: tuple[tuple[Delays | None, str, str], ...] = (
        (found.before, "trước", "before"),
        (found.during, "trong khi nâng cấp", "during"),
        (found.after, "sau", "after"),
    )
    for delays, vi, en in stretches:
        if delays is not None:
            line(f"{delays.p99_ms:>9,.0f} ms  p99 {session.words(vi, en)}")
    for step, delays in found.steps.items():
        line(f"{delays.max_ms:>9,.0f} ms  {session.words('lâu nhất', 'longest')}: {step}")
    for left in found.left:
        what = session.words("tiến trình cũ dừng", "for an old worker to leave")
        line(f"{left.seconds:>10.1f} s  {what} ({left.exit_code})")
    for count, vi, en in (
        (found.sent, "lượt quét đã gửi", "scans sent"),
        (found.lost, "bị mất", "lost"),
        (found.twice, "bị ghi hai lần", "twice"),
    ):
        line(f"{number(count):>12}  {session.words(vi, en)}")
