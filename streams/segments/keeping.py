"""What keeps segments beside a process's work: following the table, and making files.

In threads that nobody waits for. Whatever goes wrong, traces ask ClickHouse, and the next round
tries again.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from schemas.errors import Retryable
from schemas.meters import Metrics
from schemas.metrics import HELD_SCANS
from schemas.settings import Settings
from streams.clickhouse import ClickHouse
from streams.segments.changes import changes_of
from streams.segments.held import Held
from streams.segments.making import Maker

log = structlog.get_logger()

_LOOK_S: Final = 0.02  # how soon a change is noticed that the engine has counted
_SELDOM_S: Final = 3600.0
_AFTER_A_FAILURE_S: Final = 1.0
_MAKE_EVERY_S: Final = 10.0
_REST: Final = 9  # times as long as making took: a tenth of one core at most
_TIDY_EVERY_S: Final = 10.0
_LITTLE_REST: Final = 1
_NICE: Final = 10  # of their threads: on one core with a trace one has a tenth
_LAST: Final = 19
_GB: Final = 10**9


def segments_of(settings: Settings) -> Path:
    """Where the segments of this data directory are."""
    return settings.data_dir / "segments"


def open_held(
    settings: Settings, clickhouse: ClickHouse, metrics: Metrics | None = None
) -> Held | None:
    """What this process holds, nothing yet; None if it shall hold nothing."""
    if not settings.segments_gb or clickhouse.shape.cluster:
        return None
    return Held(clickhouse, segments_of(settings), metrics, changes_of(settings))


def forget(settings: Settings) -> None:
    """Take away all segments of this data directory: nobody would keep them up to date."""
    folder = segments_of(settings)
    for there in folder.iterdir() if folder.is_dir() else ():
        shutil.rmtree(there, ignore_errors=True)


class Rounds:
    """Does a piece of work again and again, in a thread, until closed: `every_s()` seconds from
    one beginning to the next, which is looked at anew every `look_s` seconds; and at least `rest`
    times as long in between as it took."""

    def __init__(
        self,
        work: Callable[[], object],
        every_s: Callable[[], float],
        rest: float,
        name: str,
        look_s: float = _SELDOM_S,
    ) -> None:
        self._work, self._every_s, self._rest, self._look_s = work, every_s, rest, look_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Begin no other round, and wait a second for the one under way."""
        self._closed.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        self._do(_stand_behind)
        while not self._closed.is_set():
            begin = time.monotonic()
            self._do(self._work)
            end = time.monotonic()
            if not self._do(lambda: self._wait(begin, end)):  # noqa: B023 (called here)
                self._closed.wait(_AFTER_A_FAILURE_S)

    def _do(self, step: Callable[[], object]) -> bool:
        """Whether it did not fail."""
        try:
            step()
        except Retryable as error:
            log.info("segments_wait", detail=str(error))
        except Exception as error:
            kind = type(error).__name__
            log.error("segments_failed", kind=kind, detail=str(error), exc_info=error)
        else:
            return True
        return False

    def _wait(self, begin: float, end: float) -> None:
        """Until it is time again, or closed."""
        rested = end + self._rest * (end - begin)
        while (left := max(begin + self._every_s(), rested) - time.monotonic()) > 0:
            if self._closed.wait(min(left, self._look_s)):
                return


def _stand_behind() -> None:
    """Have this thread run behind the process's others. (To put it further back is always allowed,
    to bring it forward is not.)"""
    thread = threading.get_native_id()
    own = os.getpriority(os.PRIO_PROCESS, thread)
    os.setpriority(os.PRIO_PROCESS, thread, min(own + _NICE, _LAST))


def following(held: Held, metrics: Metrics | None = None) -> Rounds:
    """Reads what comes, so that a trace has little to read."""

    def follow() -> None:
        held.follow()
        if metrics is not None:
            for where, rows in zip(("memory", "files"), held.rows, strict=True):
                metrics.gauge(HELD_SCANS, where).set(rows)

    look_s = _LOOK_S if held.counts else _SELDOM_S
    return Rounds(follow, lambda: held.every_s, _LITTLE_REST, "segments", look_s)


def tidying(settings: Settings, clickhouse: ClickHouse) -> Rounds:
    """Takes away the files of what is gone, whoever made them."""
    maker = _maker(settings, clickhouse)
    return Rounds(maker.tidy, lambda: _TIDY_EVERY_S, _LITTLE_REST, "segments tidied")


def making(settings: Settings, clickhouse: ClickHouse) -> Rounds:
    """Makes the files that are lacking, for all processes of this machine."""
    maker = _maker(settings, clickhouse)
    return Rounds(maker.round, lambda: _MAKE_EVERY_S, _REST, "segment files")


def _maker(settings: Settings, clickhouse: ClickHouse) -> Maker:
    return Maker(clickhouse, segments_of(settings), int(settings.segments_gb * _GB))
