"""The relational store on a real PostgreSQL, where one is installed: the same tests as on SQLite.

The whole console, routes too: `make postgres`.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORE = sorted(ROOT.glob("tests/unit/test_store_*.py"))

if list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):

    def test_the_store_is_the_same_on_postgresql() -> None:
        command = [sys.executable, "-m", "tests.on_postgres", "-x", *map(str, STORE)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
