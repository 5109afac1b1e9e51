"""Where words go: results to stdout, everything else to stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH: Final = 100  # where the width is not known
_TOLD_EVERY_S: Final = 5.0

# How far it is and of how much; what it is doing may change on the way.
Advance = Callable[[float], None]


def json_line(value: Any) -> None:
    """One JSON object on stdout."""
    import orjson

    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    sys.stdout.buffer.write(orjson.dumps(value, option=options))
    sys.stdout.buffer.flush()


def line(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line beside the result: progress, hints, warnings."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def number(value: float) -> str:
    """`1 234 567`: neither a comma nor a dot, which mean different things to different readers."""
    return f"{value:,.0f}".replace(",", "\u202f")


def screen(stderr: bool = False) -> "Console":
    """A rich console that does not colour what is piped."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, width=PLAIN_WIDTH)
    return console


def named(*names: str | None) -> str:
    """A place and its site as one name: what is the same, or not known, is not said twice."""
    return ", ".join(dict.fromkeys(filter(None, names)))


@contextmanager
def progress(what: str, total: float, unit: str = "") -> Iterator[Advance]:
    """A bar on a terminal; elsewhere a line every few seconds. Yields a setter of what is done.

    Where the total is not known (0) the bar says how many there are, if the `unit` is named.
    """
    console = screen(stderr=True)
    if not console.is_terminal:
        yield _lines(what, total, unit)
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total or None)
        counts = bool(unit) and not total

        def advance(done: float) -> None:
            said = f"{what}: {number(done)} {unit}" if counts else what
            bar.update(task, completed=done, description=said)

        yield advance


def _lines(what: str, total: float, unit: str) -> Advance:
    import time

    told = time.monotonic()

    def advance(done: float) -> None:
        nonlocal told
        if time.monotonic() - told >= _TOLD_EVERY_S:
            told = time.monotonic()
            of = f" {100 * done / total:.0f} %" if total else ""
            count = f" ({number(done)} {unit})" if unit else ""
            note(f"  {what}{of}{count}")

    return advance
