"""What a worker knows of the past: the windows of its partitions, and the look-ups beyond them."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from schemas import metrics as m
from schemas.errors import Retryable
from schemas.meters import Metrics
from schemas.settings import Settings
from streams.clickhouse import ClickHouse
from streams.jointly import Jointly
from streams.keys import Keys, joined
from streams.lookups import (
    IDS_AT_ONCE,
    REBUILD_S,
    Memory,
    rebuild_window,
    remember_older,
    rows_of_persons,
)
from streams.window import Window

log = structlog.get_logger()
_DIGITS: Final = 3
_LEAST_IDS: Final = 500
_QUICK_S, _SLOW_S = 0.5, 2.0
_QUICK_ONES: Final = 8


class Recall:
    """Reads back from ClickHouse. Each call blocks and raises Retryable, changing nothing."""

    def __init__(self, clickhouse: ClickHouse, settings: Settings, metrics: Metrics) -> None:
        self._clickhouse = clickhouse
        self._past = ClickHouse(settings, timeout_s=REBUILD_S)
        self._metrics = metrics
        self._looking_up = Jointly(self._rows, IDS_AT_ONCE)
        self._pace = Pace(_LEAST_IDS, IDS_AT_ONCE)
        self._memory = Memory(
            settings.duplicate_ids, settings.duplicate_past, settings.duplicate_days
        )
        # the salt keeps anyone from choosing ids that collide in the window
        self._salt = secrets.randbits(64)

    def rebuild(self, partition: int, reference_ms: int) -> Window:
        """The window of a partition with its newest ids."""
        begin = time.monotonic()
        window = rebuild_window(self._past, partition, self._memory, reference_ms, self._salt)
        took = round(time.monotonic() - begin, _DIGITS)
        log.info("window_rebuilt", partition=partition, ids=len(window), seconds=took)
        return window

    def remember(self, partition: int, window: Window, reference_ms: int) -> bool:
        """Older ids, a stretch of them; False when there are no more to remember."""
        begin = time.monotonic()
        more = remember_older(self._past, partition, window, self._memory, reference_ms)
        took = round(time.monotonic() - begin, _DIGITS)
        event = "window_remembers" if more else "window_complete"
        log.info(event, partition=partition, horizon_ms=window.horizon_ms, seconds=took)
        return more

    def look_up(self, keys: Keys, newest: int) -> Keys:
        """The rows that are there of these persons' events, scanned by `newest` (ms, UTC)."""
        self._metrics.counter(m.LOOKED_UP).inc(len(keys))
        return self._looking_up.ask(keys, newest)

    def _rows(self, keys: Keys, newest: int) -> Keys:
        found = []
        while len(keys):
            now, keys = keys.take(slice(self._pace.ids)), keys.take(slice(self._pace.ids, None))
            with self._pace.of(len(now)):
                events = now.event_hi, now.event_lo
                found.append(rows_of_persons(self._clickhouse, now.person, events, newest))
        return joined(found)


class Pace:
    """How many ids to look up at once: as many as the engine answers within a second or two.

    With what is around each question a context: one that fails or takes long makes the next ones
    smaller, or a question too large for its time would be asked again for ever. They grow again
    after some that were quick and as large as may be: not so soon that the rest of a piece, which
    is asked again from its beginning, would fail once more.
    """

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self._quick = 0
        self.ids = most

    @contextmanager
    def of(self, asked: int) -> Iterator[None]:
        """Around a question about so many."""
        begin = time.monotonic()
        try:
            yield
        except Retryable:
            self._smaller()
            raise
        took = time.monotonic() - begin
        if took > _SLOW_S:
            self._smaller()
        elif took < _QUICK_S and asked >= self.ids:
            self._quick += 1
            if self._quick == _QUICK_ONES:
                self._quick, self.ids = 0, min(self._most, 2 * self.ids)

    def _smaller(self) -> None:
        self._quick, self.ids = 0, max(self._least, self.ids // 4)
