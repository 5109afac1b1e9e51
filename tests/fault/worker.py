"""`truyvet worker` with a fault in it: `python -m tests.fault.worker [faults] worker …`.

--at POINT:N     SIGKILL at the n-th pass of a named point (tests/fault/points.py)
--hits FILE      where the hit is noted
--weaken PART    a part of the recipe switched off (tests/fault/weakened.py)
--slow-cases S   reading a case's place-windows takes so many seconds longer
--days-later D   what is written is written as if so many days had passed since it came
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console.cli.main import main as truyvet
from streams import write
from streams.tracing import Tracing
from tests.fault import points, weakened
from tests.fault.patching import wrap


def main() -> None:
    """Put the faults in, then be the worker."""
    parser = argparse.ArgumentParser(prog="tests.fault.worker")
    parser.add_argument("--at", default="")
    parser.add_argument("--hits", type=Path)
    parser.add_argument("--weaken", action="append", default=[], choices=weakened.WEAKENINGS)
    parser.add_argument("--slow-cases", type=float, default=0.0)
    parser.add_argument("--days-later", type=int, default=0)
    faults, rest = parser.parse_known_args()
    for part in faults.weaken:
        weakened.WEAKENINGS[part]()
    if faults.at:
        point, _, nth = faults.at.rpartition(":")
        points.install(points.Passes(point, int(nth), faults.hits))
    if faults.slow_cases:
        _slow_cases(faults.slow_cases)
    if faults.days_later:
        _days_later(faults.days_later)
    sys.argv = ["truyvet", *rest]
    truyvet()


def _slow_cases(seconds: float) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            time.sleep(seconds)
            return original(*args, **kwargs)

        return watched

    wrap(Tracing, "watched", make)


def _days_later(days: int) -> None:
    wrap(write, "now_ms", lambda now_ms: lambda: now_ms() + days * 86_400_000)


if __name__ == "__main__":
    main()
