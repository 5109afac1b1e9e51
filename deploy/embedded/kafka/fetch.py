"""Fetch the broker's jars once into a cache that every data directory shares.

A folder with the version's name is either whole and as locked, or not there: jars go to a
temporary folder beside it, are hashed against `kafka.lock`, and the folder is renamed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.files import exclusive
from deploy.embedded.kafka import maven
from deploy.embedded.kafka.lockfile import (
    KAFKA_VERSION,
    LOCK_PATH,
    LockedJar,
    locked_jars,
    sha256_of,
)
from deploy.embedded.progress import OnProgress, Progress, silent

ATTEMPTS = 4
PARALLEL = 8


class KafkaFetchError(RuntimeError):
    """Kafka's jars could not be had, or are not the locked ones."""


@dataclass(frozen=True)
class KafkaHome:
    """A folder with exactly the locked jars."""

    path: Path
    jars: tuple[Path, ...]

    @property
    def classpath(self) -> str:
        return os.pathsep.join(str(jar) for jar in self.jars)


def cache_dir() -> Path:
    if override := os.environ.get("TRUYVET_CACHE_DIR"):
        return Path(override).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "truyvet"


def home_path(cache: Path | None = None) -> Path:
    return (cache or cache_dir()) / f"kafka-{KAFKA_VERSION}"


def installed(cache: Path | None = None) -> KafkaHome | None:
    """The cheap check of every start: this very lock, every jar there with its size."""
    path = home_path(cache)
    try:
        if (path / LOCK_PATH.name).read_bytes() != LOCK_PATH.read_bytes():
            return None
        jars = [(path / jar.file_name, jar) for jar in locked_jars()]
        if any(file.stat().st_size != jar.size for file, jar in jars):
            return None
    except FileNotFoundError:
        return None
    return KafkaHome(path, tuple(file for file, _ in jars))


def verify(home: KafkaHome) -> tuple[str, ...]:
    """The names of the jars whose bytes are not the locked ones; hashes them all (0.1 s)."""
    return tuple(
        jar.file_name for jar in locked_jars() if sha256_of(home.path / jar.file_name) != jar.sha256
    )


def ensure(cache: Path | None = None, on_progress: OnProgress = silent) -> KafkaHome:
    """The jars, fetched if they are not there; safe for several processes at once."""
    if home := installed(cache):
        return home
    path = home_path(cache)
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(path.with_name(f"{path.name}.lock")):
        if home := installed(cache):
            return home
        _install(path, on_progress)
    home = installed(cache)
    assert home is not None
    return home


def _install(path: Path, on_progress: OnProgress) -> None:
    for leftover in path.parent.glob(f".{path.name}.*"):  # of a fetch that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        work = Path(temporary)
        new = work / "new"
        new.mkdir()
        _download(work, new, on_progress)
        shutil.copyfile(LOCK_PATH, new / LOCK_PATH.name)
        if path.exists():
            path.rename(work / "old")
        new.rename(path)


def _download(work: Path, target: Path, on_progress: OnProgress) -> None:
    jars = locked_jars()
    done = 0
    mutex = threading.Lock()

    def fetch(jar: LockedJar) -> None:
        nonlocal done
        _fetch_one(jar, work, target / jar.file_name)
        with mutex:
            done += 1
            on_progress(Progress("fetch", jar.file_name, "done", done, len(jars)))

    # The big ones first, so that the last connection is not left alone with ten megabytes.
    ordered = sorted(jars, key=lambda jar: -jar.size)
    with ThreadPoolExecutor(PARALLEL) as pool:
        futures = [pool.submit(fetch, jar) for jar in ordered]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(jar: LockedJar, work: Path, target: Path) -> None:
    reason: Exception | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(0.5 * 2**attempt)
        try:
            file = maven.download(jar, maven.context(work / "m2"))
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            reason = error
            continue
        if sha256_of(file) == jar.sha256:
            file.rename(target)
            return
        file.unlink()
        reason = ValueError("its bytes are not the locked ones")
    raise KafkaFetchError(
        f"Không tải được {jar.group}:{jar.artifact}:{jar.version} sau {ATTEMPTS} lần ({reason}). "
        "Cần một lần kết nối tới kho Maven; chép thư mục đệm của máy khác cũng được. / "
        f"Could not fetch {jar.group}:{jar.artifact}:{jar.version} in {ATTEMPTS} attempts "
        f"({reason}). A Maven repository must be reachable once; a copy of the cache folder of "
        "another machine does as well."
    ) from reason
