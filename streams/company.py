"""Lines of one worker that write together.

An insert of a few hundred rows costs the engine nearly what one of tens of thousands does, and so
do its reading back and its part's merges; and of a backlog the fewer merges are left the larger the
inserts were. So when one line's scans are due, whatever the others have is judged as well, and goes
with them: one insert for all partitions.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Protocol

from streams.blocks import Delivered
from streams.columns import U64
from streams.pending import Pending, together
from streams.waiting import Size
from streams.write import Batch, Permit, Writer, Written

# How long those that are due wait for the others to be judged: some milliseconds a partition. One
# that waits for a code or for the engine goes with the next.
_PATIENCE_S: Final = 0.1
_LOOK_AGAIN_S: Final = 0.002
_LINES_AT_ONCE: Final = 64  # each is named in the insert's comment, some 60 bytes of its URL

# Of each load in turn; what was not written surely is to be settled by its own line.
Outcome = tuple[Pending, Batch, Written | None]
Attempt = asyncio.Future[list[Outcome]]


@dataclass(frozen=True)
class Load:
    """What a line brings along: judged pieces that follow one another, and whence they came."""

    pieces: Sequence[Pending]
    events: Sequence[Delivered]
    present: U64
    permit: Permit

    def batch(self) -> tuple[Pending, Batch]:
        """In one piece; blocking."""
        pending = together(self.pieces)
        return pending, Batch(pending.rows, self.present, self.permit)


class Member(Protocol):
    """A line, as far as company goes."""

    @property
    def hurried_since(self) -> float | None:
        """Since when (monotonic seconds) it was asked to hurry and has not judged all of that."""

    @property
    def ready(self) -> Size | None:
        """What it could write at once, if it has anything and may."""

    def hurry(self) -> None:
        """Judge now what came."""

    def wake(self) -> None:
        """A slot may be free."""

    def board(self, room: Size) -> Load:
        """Take along what is `ready`, as far as there is room, and at least a piece."""

    def written_by(self, load: Load, attempt: Attempt, which: int) -> None:
        """The `which`-th batch of the attempt is this load."""


class Company:
    """The lines that may write together, `most` in one insert. For one event loop."""

    def __init__(self, writer: Writer, threads: Executor, most: Size) -> None:
        self._writer = writer
        self._threads = threads
        self._most = most
        self._members: dict[int, Member] = {}
        self._called = -math.inf

    def join(self, partition: int, member: Member) -> None:
        """From now on it goes along."""
        self._members[partition] = member

    def part(self, partition: int, member: Member) -> None:
        """From now on it does not; a later line of the same partition still may."""
        if self._members.get(partition) is member:
            del self._members[partition]

    @property
    def waits(self) -> Size:
        """What all of them have ready."""
        ready = [size for member in self._members.values() if (size := member.ready)]
        return Size(sum(size.records for size in ready), sum(size.bytes for size in ready))

    def call(self) -> None:
        """Something is due: everybody is to judge what came, so that it may go along."""
        self._called = time.monotonic()
        for member in self._members.values():
            member.hurry()

    async def gathered(self) -> None:
        """When all have judged what came, but for those that take too long for it; at the latest
        after twice as long, however often others call meanwhile."""
        now = time.monotonic()
        if now - self._called > _PATIENCE_S:
            self.call()
        latest = now + 2 * _PATIENCE_S
        while self._judging() and time.monotonic() < latest:  # noqa: ASYNC110 (any line ends it)
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _judging(self) -> bool:
        late = time.monotonic() - _PATIENCE_S
        since = (member.hurried_since for member in self._members.values())
        return any(one is not None and one > late for one in since)

    def wake(self) -> None:
        """A slot is free: whoever waits for one is to look again."""
        for member in self._members.values():
            member.wake()

    def depart(self, first: Member) -> Attempt:
        """Write what `first` has ready, and what others have, as far as one insert may hold it."""
        others, room = self._along(first)
        aboard = [first, *others]
        loads = [first.board(room), *(member.board(self._most) for member in others)]
        loop = asyncio.get_running_loop()
        attempt = loop.run_in_executor(self._threads, self._write, list(loads))
        for which, (member, load) in enumerate(zip(aboard, loads, strict=True)):
            member.written_by(load, attempt, which)
        return attempt

    def _along(self, first: Member) -> tuple[list[Member], Size]:
        """Who goes along with `first`, and the room that is left to it.

        Those with little come before it, up to half of the insert: who is first may have a backlog
        that fills one insert after the other, and for its end they would wait.
        """
        own, half = first.ready or Size(0, 0), Size(*(one // 2 for one in self._most))
        ready = [(size, m) for m in self._members.values() if m is not first and (size := m.ready)]
        along: list[Member] = []
        taken = Size(0, 0)
        for size, member in sorted(ready, key=lambda one: one[0]):
            more = _sum(taken, size)
            fits = _within(more, half) or _within(_sum(own, more), self._most)
            if len(along) < _LINES_AT_ONCE - 1 and fits:
                along.append(member)
                taken = more
        return along, Size(self._most.records - taken.records, self._most.bytes - taken.bytes)

    def _write(self, loads: list[Load]) -> list[Outcome]:
        made = []
        while loads:  # the pieces of each go as soon as they are one
            made.append(loads.pop(0).batch())
        written = self._writer.attempt([batch for _, batch in made])
        return [(*one, outcome) for one, outcome in zip(made, written, strict=True)]


def _sum(one: Size, other: Size) -> Size:
    return Size(one.records + other.records, one.bytes + other.bytes)


def _within(size: Size, most: Size) -> bool:
    return size.records <= most.records and size.bytes <= most.bytes
