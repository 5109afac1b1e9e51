"""What a process uses over time: samples in a thread, as rows for a file and as a sparkline."""

import csv
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from schemas.errors import UserError

Row = dict[str, float]
_BARS: Final = "▁▂▃▄▅▆▇█"


class Sampler:
    """Calls `look` every `every_s` until stopped; a row it cannot make is counted, not invented."""

    def __init__(self, look: Callable[[], Row], every_s: float) -> None:
        self._look, self._every_s = look, every_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.rows: list[Row] = []
        self.failed = 0

    def start(self) -> "Sampler":
        """Begin; the first row is of now."""
        self._thread.start()
        return self

    def stop(self) -> list[Row]:
        """The rows; `at_s` counts from the first."""
        self._end.set()
        self._thread.join(60)
        return self.rows

    def _run(self) -> None:
        begin = time.monotonic()
        while not self._end.is_set():
            at = time.monotonic() - begin
            try:
                self.rows.append({"at_s": round(at, 1), **self._look()})
            except (UserError, OSError, ValueError):
                self.failed += 1
            self._end.wait(max(0.0, begin + at + self._every_s - time.monotonic()))


def mean_between(rows: Sequence[Row], name: str, begin_s: float, end_s: float) -> float:
    """The mean of a column over [begin, end). Raises UserError when nothing was sampled then."""
    found = [row[name] for row in rows if begin_s <= row["at_s"] < end_s and name in row]
    if not found:
        raise UserError(
            f"Không có mẫu nào của {name} từ {begin_s:.0f} đến {end_s:.0f} giây. / "
            f"No sample of {name} from {begin_s:.0f} to {end_s:.0f} s."
        )
    return sum(found) / len(found)


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """The values from zero to their highest, in at most `width` characters."""
    if not values:
        return ""
    size = max(1, -(-len(values) // width))
    means = [
        sum(values[i : i + size]) / len(values[i : i + size]) for i in range(0, len(values), size)
    ]
    top = max(means) or 1.0
    return "".join(_BARS[min(7, max(0, int(8 * value / top)))] for value in means)


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """All rows, a column for each name that occurs."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
