"""Whose log the rows are of: told by one row of each partition of a log that has its beginning."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.errors import Fatal, Retryable
from schemas.topics import SCANS
from streams import samelog
from tests.console_kit import FakeTables, settings_in

NOW = 1_795_000_000_000


class FakeLog:
    """Partitions as (begin, append times from there on)."""

    def __init__(self, logs: dict[int, tuple[int, list[int]]]) -> None:
        self._logs = logs
        self._at = 0

    def __call__(self, *_: Any, **__: Any) -> "FakeLog":
        return self

    async def start(self) -> None:
        """There is no connection."""

    async def stop(self) -> None:
        """Nor an end of it."""

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(SCANS.name, p) for p in self._logs}

    async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self._logs[tp.partition][0] for tp in tps}

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {
            tp: sum((self._logs[tp.partition][0], len(self._logs[tp.partition][1]))) for tp in tps
        }

    def seek(self, _: TopicPartition, offset: int) -> None:
        self._at = offset

    async def getone(self, tp: TopicPartition) -> Any:
        begin, times = self._logs[tp.partition]
        return SimpleNamespace(offset=self._at, timestamp=times[self._at - begin])


def strange(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    logs: dict[int, tuple[int, list[int]]],
    rows: dict[int, tuple[int, int]],
) -> list[int]:
    monkeypatch.setattr(samelog, "AIOKafkaConsumer", FakeLog(logs))

    def answer(_: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        row = rows.get(parameters["partition"])
        return [] if row is None else [row]

    settings = settings_in(tmp_path)
    return asyncio.run(samelog.strange_partitions(settings, FakeTables(answer)))


@pytest.mark.parametrize(
    ("log", "row", "is_strange"),
    [
        ((0, [NOW, NOW + 5, NOW + 9]), (1, NOW + 5), False),
        ((0, [NOW, NOW + 5, NOW + 9]), None, False),  # no rows: nothing can be taken for written
        ((0, []), (1, NOW + 5), True),  # new and empty
        ((0, [NOW + 99]), (1, NOW + 5), True),  # new, and behind the rows
        ((0, [NOW + 99, NOW + 100, NOW + 101]), (1, NOW + 5), True),  # new, and past them by now
        ((7, [NOW + 99]), (1, NOW + 5), False),  # its beginning is gone: offsets go on from there
        ((7, []), (1, NOW + 5), False),
    ],
)
def test_a_row_tells_whose_log_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: tuple[int, list[int]],
    row: tuple[int, int] | None,
    is_strange: bool,
) -> None:
    rows = {} if row is None else {2: row}
    found = strange(tmp_path, monkeypatch, {0: (0, [NOW]), 2: log}, {0: (0, NOW), **rows})
    assert found == ([2] if is_strange else [])


def test_a_worker_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samelog, "AIOKafkaConsumer", FakeLog({3: (0, [])}))
    tables = FakeTables(lambda _sql, _parameters: [(0, NOW)])
    with pytest.raises(Fatal, match=r"partition 3.*truyvet topics renew"):
        samelog.check_log(settings_in(tmp_path), tables, 3)
    samelog.check_log(settings_in(tmp_path), tables, 2)  # of which nothing is asked
    with pytest.raises(Retryable):
        samelog.check_log(settings_in(tmp_path), FakeTables(), 3)
