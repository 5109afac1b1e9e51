"""The canary: each part of the recipe of exactly once, switched off from outside.

With any of them off the checker must go red, or the suite would not see it break.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import streams.convert
import streams.present
import streams.transport
import streams.write
from streams.line import Line
from streams.transport import BatchConsumer
from streams.write import Writer
from tests.fault.patching import wrap, wrap_function


def _end_nothing() -> None:
    """An attempt whose end is unknown is left running."""
    wrap_function(
        streams.present, "end_attempts", (streams.write,), lambda _: lambda *args, **kwargs: None
    )


def _read_nothing() -> None:
    """What is present is not looked at: after an assignment and in settling, all is inserted."""

    def take_over(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            original(*args, **kwargs)
            return streams.present.NOTHING

        return call

    wrap(Writer, "take_over", take_over)
    wrap_function(
        streams.convert, "without", (streams.write,), lambda _: lambda rows, _present: rows
    )


def _wait_for_nothing() -> None:
    """Partitions are handed over while batches of theirs are still being written."""

    def leave(_original: Callable[..., Any]) -> Callable[..., Any]:
        async def call(_line: Line, _timeout_s: float) -> None:
            return None

        return call

    wrap(Line, "leave", leave)


_NEVER: Final = -1


class OffsetContiguity:
    """In place of `Deliveries`: commits go no further than the first offset nobody delivered.

    So does stock Faust: a transaction marker or a compacted hole stops it for ever.
    """

    block: Any = None  # the block that is being delivered

    def __init__(self) -> None:
        self._order: deque[tuple[int, int]] = deque()
        self._acked: set[int] = set()
        self._next: int | None = None

    def deliver(self, last_offset: int) -> None:
        """The block that is being delivered is done when it is acknowledged up to here."""
        offsets = self.block.offsets.tolist()
        run = 0  # records without a gap between them
        while run < len(offsets) and offsets[run] == offsets[0] + run:
            run += 1
        if run and offsets[run - 1] == last_offset:
            self._order.append((offsets[0], last_offset))
        else:  # an offset that nobody ever delivers
            self._order.append((_NEVER, last_offset))

    def ack(self, last_offset: int) -> None:
        """The block that ends here is done."""
        self._acked.add(last_offset)

    def committable(self) -> int | None:
        """One past the last of the done offsets in a row, or None."""
        done = None
        while self._order:
            first, last = self._order[0]
            if last not in self._acked or (self._next is not None and first != self._next):
                break
            self._order.popleft()
            done = self._next = last + 1
        return done

    @property
    def pending(self) -> int:
        """Blocks delivered and not committed."""
        return len(self._order)


def _by_offset() -> None:
    """Commits wait for contiguous offsets, not for what was delivered."""
    if not isinstance(vars(streams.transport).get("Deliveries"), type):
        raise LookupError("streams.transport has no Deliveries any more")
    needed = {name for name in vars(streams.transport.Deliveries) if not name.startswith("_")}
    if missing := needed - set(dir(OffsetContiguity)):
        raise LookupError(f"Deliveries can do more than its stand-in: {sorted(missing)}")

    def to_message(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: BatchConsumer, tp: Any, record: Any) -> Any:
            OffsetContiguity.block = record
            return original(self, tp, record)

        return call

    wrap(BatchConsumer, "_to_message", to_message)
    streams.transport.Deliveries = OffsetContiguity  # type: ignore[misc,assignment]


WEAKENINGS: Final[dict[str, Callable[[], None]]] = {
    "ending_the_old_attempt": _end_nothing,
    "reading_what_is_present": _read_nothing,
    "waiting_on_revoke": _wait_for_nothing,
    "delivery_order": _by_offset,
}
