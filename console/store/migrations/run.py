"""Bringing the relational database to the newest revision."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from console.store.engine import Store, open_store
from console.store.locks import exclusive
from schemas.settings import Settings

_LOCK_TIMEOUT_S: Final = 120.0


def upgrade(settings: Settings, revision: str = "head") -> list[str]:
    """Apply what is missing up to `revision`; the revisions applied. Safe twice, and from two
    processes."""
    store = open_store(settings)
    try:
        with exclusive(store.engine, "migrate", _LOCK_TIMEOUT_S), store.write() as connection:
            before = current(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            return _between(before, current(connection))
    finally:
        store.close()


def knows(revision: str) -> bool:
    """Whether this code has the revision."""
    return any(script.revision == revision for script in _scripts().walk_revisions())


def is_current(store: Store) -> bool:
    """Whether the database is at the newest revision this code knows."""
    with store.read() as connection:
        return current(connection) == _scripts().get_current_head()


def current(connection: Connection) -> str | None:
    """The database's revision; None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def _between(before: str | None, after: str | None) -> list[str]:
    if before == after or after is None:
        return []
    scripts = _scripts()
    return [s.revision for s in scripts.iterate_revisions(after, before or "base")][::-1]


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
