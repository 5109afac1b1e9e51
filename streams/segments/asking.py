"""A question answered on what is held, while it is found out whether that is still all there is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import structlog

from schemas.errors import Fatal, Retryable
from streams.segments.held import Held
from tracer.segments import Segments

Answer = TypeVar("Answer")
log = structlog.get_logger()
_POOL: Final = ThreadPoolExecutor(4, "held")


def answered(held: Held | None, ask: Callable[[Segments | None], Answer]) -> Answer:
    """What `ask` says of everything that was in the table when this began; None: ask ClickHouse.

    To find out which parts there are takes a third of a trace's time, and of a table at rest it
    is known what will come out. So that is what it is answered on meanwhile, and if something had
    come, again. Whatever is wrong with what is held, ClickHouse answers. Raises what `ask` does,
    and Retryable.
    """
    if held is None:
        return ask(None)
    try:
        return _answered(held, ask)
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
    guess = held.at_rest()
    if guess is None:
        return ask(held.now())
    looked = _POOL.submit(held.now)
    answer = ask(guess)
    now = looked.result()
    return answer if now is guess else ask(now)
