"""Look-ups of several lines, asked together."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from schemas.errors import Retryable
from streams.jointly import Jointly
from streams.keys import Keys
from tests.system import wait_for

MOST = 10


def keys(*events: int) -> Keys:
    column = np.array(events, np.uint64)
    return Keys(column, column, column, column, column)


class Engine:
    """Has even events. The first question waits until it is let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[int], int]] = []
        self.go = threading.Event()
        self.away = False

    def rows(self, wanted: Keys, newest: int) -> Keys:
        self.asked.append((wanted.event_lo.tolist(), newest))
        assert self.go.wait(10)
        if self.away:
            raise Retryable("away")
        return wanted.take(np.flatnonzero(wanted.event_lo % 2 == 0))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def side_by_side(
    engine: Engine, pool: ThreadPoolExecutor, *lines: tuple[int, ...]
) -> list[Future[Keys]]:
    """The first is being asked when the others come, in this order."""
    jointly = Jointly(engine.rows, MOST)
    asked: list[Future[Keys]] = []

    def in_line() -> bool:
        return len(engine.asked) + len(jointly._waiting) == len(asked)

    for number, events in enumerate(lines):
        asked.append(pool.submit(jointly.ask, keys(*events), 100 - number))
        wait_for(in_line, 5, f"line {number} to wait its turn")
    engine.go.set()
    return asked


def test_what_comes_while_one_is_asked_is_asked_together(threads: ThreadPoolExecutor) -> None:
    engine = Engine()
    lines = (1, 2), (3, 4), (5, 6, 7), (8,)
    answers = [a.result(5).event_lo.tolist() for a in side_by_side(engine, threads, *lines)]
    assert answers == [[2], [4], [6], [8]]
    assert engine.asked == [([1, 2], 100), ([3, 4, 5, 6, 7, 8], 99)]


def test_no_more_than_there_is_room_for_and_one_however_large(threads: ThreadPoolExecutor) -> None:
    engine = Engine()
    large = tuple(range(20, 20 + 2 * MOST))
    answers = side_by_side(engine, threads, (1,), (2, 3, 4, 5), (6, 7, 8, 9, 10, 11, 12), large)
    assert [len(a.result(5)) for a in answers] == [0, 2, 4, MOST]
    assert [len(events) for events, _ in engine.asked] == [1, 4, 7, 2 * MOST]


def test_who_was_asked_together_fails_together_and_may_ask_again(
    threads: ThreadPoolExecutor,
) -> None:
    engine = Engine()
    engine.away = True
    for answer in side_by_side(engine, threads, (1,), (2,), (4,)):
        with pytest.raises(Retryable):
            answer.result(5)
    assert [events for events, _ in engine.asked] == [[1], [2, 4]]


def test_it_goes_on_after_a_failure() -> None:
    engine = Engine()
    engine.go.set()
    jointly = Jointly(engine.rows, MOST)
    engine.away = True
    with pytest.raises(Retryable):
        jointly.ask(keys(2), 1)
    engine.away = False
    assert jointly.ask(keys(2), 1).event_lo.tolist() == [2]
