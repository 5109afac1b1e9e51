"""Named points of a worker's way at which it can be made to die with SIGKILL.

`Passes.reach` is called each time one is passed; at the pass that was asked for it writes a line
to the file of hits and the process is gone before anything else happens.
"""

import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import streams.lookups
import streams.recall
import streams.worker
from schemas.topics import ALERTS, DLQ
from streams.clickhouse import ClickHouse
from streams.publish import Publisher
from streams.transport import BatchConsumer
from streams.worker import Worker
from streams.write import Writer
from tests.fault.patching import wrap, wrap_function

# What each is, and how many passes a worker surely makes soon: a round must not wait for long.
POINTS: Final[dict[str, int]] = {
    "before_insert:scans": 3,
    "before_insert:rejects": 3,
    "before_insert:duplicates": 3,
    "during_insert:scans": 3,  # sent, and up to 30 ms later
    "between_inserts": 3,  # one table of a batch has its rows, the next has not
    "after_insert:scans": 3,
    "after_insert:rejects": 3,
    "after_insert:duplicates": 3,
    "after_inserts": 3,  # all read back; no dead letter is out
    "before_dead_letters": 3,
    "before_alerts": 3,  # the dead letters of the batch are out, its alerts are not
    "after_sending": 3,  # the broker has all; nothing is acknowledged
    "before_commit": 3,
    "after_commit": 3,
    "rebalance_begin": 1,
    "rebalance_left": 1,  # what was in flight is done, not committed
    "rebalance_committed": 1,  # committed, not yet handed over
    "take_over_begin": 2,
    "take_over_end": 2,  # it knows what is present; the window is not rebuilt
    "window_rebuilt": 2,
}
_TABLES: Final = ("scans", "rejects", "duplicates")
_LONGEST_INSERT_S: Final = 0.03


class Passes:
    """Counts the passes of one point; at the `nth` this process kills itself."""

    def __init__(self, point: str, nth: int, hits: Path) -> None:
        if point not in POINTS:
            raise LookupError(f"there is no point {point}; there are {', '.join(POINTS)}")
        assert nth >= 1
        self.point = point
        self._nth = nth
        self._hits = hits
        self._count = 0
        self._lock = threading.Lock()

    def due(self, point: str) -> bool:
        """Count a pass; whether this is the one."""
        if point != self.point:
            return False
        with self._lock:
            self._count += 1
            return self._count == self._nth

    def reach(self, point: str) -> None:
        """Count a pass, and die if this is the one."""
        if self.due(point):
            self.die()

    def die(self) -> None:
        """Note the hit and end, this instant."""
        note(self._hits, f"{self.point} {self._nth}")
        os.kill(os.getpid(), signal.SIGKILL)

    def die_within_an_insert(self) -> None:
        """Die a moment later, while the request is on its way, queued or running."""
        delay = random.Random(self._nth).uniform(0, _LONGEST_INSERT_S)
        threading.Timer(delay, self.die).start()


def note(hits: Path, text: str) -> None:
    """Append a line; it is in the file when this returns, whatever dies."""
    handle = os.open(hits, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{text}\n".encode())
    finally:
        os.close(handle)


def install(passes: Passes) -> None:
    """Put all points in. Raises LookupError if one has lost its place."""
    _inserts(passes)
    _sending(passes)
    _commits(passes)
    _rebalance(passes)
    _before(Writer, "take_over", lambda: passes.reach("take_over_begin"))
    _after(Writer, "take_over", lambda: passes.reach("take_over_end"))

    def rebuilt(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            window = original(*args, **kwargs)
            passes.reach("window_rebuilt")
            return window

        return call

    wrap_function(streams.lookups, "rebuild_window", (streams.recall,), rebuilt)


def _before(owner: type, name: str, then: Callable[[], None]) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            then()
            return original(*args, **kwargs)

        return call

    wrap(owner, name, make)


def _after(owner: type, name: str, then: Callable[[], None]) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            then()
            return result

        return call

    wrap(owner, name, make)


def _inserts(passes: Passes) -> None:
    here = threading.local()

    def batch(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            here.first = True
            return original(*args, **kwargs)

        return call

    def insert(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: ClickHouse, table: str, *args: Any, **kwargs: Any) -> Any:
            if table not in _TABLES:
                return original(self, table, *args, **kwargs)
            passes.reach(f"before_insert:{table}")
            if not here.first:
                passes.reach("between_inserts")
            here.first = False
            if passes.due(f"during_insert:{table}"):
                passes.die_within_an_insert()
            result = original(self, table, *args, **kwargs)
            passes.reach(f"after_insert:{table}")
            return result

        return call

    def attempt(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            written = original(*args, **kwargs)
            if all(written):
                passes.reach("after_inserts")
            return written

        return call

    wrap(Writer, "attempt", attempt)
    wrap(Writer, "_insert", batch)
    wrap(ClickHouse, "insert", insert)


def _sending(passes: Passes) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def send(self: Publisher, messages: Any) -> None:
            topics = {message.topic for message in messages}
            if DLQ.name in topics:
                passes.reach("before_dead_letters")
            if ALERTS.name in topics and passes.due("before_alerts"):
                await original(self, [m for m in messages if m.topic != ALERTS.name])
                passes.die()
            await original(self, messages)
            passes.reach("after_sending")

        return send

    wrap(Publisher, "send", make)


def _commits(passes: Passes) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def commit(self: BatchConsumer, offsets: Any, *args: Any, **kwargs: Any) -> Any:
            passes.reach("before_commit")
            result = await original(self, offsets, *args, **kwargs)
            passes.reach("after_commit")
            return result

        return commit

    # Faust's own; it is called only when there is something to commit
    wrap(BatchConsumer, "_commit", make)


def _rebalance(passes: Passes) -> None:
    def revoked(original: Callable[..., Any]) -> Callable[..., Any]:
        async def call(self: BatchConsumer, partitions: Any) -> None:
            if partitions:
                passes.reach("rebalance_begin")
            await original(self, partitions)
            if partitions:
                passes.reach("rebalance_committed")

        return call

    def left(original: Callable[..., Any]) -> Callable[..., Any]:
        async def call(self: Worker, partitions: Any) -> None:
            await original(self, partitions)
            if partitions:
                passes.reach("rebalance_left")

        return call

    wrap(BatchConsumer, "on_partitions_revoked", revoked)
    wrap(Worker, "_before_revoke", left)
