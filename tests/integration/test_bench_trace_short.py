"""`truyvet bench trace --short`: every answer the same as the self-join's, one JSON object."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_trace(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "console.cli.main", "--data-dir", str(tmp_path), "bench"]
    done = subprocess.run(
        [*command, "trace", "--short", "--json", "--write", str(tmp_path / "docs")],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    [only] = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(only)
    assert found["bench"] == "trace"
    assert found["scans"] == 120_000
    assert 0 < found["p50_ms"] <= found["p99_ms"]
    assert found["ratio_to_naive"] > 0
    assert found["growth"] > 0
    turns = found["sizes"][1]["turns"]
    assert turns["cases"] == found["sizes"][1]["merged"]["cases"]
    assert turns["small_p50_ms"] > 0
    assert found["growth"] == turns["growth"] > 0
    assert found["growth_apart"] > 0
    assert found["sizes"][0]["turns"] is None
    assert [size["scans"] for size in found["sizes"]] == [40_000, 120_000]
    for size in found["sizes"]:
        assert size["rows"] == size["scans"] + 28, "the keeper of the busiest place"
        # how many parts ingest leaves is the engine's affair: on a busy machine it merges first
        parts = [size[state]["current_week_parts"] for state in ("merged", "unmerged")]
        assert parts[0] == 1 <= parts[1]
        assert size["merged"]["contacts"] > 0
        assert size["many_contacts"] > size["merged"]["most_contacts"]
        assert size["second"]["cases"] == 2
        assert size["second"]["contacts"] > 0
        # the run itself is an error when an answer differs
        assert [(row["name"], row["same_answers"]) for row in size["beside"]] == [
            ("naive_clickhouse", 3)
        ]
    told = found["sizes"][0]["told"]["alerted"]
    assert told["cases"] == 5
    assert 0 < told["p50_ms"] <= told["p99_ms"] < 60_000
    late = found["sizes"][0]["told"]["late"]
    assert late["scans"] > 0
    assert 0 < late["alert_p50_ms"] <= late["alert_p99_ms"] < 60_000
    assert late["alert_p50_ms"] <= late["run_p50_ms"] <= late["run_p99_ms"]
    together = found["sizes"][0]["told"]["at_once"]
    assert together["cases"] == 2
    assert 0 < together["first_ms"] <= together["last_ms"] < 60_000
    assert 0 < together["rss_before_mb"] <= together["rss_most_mb"]
    windows = found["sizes"][0]["told"]["switched"]
    assert windows["cases"] == 1
    assert 0 < windows["on_most_ms"] < 60_000
    assert 0 < windows["off_most_ms"] < 60_000
    assert found["sizes"][1]["told"] is None
    assert found["ingest"]["exact"]
    assert found["ingest"]["rows"] == 8_000
    assert found["ingest"]["cases"] > 0
    assert not (tmp_path / "bench-trace").exists(), "nothing is left behind"
    assert (tmp_path / "docs" / "bench-trace.md").exists()
    assert (tmp_path / "docs" / "img" / "bench-trace-sizes.svg").exists()
