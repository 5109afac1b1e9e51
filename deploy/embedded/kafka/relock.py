"""Resolve Kafka's jars anew and rewrite `kafka.lock`: `python -m deploy.embedded.kafka.relock`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from deploy.embedded.kafka.lockfile import LOCK_PATH, render
from deploy.embedded.kafka.maven import resolve_roots


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        jars = resolve_roots(Path(folder))
    LOCK_PATH.write_text(render(jars), encoding="ascii")
    print(f"{len(jars)} jars, {sum(jar.size for jar in jars) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
