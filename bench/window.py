"""`truyvet bench window`: what the duplicate window costs, and that a backlog costs nothing.

Memory, rebuild and look-ups are measured in a process of their own (`python -m bench.window`), so
that nothing else is in its resident memory.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.load_fill import PARTITIONS, fill
from bench.memory_series import Row, Sampler
from bench.process_stack import Bench, running_bench
from bench.process_usage import usage
from schemas.errors import UserError
from schemas.settings import Settings, load_settings
from streams.clickhouse import ClickHouse
from streams.keys import Keys, origins
from streams.lookups import Memory, rebuild_window, rows_of_persons
from streams.window import Window

Say = Callable[[str], None]
_MB: Final = 1024 * 1024
_BATCH: Final = 60_000
_CHILD_S: Final = 600
_DRAIN_S: Final = 1200.0
_NO_BOUND: Final = 1_000_000_000
_DAYS: Final = 15
_DEFAULT: Final = Settings.model_fields
# Persons each, how many: what few old scans cost, and a flood of them (`streams.line.PIECE`).
_LOOK_UPS: Final = {"few": (1_000, 20), "many": (20_000, 4)}


@dataclass(frozen=True)
class Plan:
    """Ids in the window, by how much more its bound is tried, and the backlogs, in records."""

    ids: int = 4_000_000
    beyond: int = 20
    small_backlog: int = 4_000_000  # what waits and what is remembered have filled long before
    backlog: int = 10_000_000
    places: int = 5_000
    seed: int = 7


@dataclass(frozen=True)
class Backlog:
    """A worker that started behind by `records`. MB resident at its highest."""

    records: int
    seconds: float
    rss_most_mb: float


@dataclass(frozen=True)
class Result:
    """Per million ids, and the backlogs. The ratio is what a bigger backlog adds: 1 is nothing.

    `bounded`: one partition's window at the default setting after `bounded_ids` came.
    """

    ids: int
    held_mb_per_million: float
    rss_mb_per_million: float
    bounded_ids: int
    bounded_mb: float
    bounded_us_per_id: float
    rebuild_ids: int
    rebuild_s_per_million: float
    rebuild_rss_mb_per_million: float
    look_up_persons_per_s: float  # a thousand at once
    look_up_s: float
    look_up_most_per_s: float  # twenty thousand at once
    small: Backlog
    large: Backlog
    backlog_ratio: float

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def filled(ids: int, seed: int, most: int = _NO_BOUND) -> Window:
    """A window that keeps `most` after `ids` came, a batch at a time as to a worker."""
    rng = np.random.default_rng(seed)
    window = Window(most, int(_DEFAULT["duplicate_past"].default), seed)
    for begin in range(0, ids, _BATCH):
        n = min(_BATCH, ids - begin)
        some = rng.integers(0, 2**64, (4, n), dtype=np.uint64)
        offsets = np.arange(begin, begin + n)
        keys = Keys(some[0], some[1], some[2], some[3], origins(0, offsets))
        window.written = begin
        scanned = np.full(n, begin)
        window.unsure(keys, scanned)
        window.add(keys, scanned)
    return window


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """Measure on a data directory of its own. Raises UserError."""
    say(f"a window of {plan.ids:,} ids")
    held = _child(["hold", str(plan.ids), str(_NO_BOUND)])
    most = int(_DEFAULT["duplicate_ids"].default)
    say(f"one that keeps {most:,} and gets {plan.beyond} times as many")
    bounded = _child(["hold", str(plan.beyond * most), str(most)])
    with running_bench(data_dir, places=plan.places, seed=plan.seed) as bench:
        say(f"rebuilding one of {plan.ids:,} ids")
        rebuilt = _rebuild(bench, plan)
        if rebuilt["ids"] < 0.9 * plan.ids:
            raise UserError(
                f"Đã dựng lại {rebuilt['ids']} id, không phải {plan.ids}. / "
                f"{rebuilt['ids']} ids were rebuilt of {plan.ids}."
            )
        backlogs = []
        for records in (plan.small_backlog, plan.backlog):
            say(f"a backlog of {records:,}")
            backlogs.append(_backlog(bench, records))
    small, large = backlogs
    return Result(
        ids=plan.ids,
        held_mb_per_million=round(held["held_mb"] / plan.ids * 1e6, 2),
        rss_mb_per_million=round(held["rss_mb"] / plan.ids * 1e6, 2),
        bounded_ids=plan.beyond * most,
        bounded_mb=round(bounded["held_mb"], 1),
        bounded_us_per_id=round(bounded["seconds"] / (plan.beyond * most) * 1e6, 3),
        rebuild_ids=rebuilt["ids"],
        rebuild_s_per_million=round(rebuilt["seconds"] / rebuilt["ids"] * 1e6, 3),
        rebuild_rss_mb_per_million=round(rebuilt["rss_mb"] / rebuilt["ids"] * 1e6, 2),
        look_up_persons_per_s=round(1 / rebuilt["few"]),
        look_up_s=round(_LOOK_UPS["few"][0] * rebuilt["few"], 4),
        look_up_most_per_s=round(1 / rebuilt["many"]),
        small=small,
        large=large,
        backlog_ratio=round(large.rss_most_mb / small.rss_most_mb, 3),
    )


def _rebuild(bench: Bench, plan: Plan) -> dict[str, Any]:
    """All rows of partitions 0 to 7 within the days read; one partition's are rebuilt."""
    fill(bench.clickhouse, 0, plan.ids * PARTITIONS, plan.places, datetime.now(UTC), days=_DAYS - 1)
    bench.wait_merged(600)
    found = _child(["rebuild", str(bench.settings.data_dir), str(_NO_BOUND)])
    bench.clickhouse.command("TRUNCATE TABLE scans")
    return found


