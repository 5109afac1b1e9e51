"""How long a block may wait for company before it is written."""

from typing import Final

from streams.blocks import Block

_LONGEST_S: Final = 1.0


def patience(block: Block, flush_s: float, now_s: float) -> float:
    """Seconds; `now_s` is Unix time.

    One that is late already, with more behind it, waits longer: larger batches are what a backlog
    is worked off with.
    """
    if not block.behind:
        return flush_s
    late_s = now_s - block.first_timestamp / 1000
    return max(flush_s, min(late_s / 2, _LONGEST_S))
