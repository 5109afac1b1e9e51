"""How quick the machine is just now: the CPU time of a piece of work that is always the same.

A shared machine does the same in twice the CPU time from one hour to the next. What two stages of
a run cost can be compared by what each costs in yardsticks that were measured beside it.
"""

import time
import zlib
from functools import cache
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

_LINES: Final = 40_000
_SORTED: Final = 1_000_000
_SPREAD: Final = 16_000_000  # numbers, 64 MB: more than a cache holds
_SEED: Final = 7
_TIMES: Final = 5


def yardstick_ms() -> float:
    """CPU milliseconds of this thread, the median of some: JSON read, numbers sorted and looked
    up all over memory, bytes packed, a plain loop."""
    _work()  # the first is dearer
    return round(median(_work() for _ in range(_TIMES)), 2)


def _work() -> float:
    lines, numbers, spread, packed = _material()
    begin = time.thread_time()
    for line in lines:
        orjson.loads(line)
    np.sort(numbers)
    spread[numbers % _SPREAD].sum()
    zlib.compress(packed, 3)
    total = 0
    for number in range(1_000_000):
        total += number
    return 1_000 * (time.thread_time() - begin)


@cache
def _material() -> tuple[list[bytes], npt.NDArray[np.uint64], npt.NDArray[np.uint32], bytes]:
    random = np.random.default_rng(_SEED)
    numbers = random.integers(0, 2**63, _SORTED, np.uint64)
    line = orjson.dumps({f"field_{n}": f"value of {n}" for n in range(9)})
    spread = np.arange(_SPREAD, dtype=np.uint32)
    packed = (numbers[: _SORTED // 4] % 97).astype(np.uint8).tobytes() * 8
    return [line] * _LINES, numbers, spread, packed
