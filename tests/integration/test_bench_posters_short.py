"""`truyvet bench posters --short`: both loops print, and one JSON object says how fast."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_posters(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "console.cli.main", "--data-dir", str(tmp_path), "bench"]
    done = subprocess.run(
        [*command, "posters", "--short", "--json"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    [only] = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(only)
    assert found["bench"] == "posters"
    assert found["pages"] == found["whole"]["pages"] == 500
    assert found["pages_per_s"] > 0
    assert found["naive"]["failure"] == ""
    assert found["naive"]["pages"] == 20
    assert found["ratio_to_naive"] > 0
    assert found["whole"]["bytes_per_page"] < 40_000
    assert not (tmp_path / "bench-posters").exists(), "nothing is left behind"
