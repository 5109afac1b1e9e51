"""`truyvet bench rebuild`: how fast the log is read again, beside how fast workers drained it.

The same topic in the same run, one process each: a worker writes it all, then `truyvet rebuild`
reads it all again into tables beside, compares and exchanges them.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench import tables
from bench.fill import fill_topic
from bench.ours import Services, run_truyvet
from deploy.embedded.stack import Stack, StackOptions
from schemas.errors import UserError
from schemas.settings import load_settings
from streams.clickhouse import ClickHouse
from streams.migrate import migrate

WANTED: Final = 0.8  # of the drain rate
_TAG: Final = "rebuild"
_TIMEOUT_S: Final = 3_600.0


def run(data_dir: Path, records: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Rates in records a second. Raises UserError when something goes wrong."""
    options = StackOptions(data_dir=data_dir, services=frozenset({"kafka", "engine"}))
    with Stack(options) as stack:
        settings = load_settings(data_dir)
        migrate(settings)
        clickhouse = ClickHouse(settings, timeout_s=120)
        say(f"publishing {records:,} scans")
        filled = fill_topic(settings, records, seed, 0.01)
        status = stack.status()
        engine, broker = status.service("engine"), status.service("kafka")
        assert engine is not None
        assert broker is not None
        assert engine.pid is not None
        assert broker.pid is not None
        services = Services(engine.pid, broker.pid)
        say("a worker drains them")
        drained = run_truyvet(stack.env, clickhouse, services, filled, 1, _TAG, _TIMEOUT_S)
        tables.quiet(clickhouse)
        say(f"{drained.rate:,.0f} a second; now the rebuild")
        began = time.monotonic()
        found = _rebuild(data_dir, {**stack.env, "TRUYVET_WORKER_GROUP": f"bench-{_TAG}"})
        whole_s = time.monotonic() - began
        clickhouse.close()
    rate = found["read"] / found["seconds"]
    return {
        "records": filled.records,
        "drain_per_s": round(drained.rate),
        "rebuild_per_s": round(rate),
        "ratio": round(rate / drained.rate, 3),
        "whole_s": round(whole_s, 1),
        "reading_s": round(found["seconds"], 1),
        "compared": found["compared"],
        "differences": found["differences"],
        "swapped": found["swapped"],
    }


def _rebuild(data_dir: Path, env: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "console.cli.main", "--data-dir", str(data_dir), "rebuild"]
    done = subprocess.run(
        [*command, "--json"],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise UserError(
            f"Việc dựng lại kết thúc với mã {done.returncode}. / "
            f"The rebuild ended with {done.returncode}."
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