def _backlog(bench: Bench, records: int) -> Backlog:
    """Published before the worker starts; the tables are emptied, so its window begins empty."""
    bench.clickhouse.command("TRUNCATE TABLE scans")
    bench.load(0, records).result(_DRAIN_S)
    begin = time.monotonic()
    worker = bench.worker()

    def look() -> Row:
        return {"rss_mb": worker.usage().rss_mb}

    sampler = Sampler(look, 0.25).start()
    try:
        bench.drain(_DRAIN_S)
    finally:
        rows = sampler.stop()
    seconds = time.monotonic() - begin
    worker.stop()
    if not rows:
        raise UserError(
            "Phần tồn đọng hết trước mẫu đầu tiên: hãy lấy nhiều hơn. / "
            "The backlog was gone before the first sample: take a larger one."
        )
    most = max(row["rss_mb"] for row in rows)
    return Backlog(records=records, seconds=round(seconds, 1), rss_most_mb=round(most, 1))


def _child(arguments: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.window", *arguments],
        capture_output=True,
        timeout=_CHILD_S,
        check=False,
    )
    if done.returncode != 0:
        why = done.stderr[-300:].decode(errors="replace")
        raise UserError(f"bench.window đã dừng ({why}). / bench.window stopped ({why}).")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _look_ups(clickhouse: ClickHouse) -> dict[str, float]:
    """What a worker asks for scans that are older than its window: seconds a person."""
    most = sum(size * times for size, times in _LOOK_UPS.values())
    found = clickhouse.rows(f"SELECT DISTINCT person FROM scans LIMIT {most}")  # noqa: S608
    rng = np.random.default_rng(1)
    persons = rng.permutation(np.array([row[0] for row in found], np.uint64))
    seconds = {}
    for name, (size, times) in _LOOK_UPS.items():
        some, persons = persons[: size * times], persons[size * times :]
        begin = time.monotonic()
        for part in np.array_split(some, times):
            ids = rng.integers(0, 2**63, (2, len(part)), dtype=np.uint64)  # as of new, late scans
            rows_of_persons(clickhouse, part, (ids[0], ids[1]), int(time.time() * 1000))
        seconds[name] = (time.monotonic() - begin) / len(some)
    return seconds


def main(argv: Sequence[str]) -> int:
    """`hold IDS MOST` or `rebuild DATA_DIR MOST`; one JSON line."""
    before = usage(os.getpid()).rss_mb
    begin = time.monotonic()
    if argv[0] == "hold":
        window = filled(int(argv[1]), 1, int(argv[2]))
        looked_up = {}
    else:
        clickhouse = ClickHouse(load_settings(Path(argv[1])), timeout_s=120)
        clickhouse.rows("SELECT 1")
        before = usage(os.getpid()).rss_mb
        begin = time.monotonic()
        window = rebuild_window(
            clickhouse, 0, Memory(int(argv[2]), 1_000, _DAYS), int(time.time() * 1000), 1
        )
        rebuilt = time.monotonic()
        looked_up = _look_ups(clickhouse)
        begin += time.monotonic() - rebuilt
    seconds = time.monotonic() - begin
    found = {
        **looked_up,
        "ids": len(window),
        "seconds": seconds,
        "held_mb": window.nbytes / _MB,
        "rss_mb": usage(os.getpid()).rss_mb - before,
    }
    print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
