"""What the longer benchmarks share: their directory, what they are told, how they are shown."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import typer

from console.cli.benching_long_rows import rows_of
from console.cli.out import json_line, line, note
from console.cli.session import Session

LIVE_FILE: Final = "bench-live.json"


def own_directory(session: Session, name: str) -> Path:
    """An empty directory for this benchmark; what it logs goes to stderr from here on.

    Raises UserError if a benchmark runs in it, or if it is none's.
    """
    import shutil

    from deploy.embedded.stack import status
    from schemas.errors import UserError
    from schemas.logs import configure_logging

    configure_logging("info")  # what the benchmark calls of ours would else log to stdout
    own = session.data_dir / f"bench-{name}"
    if own.exists():
        if status(own).running:
            raise UserError(f"Một phép đo đang chạy trong {own}. / A benchmark runs in {own}.")
        if not (own / "truyvet.env").exists() and any(own.iterdir()):
            raise UserError(
                f"{own} không phải của phép đo; hãy dời nó đi. / "
                f"{own} is not a benchmark's; move it away."
            )
        shutil.rmtree(own)
    return own


def half_the_live_rate(session: Session) -> float:
    """At most the soak's cap. Raises UserError when `bench live` has not run."""
    from bench.soak import CAP
    from schemas.errors import UserError

    file = session.data_dir / LIVE_FILE
    if not file.exists():
        raise UserError(
            "Chưa đo tốc độ trực tiếp: chạy `truyvet bench live` trước, hoặc cho --rate. / "
            "No live rate is known: run `truyvet bench live` first, or give --rate."
        )
    return min(CAP, float(file.read_text(encoding="utf-8")) / 2)


def rising_numbers(text: str, option: str = "--rows") -> tuple[int, ...]:
    """`10,100` as numbers. Raises UserError."""
    from schemas.errors import UserError

    try:
        found = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        found = ()
    if not found or list(found) != sorted(set(found)) or found[0] < 1:
        raise UserError(
            f"{option} {text}: cần các số tăng dần, cách nhau dấu phẩy. / "
            "rising numbers with commas."
        )
    return found


def show(
    session: Session,
    name: str,
    found: dict[str, Any],
    lines: Sequence[str],
    as_json: bool,
    *,
    passed: bool = True,
) -> None:
    """The result, once; then the exit code. `passed` goes into the JSON object."""
    if as_json:
        json_line({"bench": name, **found, "passed": passed})
    else:
        words: Callable[[str, str], str] = session.words
        for vi, en, value in rows_of(name, found):
            line(f"{value:>14}  {words(vi, en)}")
        for text in lines:
            line(text)
        if not passed:
            note(words("Vượt giới hạn đã nêu.", "A limit that was stated is passed."))
    raise typer.Exit(0 if passed else 1)
