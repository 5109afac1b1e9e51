"""A PostgreSQL of its own for a benchmark: the system's package, a temporary cluster, one socket.

It listens on no port, runs as a user without rights (it refuses root), and ends with this process.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.process_worker import wait_for
from schemas.errors import UserError

Say = Callable[[str], None]
_INSTALLED: Final = Path("/usr/lib/postgresql")
_USER: Final = "truyvet"
_NOBODY: Final = "nobody"
_START_S: Final = 60
_STOP_S: Final = 120
# A quarter of the memory would be its manual's advice; it shares the machine's with the others.
_CONFIG: Final = """
listen_addresses = ''
shared_buffers = 2GB
effective_cache_size = 10GB
work_mem = 64MB
maintenance_work_mem = 1GB
random_page_cost = 1.1
wal_level = minimal
max_wal_senders = 0
max_wal_size = 8GB
jit = off
"""


@contextmanager
def running_postgres(say: Say) -> Iterator[Path]:
    """The directory of its socket, for the user `truyvet` of the database `postgres`.

    Raises UserError with the reason when there is no PostgreSQL, or it does not start.
    """
    home = Path(tempfile.mkdtemp(prefix="truyvet-pg-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        programs = _programs(home, say)
        cluster = home / "data"
        cluster.mkdir()
        if os.geteuid() == 0:
            home.chmod(0o755)
            for folder in (cluster, home):
                shutil.chown(folder, _NOBODY)
        options = ["-D", str(cluster), "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-locale"]
        _run([*_unprivileged(), str(programs / "initdb"), *options])
        with (cluster / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"{_CONFIG}unix_socket_directories = '{home}'\n")
        command = [*_unprivileged("--pdeathsig=KILL"), str(programs / "postgres"), "-D"]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen([*command, str(cluster)], stdout=log, stderr=log)
        ready = [str(programs / "pg_isready"), "-q", "-h", str(home)]
        wait_for(lambda: _succeeds(ready) or _ended(server), _START_S, "PostgreSQL to start")
        if _ended(server):
            words = (home / "log").read_text("utf-8", "replace").split()
            raise UserError(
                f"PostgreSQL không khởi động: {' '.join(words)[-200:]} / "
                f"PostgreSQL does not start: {' '.join(words)[-200:]}"
            )
        yield home
    finally:
        if server is not None:
            _stop(server)
        shutil.rmtree(home, ignore_errors=True)


def _programs(home: Path, say: Say) -> Path:
    """The newest version's `bin`: installed, or unpacked from the system's package in `home`."""
    if not list(_INSTALLED.glob("*/bin/initdb")):
        _unpack(home, say)
    roots = (_INSTALLED, home / "package" / _INSTALLED.relative_to("/"))
    found = [program for root in roots for program in root.glob("*/bin/initdb")]
    if not found:
        raise UserError(
            "Gói của hệ điều hành không có PostgreSQL. / The system's package has no PostgreSQL."
        )
    return max(found, key=lambda program: int(program.parts[-3])).parent


def _unpack(home: Path, say: Say) -> None:
    if shutil.which("apt-get") is None:
        raise UserError(
            "Chưa cài PostgreSQL, và máy không có apt-get để tải. / "
            "PostgreSQL is not installed, and there is no apt-get to fetch it with."
        )
    name = _packaged()
    if name is None:
        say("reading the list of the system's packages")
        _run(["apt-get", "update", "-qq"])
        name = _packaged()
    if name is None:
        raise UserError(
            "Chưa cài PostgreSQL, và kho gói của hệ điều hành không có. / "
            "PostgreSQL is not installed, and the system's packages have none."
        )
    say(f"unpacking {name}")
    folder = home / "package"
    folder.mkdir()
    _run(["apt-get", "download", name, "libpq5"], folder)
    for package in folder.glob("*.deb"):
        _run(["dpkg", "-x", str(package), str(folder)], folder)


def _packaged() -> str | None:
    """The package's name; None where the system's list has none, as a bare machine's is empty."""
    command = ["apt-cache", "depends", "postgresql"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"\bpostgresql-\d+\b", listed)
    return found[0] if found else None


def _unprivileged(*options: str) -> list[str]:
    if shutil.which("setpriv") is None:
        raise UserError(
            "PostgreSQL cần `setpriv` (util-linux) để chạy không đặc quyền. / "
            "PostgreSQL needs `setpriv` (util-linux) to run without rights."
        )
    user = [f"--reuid={_NOBODY}", "--regid=nogroup", "--clear-groups"]
    return ["setpriv", *(user if os.geteuid() == 0 else []), *options]


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _ended(server: "subprocess.Popen[bytes] | None") -> bool:
    return server is None or server.poll() is not None


def _stop(server: "subprocess.Popen[bytes]") -> None:
    if server.poll() is None:
        server.send_signal(2)  # SIGINT: its fast shutdown
        try:
            server.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, cwd=folder, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"PostgreSQL: {command[0]}: {error}") from None
    if done.returncode:
        words = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise UserError(f"PostgreSQL: {Path(command[0]).name}: {words[-200:]}")
    return done.stdout.decode("utf-8", "replace")
