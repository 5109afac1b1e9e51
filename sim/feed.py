"""From a simulation to chunks ready to publish, writing the truth on the way."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from schemas.errors import UserError
from sim.cases import pick_case
from sim.codes import write_codes
from sim.encode import CHUNK
from sim.model import OUTCOMES, Records
from sim.partitions import person_partitions
from sim.simulate import Bulk, Output, Steady
from sim.truth import TruthWriter, expected, read_visits, write_json


@dataclass(frozen=True)
class Chunk:
    """Records in order of publication."""

    rows: Records
    keys: list[bytes]
    values: list[bytes]
    partitions: list[int]

    def __len__(self) -> int:
        return len(self.rows)


class Feed:
    """One pass over a simulation. `published` says what has really gone out."""

    def __init__(self, made: Bulk | Steady, out: Path, origin: str, total: int) -> None:
        self.made, self.total = made, total
        self._out = out
        self._encoder = made.simulation.encoder(made.world, made.people)
        self._keys = [text.encode() for text in made.people.texts]
        self._partitions = np.zeros(len(made.people), dtype=np.int64)
        self._outputs: Iterator[Output] = made.outputs()
        self._rows: Records | None = None
        self._at = 0
        self._outcomes: Counter[str] = Counter()
        self._truth = TruthWriter(out, made.world, made.people)
        write_codes(out / "codes.csv", made.world.places, origin, made.window[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._truth.__exit__(kind, error, tb)
        write_json(self._out / "expected.json", self.expected())
        if error is None and isinstance(self.made, Bulk):
            self._write_case()

    def partition_by(self, partitions: int) -> None:
        """Must be called before the first chunk."""
        self._partitions = person_partitions(self.made.people.texts, partitions)

    def next_chunk(self) -> Chunk | None:
        """The next records, or None at the end."""
        while True:
            if self._rows is None and not self._next_output():
                return None
            assert self._rows is not None
            rows = self._rows[self._at : self._at + CHUNK]
            if len(rows):
                self._at += len(rows)
                return self._chunk(rows)
            self._rows = None

    def due_chunk(self, now_ms: int, limit: int) -> Chunk | None:
        """The records due by now, possibly none; None when all are out (of a steady run)."""
        if self._rows is None and not self._next_output():
            return None
        assert self._rows is not None
        if self._at >= len(self._rows):
            return None
        due = int(np.searchsorted(self._rows["upload"], now_ms, side="right"))
        rows = self._rows[self._at : min(due, self._at + limit)]
        self._at += len(rows)
        return self._chunk(rows)

    def published(self, chunk: Chunk) -> None:
        """Counts a chunk that was handed to the broker and writes it to the truth."""
        counts = np.bincount(chunk.rows["outcome"], minlength=len(OUTCOMES)).tolist()
        self._outcomes.update(dict(zip(OUTCOMES, counts, strict=True)))
        self._truth.events(chunk.rows)

    def expected(self) -> dict[str, object]:
        """Counts by outcome of what was published."""
        return expected(self._outcomes)

    def _write_case(self) -> None:
        """`case.json`: the demo's case, picked from the truth of two weeks."""
        made = self.made
        until = datetime.fromtimestamp(made.window[1] / 1000, UTC)
        visits = read_visits(self._out)
        with suppress(UserError):  # too small a city has no case to show
            picked = pick_case(visits, made.world.places, until, made.simulation.seed)
            write_json(self._out / "case.json", picked.record())

    def _next_output(self) -> bool:
        output = next(self._outputs, None)
        if output is None:
            return False
        self._truth.visits(output.visits)
        self._rows, self._at = output.rows, 0
        return True

    def _chunk(self, rows: Records) -> Chunk:
        persons = rows["person"]
        keys = self._keys
        return Chunk(
            rows,
            [keys[p] for p in persons.tolist()],
            self._encoder.values(rows),
            self._partitions[persons].tolist(),
        )
