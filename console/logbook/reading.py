"""The log files of a data directory, all of them in the order of time, and what comes next."""

import heapq
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from console.logbook.entries import Entry, Wanted, parse, read_lines

_POLL_S: Final = 0.3


def components(data_dir: Path) -> dict[str, list[Path]]:
    """Each component's files, the oldest first: `console.log.2`, `console.log.1`, `console.log`."""
    found: dict[str, list[Path]] = {}
    for path in (data_dir / "logs").glob("*.log*"):
        name, _, number = path.name.partition(".log")
        if not number or number[1:].isdecimal():
            found.setdefault(name, []).append(path)
    for paths in found.values():
        paths.sort(key=lambda path: -int(path.suffix[1:]) if path.suffix != ".log" else 0)
    return found


def read_logs(data_dir: Path, wanted: Wanted) -> Iterator[Entry]:
    """The lines that are wanted, by time."""
    streams = (_component(name, paths) for name, paths in sorted(components(data_dir).items()))
    merged = heapq.merge(*streams, key=lambda entry: entry.at)
    return filter(wanted, merged)


def _component(name: str, paths: list[Path]) -> Iterator[Entry]:
    for path in paths:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from read_lines(file, name)


def follow(
    data_dir: Path, wanted: Wanted, go_on: Callable[[], bool] = lambda: True
) -> Iterator[Entry]:
    """What is written from now on, while `go_on`. Waits; a file that is cut begins anew."""
    at = {path: path.stat().st_size for paths in components(data_dir).values() for path in paths}
    while go_on():
        for name, paths in components(data_dir).items():
            path = paths[-1]
            size = path.stat().st_size
            begin = at.get(path, 0)
            if size < begin:
                begin = 0
            if size > begin:
                whole, at[path] = _whole_lines(path, begin, size)
                for line in whole:
                    entry = parse(line, name)
                    if entry is not None and wanted(entry):
                        yield entry
            else:
                at[path] = begin
        time.sleep(_POLL_S)


def _whole_lines(path: Path, begin: int, end: int) -> tuple[list[str], int]:
    """The lines that are complete, and where the next begins."""
    with path.open("rb") as file:
        file.seek(begin)
        data = file.read(end - begin)
    complete = data.rfind(b"\n") + 1
    return data[:complete].decode("utf-8", "replace").splitlines(), begin + complete
