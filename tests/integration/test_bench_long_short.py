"""Each long benchmark in its short form, through the command line: right, not fast."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def short(tmp_path: Path, name: str, *options: str) -> dict[str, Any]:
    """One JSON object on stdout, everything else on stderr, nothing left running."""
    command = [sys.executable, "-m", "console.cli.main", "--data-dir", str(tmp_path), "bench"]
    done = subprocess.run(
        [*command, name, "--short", "--json", *options],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    found: dict[str, Any] = json.loads(lines[0])
    assert found["bench"] == name
    assert found["passed"] is True
    return found


def test_live(tmp_path: Path) -> None:
    found = short(tmp_path, "live")
    assert found["exact"]
    # the steady stretch (with its warm-up), the steps, and the stretch at 80 %
    assert found["rows"] >= 4_000
    assert 0 < found["steady"]["p50_ms"] <= found["steady"]["p99_ms"] <= found["steady"]["max_ms"]
    assert found["steady"]["records"] >= 2_000
    assert found["steps"]
    assert found["parts_before"] > 2
    assert found["weeks_merged"] >= 1
    assert not (tmp_path / "bench-live.json").exists(), "a short run's rate is no live rate"


def test_soak(tmp_path: Path) -> None:
    found = short(tmp_path, "soak")
    assert found["exact"]
    assert found["rows"] == 8_000
    assert len(found["series"]) >= 8
    assert (tmp_path / "bench-soak" / "soak.csv").read_text().startswith("at_s,")


def test_growth(tmp_path: Path) -> None:
    found = short(tmp_path, "growth")
    assert found["exact"]
    assert [stage["rows"] for stage in found["stages"]] == [0, 40_000, 120_000]
    costs = [stage["cost"] for stage in found["stages"]]
    assert all(cost["worker_us"] > 0 and cost["engine_us"] > 0 for cost in costs)
    assert all(cost["yardsticks"] > 0 for cost in costs)
    # rows of the window's days in the topic's own partitions are what it is rebuilt from
    assert found["stages"][2]["rebuild_ids"] > found["stages"][0]["rebuild_ids"]
    # two weeks are at most three Mondays, and nothing splits a batch further
    assert 1 <= found["paper"]["parts_per_insert"] <= 4


def test_window(tmp_path: Path) -> None:
    found = short(tmp_path, "window")
    # five numbers an id, and a slot
    assert 44 < found["held_mb_per_million"] < 140
    assert found["rebuild_ids"] == 100_000
    assert found["bounded_mb"] < 64
    assert min(found["look_up_persons_per_s"], found["look_up_most_per_s"]) > 0
    assert found["large"]["records"] == 4 * found["small"]["records"]


def test_watch(tmp_path: Path) -> None:
    found = short(tmp_path, "watch")
    assert found["exact"]
    assert found["cases"] == 5
    assert 90 <= found["windows"] <= 100
    assert min(found["with_us"], found["all_with_us"]) > 0


def test_garbage(tmp_path: Path) -> None:
    found = short(tmp_path, "garbage")
    assert found["exact"]
    assert [cost["kind"] for cost in found["costs"][:2]] == ["good", "no key"]
    assert all(cost["bytes"] > 0 for cost in found["costs"])  # so few cost less than a start
    assert found["start_s"] > 0


@pytest.mark.parametrize("options", [(), ("--hang",)])
def test_outage(tmp_path: Path, options: tuple[str, ...]) -> None:
    found = short(tmp_path, "outage", *options)
    assert found["exact"]
    assert found["rows"] == found["sent"]
    assert found["backlog"] > 1_000
    assert found["ready_after"]
    assert not found["away_after"]
    if not options:  # one that hangs is only noticed when an insert's time is up
        assert found["engine_away_share"] > 0
        assert found["not_ready_share"] > 0
        assert "ClickHouse cannot be written to" in found["ready_said"]


def test_fsync(tmp_path: Path) -> None:
    found = short(tmp_path, "fsync")
    assert [o["setting"] for o in found["outcomes"]] == [
        "default", "engine_fsync", "kafka_flush_messages_1", "kafka_flush_ms_1000", "both",
    ]  # fmt: skip
    assert all(o["publish_per_s"] > 0 and o["ingest_per_s"] > 0 for o in found["outcomes"])
