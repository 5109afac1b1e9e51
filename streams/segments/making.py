"""Segments of the large parts as files, made by one process of this machine for all of them.

By a worker, beside its work: a part that has come, by a merge or by a month's import, is read once
in each order, a few million rows a second, and not while more comes than a city's scans.
"""

import fcntl
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from streams.clickhouse import ClickHouse
from streams.segments import files
from streams.segments.influx import Influx
from streams.segments.mapping import FILE_ROWS
from streams.segments.parts import Part, active_parts, contents
from tracer.statements import Source

log = structlog.get_logger()
_LOCK: Final = ".lock"
_LEFT_FREE: Final = 2  # times what is written


@dataclass(frozen=True)
class Made:
    """How many segments were made of how many rows, and how long it took."""

    segments: int
    rows: int
    seconds: float


_NOTHING: Final = Made(0, 0, 0.0)


class Maker:
    """Makes segments in a folder, of at most so many bytes in all."""

    def __init__(self, clickhouse: ClickHouse, folder: Path, most_bytes: int) -> None:
        self._clickhouse, self._folder, self._most_bytes = clickhouse, folder, most_bytes
        self._influx = Influx()
        self._refused: set[str] = set()  # said once

    def round(self) -> Made:
        """Make those that are lacking, the largest first, as far as the disk goes; and take away
        those of parts that are gone. Nothing while another process is at it.

        Raises Retryable and OSError.
        """
        begin = time.monotonic()
        with _alone(self._folder) as alone:
            if not alone or self._clickhouse.projection("scans", Source.PACKED) == "scans":
                return _NOTHING  # a distributed table, or a server that cannot be asked so
            active = active_parts(self._clickhouse)
            content = self._tidied(active, undone=True)
            self._refused &= {part.name for part in content}
            if self._influx.is_high(active):
                return _NOTHING
            made = [
                part.rows
                for part in sorted(content, key=lambda part: -part.rows)
                if not (self._folder / files.folder_name(part, content[part])).is_dir()
                and self._has_room(part.name, files.bytes_of(part.rows))
                and self._written(part, content[part])
            ]
        found = Made(len(made), sum(made), time.monotonic() - begin)
        if made:
            seconds = round(found.seconds, 2)
            log.info("segments_made", segments=len(made), rows=found.rows, seconds=seconds)
        return found

    def tidy(self) -> None:
        """Take away segments of parts that are gone. Any process may, also while another makes
        some: one that was made meanwhile and goes with them is made again. Raises Retryable."""
        if not self._folder.is_dir():
            return
        self._tidied(active_parts(self._clickhouse), undone=False)

    def _tidied(self, active: Iterable[Part], *, undone: bool) -> dict[Part, str]:
        """The content of each part that is to have a file, once those of all others are gone."""
        large = [part for part in active if part.rows >= FILE_ROWS]
        known = contents(self._clickhouse, large)
        content = {part: known[part.name] for part in large if part.name in known}
        kept = [files.folder_name(part, of) for part, of in content.items()]
        for gone in files.drop_others(self._folder, kept, undone=undone):
            log.info("segment_dropped", segment=gone)
        return content

    def _written(self, part: Part, content: str) -> bool:
        """One that the disk does not take holds up no other."""
        try:
            return files.write(self._clickhouse, self._folder, part, content)
        except OSError as error:
            kind = type(error).__name__
            log.error("segments_failed", kind=kind, detail=str(error), part=part.name)
            return False

    def _has_room(self, part: str, size: int) -> bool:
        why = ""
        if files.held_bytes(self._folder) + size > self._most_bytes:
            why = "segments_gb"
        elif shutil.disk_usage(self._folder).free < _LEFT_FREE * size:
            why = "disk"
        if why and part not in self._refused:
            self._refused.add(part)
            log.warning("segment_not_made", part=part, why=why, bytes=size)
        return not why


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process is making segments in this folder, until the block ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
