"""`truyvet bench ingest --short`: every record counted, one JSON object, no limit on the clock."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "console.cli.main")


def _bench(data_dir: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, "--data-dir", str(data_dir), "bench", "ingest", "--short", "--json", *options],
        capture_output=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    assert done.stdout.count(b"\n") == 1, "one object on stdout, progress on stderr"
    assert b"truyvet, everything on" in done.stderr
    assert not (data_dir / "bench").exists(), "nothing is left behind"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_valid_topic_becomes_rows_to_the_record(tmp_path: Path) -> None:
    found = _bench(tmp_path, "--records", "50000")
    assert found["topic"]["expected"] == {"written": 50_000}
    rows = {row["name"]: row for row in found["rows"]}
    assert set(rows) == {"stock_faust", "pipe_librdkafka", "truyvet"}
    assert not [row for row in rows.values() if "failure" in row]
    assert found["events_per_s"] == rows["truyvet"]["median"] > 0
    assert found["ratio_to_stock_faust"] > 0
    assert found["ratio_to_shortest_pipe"] > 0
    assert found["cpu_us_per_event"]["engine"] > 0
    assert found["cpu_us_per_event"]["steps"]["decode"] > 0
    assert found["bytes_per_event"]["log"] > 0


def test_garbage_stops_the_pipe_and_not_truyvet(tmp_path: Path) -> None:
    found = _bench(tmp_path, "--records", "20000", "--garbage", "0.02")
    # the run itself raises unless each is in its table
    assert found["topic"]["expected"]["duplicate"] == 400
    assert sum(found["topic"]["expected"].values()) == 20_000
    pipe = next(row for row in found["rows"] if row["name"] == "pipe_librdkafka")
    assert pipe["median"] is None
    assert pipe["failure"]
    assert found["ratio_to_shortest_pipe"] is None
    assert found["events_per_s"] > 0
