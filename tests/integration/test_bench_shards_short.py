"""`truyvet bench shards --short`: two shards answer as one engine does, a killed one included."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_shards(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "console.cli.main", "--data-dir", str(tmp_path), "bench"]
    done = subprocess.run(
        [*command, "shards", "--short", "--json"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    [only] = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(only)
    assert found["bench"] == "shards"
    # the run itself is an error when an answer differs, a row is missing or there twice, or a
    # place is on two shards
    assert found["same_answers"] == 8
    one, two = found["shards"]
    assert (one["shards"], two["shards"]) == (1, 2)
    assert one["rows"] == two["rows"] == 20_028
    assert one["contacts"] == two["contacts"] > 0
    assert 0 < two["smallest"] < two["rows"]
    # otherwise it would prove nothing
    assert two["differ_alone"] > 0
    assert two["people_on_several"] > 0.5
    assert one["settled"] >= 1
    assert two["settled"] >= 1
    assert set(two["times"]) == set(one["times"])
    assert all(times > 0 for times in two["times"].values())
    assert not (tmp_path / "bench-shards").exists(), "nothing is left behind"
