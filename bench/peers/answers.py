"""Answers of a trace, the same from everyone: rows, in one order, as one short text.

Numpy is all that it needs: it runs in the peers' environments too.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# A person was with the case at a place from one millisecond to another.
ROW: Final = np.dtype([("person", "<u8"), ("place", "<i8"), ("start", "<i8"), ("end", "<i8")])
LONGEST_MS: Final = 16 * 3_600_000  # of a stay: `max_stay_minutes` of tracer/data/stays-2026-11

Rows = npt.NDArray[Any]
Ask = Callable[[int, int, int], Rows]


def rows_of(person: Any, place: Any, start: Any, end: Any) -> Rows:
    """Four columns of integers as rows; persons may be signed."""
    found = np.empty(len(person), ROW)
    found["person"] = np.asarray(person).astype(np.uint64)
    found["place"], found["start"], found["end"] = place, start, end
    return found


def digest(rows: Rows) -> str:
    """The same for the same rows, in whatever order."""
    return hashlib.sha256(np.sort(rows).tobytes()).hexdigest()[:16]


def say(words: str) -> None:
    """Progress."""
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def answer(questions: Path, ask: Ask, facts: dict[str, Any]) -> None:
    """Ask for each case (person, window in milliseconds), and print the one line of results.

    The first `warm_up` cases are not counted. Stops early, between two cases, after `limit_s`.
    """
    asked = json.loads(questions.read_text())
    begin = time.monotonic()
    seconds: list[float] = []
    digests: list[str] = []
    for number, case in enumerate(asked["cases"]):
        if time.monotonic() - begin > asked["limit_s"] and seconds:
            break
        at = time.perf_counter()
        rows = ask(int(case["person"]), case["from"], case["to"])
        took = time.perf_counter() - at
        if number >= asked["warm_up"]:
            seconds.append(round(took, 6))
            digests.append(digest(rows))
    print(json.dumps({"seconds": seconds, "digests": digests, **facts}), flush=True)
