"""The database itself: its history, its transactions, its locks."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text

from console.store import tables
from console.store.engine import allocate, open_store
from console.store.locks import ExclusiveLock, exclusive
from console.store.migrations.run import is_current, upgrade
from schemas.errors import UserError
from tests.console_kit import migrated, settings_in


def test_the_history_makes_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    assert is_current(store)


def test_sqlite_keeps_a_log_and_its_foreign_keys(tmp_path: Path) -> None:
    store = open_store(settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    with store.read() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_upgrading_twice_does_it_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "new" / "directory")
    assert upgrade(settings) == [f"{number:04}" for number in range(1, 16)]
    assert upgrade(settings) == []


def test_upgrading_from_two_processes_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from console.store.migrations.run import upgrade\n"
        "from schemas.settings import Settings\n"
        "print(len(upgrade(Settings(data_dir=Path(sys.argv[1])))))\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = sorted(child.communicate()[0].strip() for child in children)
    assert [child.returncode for child in children] == [0, 0]
    assert said == [b"0", b"15"]


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)

    def fail() -> None:
        with store.write() as connection:
            assert allocate(connection, "x", 5) == 1
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError):
        fail()
    with store.write() as connection:
        assert allocate(connection, "x") == 1
        assert allocate(connection, "x", 2) == 2


def test_writers_in_many_threads_wait_for_each_other(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    seen: list[int] = []

    def write() -> None:
        for _ in range(20):
            with store.write() as connection:
                seen.append(allocate(connection, "x"))

    in_threads(write, 4)
    assert sorted(seen) == list(range(1, 81))


def test_a_reader_sees_one_state(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    count = select(tables.counters)
    with store.read() as reader:
        assert reader.execute(count).all() == []
        with store.write() as writer:
            writer.execute(insert(tables.counters), [{"name": "x", "value": 1}])
        assert reader.execute(count).all() == []
    with store.read() as reader:
        assert len(reader.execute(count).all()) == 1


def test_a_lock_is_its_holders_alone_until_let_go(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    first, second = (ExclusiveLock(store.engine, "relay") for _ in range(2))
    assert first.try_acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    assert ExclusiveLock(store.engine, "other").try_acquire()
    with pytest.raises(TimeoutError, match="relay"), exclusive(store.engine, "relay", 0.1):
        pass
    first.release()
    assert second.try_acquire()
    second.release()


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "oracle+none://x"]
)
def test_a_wrong_url_is_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="TRUYVET_DATABASE_URL"):
        open_store(settings_in(tmp_path, database_url=url))


def in_threads(work: Callable[[], Any], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
