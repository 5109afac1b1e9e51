"""A question answered on what is held, while it is found out whether that is still all there is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from streams.segments.held import Held
from tracer.segments import Segments

Answer = TypeVar("Answer")
_POOL: Final = ThreadPoolExecutor(4, "held")


def answered(
    held: Held | None, ask: Callable[[Segments | None], Answer], *, again: bool = False
) -> Answer:
    """What `ask` says of everything that was in the table when this began; None: ask ClickHouse.

    To find out which parts there are takes a third of a trace's time, and of a table at rest it
    is known what will come out. So that is what it is answered on meanwhile, and if something had
    come, again. If it will be asked `again` soon anyhow, it may while scans come without a pause
    be answered on what was there a second ago. Raises what `ask` does, and Retryable.
    """
    if held is None:
        return ask(None)
    guess = held.at_rest()
    if guess is None:
        recent = held.recent() if again else None
        return ask(held.now() if recent is None else recent)
    looked = _POOL.submit(held.now)
    answer = ask(guess)
    now = looked.result()
    return answer if now is guess else ask(now)
