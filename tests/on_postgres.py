"""`python -m tests.on_postgres FILE…`: these tests, on a PostgreSQL of their own."""

import os
import subprocess
import sys

import psycopg

from bench.postgres import running_postgres


def main(files: list[str]) -> int:
    """The tests' exit code."""
    with running_postgres(print) as socket:
        with psycopg.connect(
            host=str(socket), user="truyvet", dbname="postgres", autocommit=True
        ) as server:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                server.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            server.execute("SELECT pg_reload_conf()")
        env = {**os.environ, "TRUYVET_TEST_POSTGRES": str(socket)}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *files], env=env, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
