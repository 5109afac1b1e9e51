"""`truyvet bench places --short`: from a list to workers that refuse, and one JSON object."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_places(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "console.cli.main", "--data-dir", str(tmp_path), "bench"]
    done = subprocess.run(
        [*command, "places", "--short", "--json"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    [only] = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(only)
    # the run itself is an error when a place, a record or a poster is missing
    assert found["bench"] == "places"
    assert found["places"] == found["import"]["rows"] == 2_000
    assert found["published"]["records"] == 2_000 + found["sites"]
    assert 0 < found["required"]["linked"] <= found["required"]["rows"]
    assert found["import"]["peak_mb"] > 50
    worker = found["worker"]
    assert worker["full"]["ready_s"] > 0
    assert worker["full"]["peak_mb"] >= worker["full"]["rss_mb"] > 100
    covered = found["coverage"]
    assert covered["records"] > found["published"]["records"] + found["postings"]
    assert 0 < covered["copied_s"] <= covered["shown_s"]
    assert covered["rounds"][0]["places"] == 2_000
    assert [one["runs"] for one in covered["asked"]] == [5] * 7
    told = found["revoked"]
    assert (told["revocations"], told["workers"], told["partitions"]) == (3, 2, 8)
    assert 0 <= told["longest_s"] <= told["seen_longest_s"]
    assert min(told["refused_by_worker"]) > 0
    assert found["limits"] == []
    assert not (tmp_path / "bench-places").exists(), "nothing is left behind"
