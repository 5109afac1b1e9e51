"""A question answered on what is held, while it is found out whether that is still all there is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import structlog

from schemas.errors import Fatal, Retryable
from streams.segments.held import Held
from streams.segments.noted import Noted
from tracer.segments import Segments

Answer = TypeVar("Answer")
log = structlog.get_logger()
_POOL: Final = ThreadPoolExecutor(8, "held")


def answered(
    held: Held | None, ask: Callable[[Segments | None], Answer], *, expected: bool = False
) -> Answer:
    """What `ask` says of everything that was in the table when this began; None: ask ClickHouse.

    To find out what has come takes as long as an answer, and seldom changes one: most of what a
    case's answer is made of was scanned days ago. So meanwhile it is answered on what was held at
    the last look, and again if anything that was asked is answered otherwise by now; only after the
    look if something is `expected` to have come. Whatever is wrong with what is held, ClickHouse
    answers. Raises what `ask` does, and Retryable.
    """
    if held is None:
        return ask(None)
    try:
        return ask(held.now()) if expected else _answered(held, ask)
    except (Retryable, Fatal):
        raise
    except Exception as error:
        answer = ask(None)  # if it is the question that is wrong, this says so
        log.error("segments_failed", kind=type(error).__name__, detail=str(error), exc_info=error)
        return answer


def held_now(held: Held | None) -> Segments | None:
    """Everything that is in the table; None: ask ClickHouse. Raises Retryable."""
    try:
        return None if held is None else held.now()
    except (Retryable, Fatal):
        raise
    except Exception as error:
        log.error("segments_failed", kind=type(error).__name__, detail=str(error), exc_info=error)
        return None


def _answered(held: Held, ask: Callable[[Segments | None], Answer]) -> Answer:
    last = held.last if held.unchanged is None else None  # nothing to find out
    if last is None:
        return ask(held.now())
    looked = _POOL.submit(held.now)
    guess = Noted(last)
    answer = ask(guess)
    now = looked.result()
    return answer if now is not None and guess.as_in(now) else ask(now)
