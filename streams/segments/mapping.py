"""The files of parts, as a process maps them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from weakref import WeakSet

from streams.clickhouse import ClickHouse
from streams.segments.files import blocks_of, mapped, warm
from streams.segments.parts import Part, contents
from tracer.segment import Segment

FILE_ROWS: Final = 300_000  # a part with so many is mapped from a file


class Mapping:
    """Those in a folder; without one, none."""

    def __init__(self, clickhouse: ClickHouse, folder: Path | None) -> None:
        self._clickhouse, self._folder = clickhouse, folder
        self._warm: WeakSet[Segment] = WeakSet()

    def of(self, parts: Iterable[Part]) -> Iterator[tuple[Part, Segment]]:
        """The segments of these parts, as far as there are. Raises Retryable."""
        large = [part for part in parts if part.rows >= FILE_ROWS and self._has_file(part)]
        if self._folder is None or not large:
            return
        content = contents(self._clickhouse, large)
        for part in large:
            segment = mapped(self._folder, part, content.get(part.name, ""))
            if segment is not None:
                yield part, segment

    def warm(self, segments: Iterable[Segment]) -> None:
        """Have these in memory, before anybody waits for it."""
        for segment in segments:
            if segment not in self._warm:
                warm(segment)
                self._warm.add(segment)

    def _has_file(self, part: Part) -> bool:
        return self._folder is not None and any(self._folder.glob(f"{blocks_of(part)}_*"))
