"""What a long start tells its caller, and how a terminal shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

Stage = Literal["fetch", "prepare", "start", "ready"]


@dataclass(frozen=True)
class Progress:
    """One thing that moved: jars while fetching, services while starting."""

    stage: Stage
    name: str
    """A jar's file name, or a service's name."""
    state: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """The listener of callers that do not want to know."""


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[OnProgress]:
    """A bar for each stage on a terminal; elsewhere a line when a stage or a service moves."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        last: set[tuple[str, str, str]] = set()

        def line(progress: Progress) -> None:
            name = "" if progress.stage == "fetch" else progress.name
            key = (progress.stage, name, "" if progress.stage == "fetch" else progress.state)
            if key not in last:
                last.add(key)
                console.print(" ".join(part for part in key if part), highlight=False)

        yield line
        return
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[what]}"),
    )
    with RichProgress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bar.add_task(progress.stage, what="")
            bar.update(
                tasks[progress.stage],
                total=progress.total,
                completed=progress.done,
                what=f"{progress.name} {progress.state}",
            )

        yield show
