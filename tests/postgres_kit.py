"""The console's tests on PostgreSQL: `TRUYVET_TEST_POSTGRES` names the socket of a running one.

Each directory of a test then has a database of its own there, in place of a SQLite file in it.
"""

import os
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

SOCKET: Final = os.environ.get("TRUYVET_TEST_POSTGRES", "")


def url_in(directory: Path) -> str:
    """The URL of this directory's database, which may not be there yet."""
    return f"postgresql+psycopg://truyvet@/{_name(directory)}?host={SOCKET}"


def create(directory: Path, like: Path | None = None) -> None:
    """Make this directory's database, empty or as another's is; one that is there stays."""
    template = "template1" if like is None else _name(like)
    there = (
        _server()
        .execute("SELECT 1 FROM pg_database WHERE datname = %s", (_name(directory),))
        .fetchone()
    )
    if there is None:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        _server().execute(made.format(sql.Identifier(_name(directory)), sql.Identifier(template)))


def _name(directory: Path) -> str:
    return "t_" + blake2b(str(directory.absolute()).encode(), digest_size=8).hexdigest()


@cache
def _server() -> "psycopg.Connection[Any]":
    return psycopg.connect(host=SOCKET, user="truyvet", dbname="postgres", autocommit=True)
