"""Look-ups of several lines asked as one: to ask costs as much as to look up a hundred persons."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from streams.keys import Keys, joined


@dataclass(frozen=True)
class _Asked:
    keys: Keys
    newest: int
    answer: Future[Keys] = field(default_factory=Future)


class Jointly:
    """One question at a time, side by side they would only all be late; and what has come while
    one was asked is asked together, up to `most` keys. Thread-safe.
    """

    def __init__(self, rows: Callable[[Keys, int], Keys], most: int) -> None:
        self._rows = rows
        self._most = most
        self._waiting: deque[_Asked] = deque()
        self._asking = False
        self._changed = threading.Condition()

    def ask(self, keys: Keys, newest: int) -> Keys:
        """The rows of these keys' events, scanned by `newest` or, if that is later, by the time
        somebody else has asked for. Raises what `rows` raises."""
        mine = _Asked(keys, newest)
        with self._changed:
            self._waiting.append(mine)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: mine.answer.done() or not self._asking)
                if mine.answer.done():
                    return mine.answer.result()
                self._asking = True
                asked = self._next()
            try:
                self._answer(asked)
            finally:
                with self._changed:
                    self._asking = False
                    self._changed.notify_all()

    def _next(self) -> list[_Asked]:
        """Whoever waits longest, and as many after them as there is room for."""
        asked = [self._waiting.popleft()]
        size = len(asked[0].keys)
        while self._waiting and size + len(self._waiting[0].keys) <= self._most:
            asked.append(self._waiting.popleft())
            size += len(asked[-1].keys)
        return asked

    def _answer(self, asked: Sequence[_Asked]) -> None:
        try:
            found = self._rows(joined([a.keys for a in asked]), max(a.newest for a in asked))
            answers = [_of(found, a.keys) for a in asked] if len(asked) > 1 else [found]
        except BaseException as error:  # noqa: BLE001 (raised by whoever asked)
            for a in asked:
                a.answer.set_exception(error)
            return
        for a, answer in zip(asked, answers, strict=True):
            a.answer.set_result(answer)


def _of(found: Keys, keys: Keys) -> Keys:
    """Of these rows those that have an event id of these keys: nearly always none."""
    return found.take(np.flatnonzero(np.isin(found.event_lo, keys.event_lo)))
