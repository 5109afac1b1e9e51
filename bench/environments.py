"""A virtual environment for each peer, made on demand from its pinned list and kept in the cache.

None of them is a dependency of truyvet: their own dependencies contradict ours and each other's.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import bench.peers
from deploy.embedded.kafka.fetch import cache_dir
from schemas.errors import UserError

FOLDER: Final = Path(bench.peers.__file__).parent
_TIMEOUT_S: Final = 900
_ERROR_CHARACTERS: Final = 300
Say = Callable[[str], None]


def pins(peer: str) -> dict[str, str]:
    """Versions by distribution, of `<peer>.txt`."""
    lines = (FOLDER / f"{peer}.txt").read_text("utf-8").splitlines()
    pairs = (line.partition("==") for line in lines if line.strip() and line[0] != "#")
    return {name: version for name, equals, version in pairs if equals}


def environment(peer: str, say: Say) -> Path:
    """The peer's own Python, installed if it is not yet. Raises UserError with the reason."""
    listed = FOLDER / f"{peer}.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    mark = hashlib.sha256(listed.read_bytes()).hexdigest()[:12]
    home = cache_dir() / "peers" / f"{peer}-{version}-{mark}"
    python = home / "bin" / "python"
    if (home / "complete").exists():
        return python
    say(f"installing {peer} {pins(peer)[peer]} in an environment of its own")
    shutil.rmtree(home, ignore_errors=True)  # of an attempt that was cut short
    home.parent.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", str(home)], peer)
    # wheels only: nobody wants a benchmark that compiles for an hour
    options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    _run([str(python), "-m", "pip", "install", *options, "-r", str(listed)], peer)
    (home / "complete").touch()
    return python


def variables(threads: int) -> Mapping[str, str]:
    """The environment variables a peer runs with: nothing of ours on its path."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TRUYVET_"))}
    return {**kept, "PYTHONWARNINGS": "ignore", "PATHWAY_THREADS": str(threads)}


def _run(command: list[str], peer: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(
            f"Không cài được {peer} ({error}). / {peer} could not be installed ({error})."
        ) from None
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())
        raise UserError(
            f"Không cài được {peer}: {words[-_ERROR_CHARACTERS:]} / "
            f"{peer} could not be installed: {words[-_ERROR_CHARACTERS:]}"
        )
