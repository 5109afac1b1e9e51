"""How many ids are looked up at once, and that several lines ask as one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from schemas.errors import Retryable
from schemas.meters import Metrics
from schemas.settings import load_settings
from streams import recall
from streams.clickhouse import ClickHouse
from streams.keys import Keys
from streams.recall import Recall
from tests.system import wait_for

SETTINGS = load_settings(Path("nowhere"))
NOWHERE = ClickHouse(SETTINGS)  # connects when it is first asked


def keys(*events: int) -> Keys:
    column = np.array(events, np.uint64)
    return Keys(column, column, column, column, column)


class Engine:
    """Answers a question that is small enough, as long as it takes; knows of every tenth id."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int, seconds_each: float = 0) -> None:
        self.asked: list[int] = []
        self.most = most
        self.seconds_each = seconds_each
        self.now = 0.0
        self.go = threading.Event()
        self.go.set()
        monkeypatch.setattr(recall, "rows_of_persons", self._rows)
        monkeypatch.setattr(recall, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.recall = Recall(NOWHERE, SETTINGS, Metrics(CollectorRegistry()))

    def _rows(self, _: object, person: Any, events: tuple[Any, Any], newest: int) -> Keys:
        assert newest == 5
        self.asked.append(len(person))
        assert self.go.wait(10)
        self.now += self.seconds_each * len(person)
        if len(person) > self.most:
            raise Retryable("too slow")
        there = np.flatnonzero(person % 10 == 0)
        return keys(*person[there].tolist())

    def patiently(self, *events: int) -> Keys:
        """As a line does."""
        for _ in range(20):
            try:
                return self.recall.look_up(keys(*events), 5)
            except Retryable:
                continue
        raise AssertionError("asked again for ever")


def test_a_piece_is_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch, most=20_000)
    found = engine.recall.look_up(keys(*range(20_000)), 5)
    assert found.event_lo.tolist() == [*range(0, 20_000, 10)]
    assert engine.asked == [20_000]


def test_one_too_large_for_its_time_is_asked_in_smaller_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(monkeypatch, most=1_500, seconds_each=1e-3)
    found = engine.patiently(*range(20_000))
    assert found.event_lo.tolist() == [*range(0, 20_000, 10)]
    assert engine.asked[:3] == [20_000, 5_000, 1_250]
    assert max(engine.asked[2:]) <= 1_500, "between half a second and two, as before"


def test_slow_answers_make_questions_smaller_and_quick_ones_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(monkeypatch, most=20_000, seconds_each=2e-4)  # four seconds a piece
    engine.recall.look_up(keys(*range(20_000)), 5)
    engine.recall.look_up(keys(*range(20_000)), 5)
    assert engine.asked == [20_000, *[5_000] * 4]
    engine.seconds_each = 1e-6
    engine.recall.look_up(keys(*range(120_000)), 5)
    assert engine.asked[5:] == [5_000] * 8 + [10_000] * 8
    engine.recall.look_up(keys(*range(20_000)), 5)
    assert engine.asked[-1] == 20_000


def test_small_questions_of_others_do_not_make_large_ones_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(monkeypatch, most=4_000)
    for _ in range(4):
        with suppress(Retryable):
            engine.recall.look_up(keys(*range(20_000)), 5)
            break
        for _ in range(3):
            engine.recall.look_up(keys(*range(10)), 5)
    assert engine.asked[0] == 20_000
    assert [n for n in engine.asked if n > 10][:3] == [20_000, 5_000, 1_250]
    assert engine.asked[-12:] == [1_250] * 8 + [2_500] * 4, "it got through"


def test_it_never_asks_for_less_than_a_few_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch, most=0)
    for _ in range(10):
        with pytest.raises(Retryable):
            engine.recall.look_up(keys(*range(20_000)), 5)
    assert engine.asked[-1] == 500


def test_lines_that_ask_at_the_same_time_ask_together(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch, most=20_000)
    engine.go.clear()
    with ThreadPoolExecutor(4) as lines:
        first = lines.submit(engine.recall.look_up, keys(10, 11), 5)
        wait_for(lambda: engine.asked == [2], 5, "the first question")
        others = [lines.submit(engine.recall.look_up, keys(n, n + 1), 5) for n in (20, 30, 40)]
        waiting = engine.recall._looking_up._waiting
        wait_for(lambda: len(waiting) == 3, 5, "the others to wait")
        engine.go.set()
        assert [line.result(5).event_lo.tolist() for line in (first, *others)] == [
            [10], [20], [30], [40],
        ]  # fmt: skip
    assert engine.asked == [2, 6]
