"""`truyvet bench truth --short`: the whole path in small, one JSON object, nothing written."""

import json
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-m", "console.cli.main")


def test_everybody_who_scans_is_found(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = subprocess.run(
        [*COMMAND, "--data-dir", str(data), "bench", "truth", "--short", "--json"],
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    assert done.stdout.count(b"\n") == 1, "one object on stdout, progress on stderr"
    assert b"city 1" in done.stderr
    found = json.loads(done.stdout)
    cells = {
        (cell["scan_in"], cell["scan_out"]): cell["methods"]["anyone"] for cell in found["settings"]
    }
    everybody = cells[1.0, 1.0]["truyvet"]
    assert min(everybody["precision"], everybody["recall"]) > 0.97
    assert cells[1.0, 0.7]["truyvet"]["recall"] < everybody["recall"]
    assert {"truyvet", "nhs", "swisscovid", "luca", "fixed_2h", "around_15min"} <= set(
        cells[0.9, 0.7]
    )
    assert not data.exists(), "no data directory is touched"


def test_the_short_form_writes_no_page(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "bench", "truth", "--short", "--write", str(tmp_path)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert b"--write" in done.stderr
    assert not list(tmp_path.iterdir())
