"""A backup's directory and its parts: whole or not there, and the same when read back."""

from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
from sqlalchemy import select

from console.backup import keys, relational, topics
from console.backup.folder import Folder, Manifest, check_part, lines, read_manifest
from console.backup.pieces import below
from console.store import outbox, tables
from console.store.engine import utc_now
from console.store.keys import Role, create_key
from console.store.register import register_sites
from schemas.errors import UserError
from tests.console_kit import RING, migrated, new_sites, settings_in


def manifest_of(folder: Folder) -> Manifest:
    return Manifest("id", "2026-11-26T00:00:00.000Z", {}, folder.parts())


def test_what_was_finished_before_a_stop_is_not_made_again(tmp_path: Path) -> None:
    first = Folder(tmp_path / "b")
    assert first.begun(lambda: {"id": 1}) == {"id": 1}
    first.put("a.gz", "a", [b"1\n"], lambda: 1)

    def stopped() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.put("b.gz", "b", [b"2\n"], stopped)
    with (first.path / "done.jsonl").open("ab") as journal:
        journal.write(b'{"name": "b.gz", "of')  # the machine went down while it was noted
    with pytest.raises(UserError, match=r"NAME\.partial"):
        read_manifest(tmp_path / "b")
    second = Folder(tmp_path / "b")
    assert second.begun(lambda: {"id": 2}) == {"id": 1}
    assert second.part("a.gz") is not None
    assert second.part("b.gz") is None
    second.put("b.gz", "b", [b"2\n", b"3\n"], lambda: 2)
    second.finish(manifest_of(second))
    found = read_manifest(tmp_path / "b")
    assert found.rows() == {"a": 1, "b": 2}
    assert sorted(f.name for f in (tmp_path / "b").iterdir()) == ["a.gz", "b.gz", "manifest.json"]
    assert list(lines(tmp_path / "b", found.of("b")[0])) == [2, 3]
    with pytest.raises(UserError, match="exists already"):
        Folder(tmp_path / "b")


def test_a_part_that_was_changed_is_found(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "b")
    part = folder.put("a.gz", "a", [b"1\n" * 100], lambda: 100)
    check_part(folder.path, part)
    file = folder.path / "a.gz"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match="damaged or missing"):
        check_part(folder.path, part)
    file.unlink()
    with pytest.raises(UserError, match="damaged or missing"):
        check_part(folder.path, part)


def test_the_relational_database_comes_back_row_for_row(tmp_path: Path) -> None:
    _, store = migrated(tmp_path / "a")
    register_sites(store, RING, new_sites(3, 4), source="test")
    create_key(store, Role.OFFICER, "*", name="one")
    with store.write() as connection:
        outbox.append(connection, [outbox.Entry("t", "k", b"\x00\xff", {"ce_id": "1"})], utc_now())
    folder = Folder(tmp_path / "b")
    relational.dump(folder, store)
    folder.finish(manifest_of(folder))
    _, empty = migrated(tmp_path / "c")
    with empty.write() as connection:
        relational.load(connection, tmp_path / "b", read_manifest(tmp_path / "b"))
    assert relational.rows_of(empty) == relational.rows_of(store)
    for table in tables.metadata.sorted_tables:
        with store.read() as was, empty.read() as now:
            assert now.execute(select(table)).all() == was.execute(select(table)).all()
    # again: what is there goes first
    with empty.write() as connection:
        relational.load(connection, tmp_path / "b", read_manifest(tmp_path / "b"))
    assert relational.rows_of(empty) == relational.rows_of(store)


def test_keys_are_apart_and_never_put_over_others(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, code_keys="1:" + "5a" * 32, scan_partitions=12)
    file = keys.beside(tmp_path / "b")
    assert keys.save(settings, file) == ["TRUYVET_ADMIN_KEY", "TRUYVET_CODE_KEYS"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.plain(settings) == {"TRUYVET_SCAN_PARTITIONS": "12"}
    keys.put_back(tmp_path / "new", keys.read(file), keys.plain(settings))
    written = (tmp_path / "new" / "truyvet.env").read_text()
    assert "TRUYVET_CODE_KEYS=1:5a" in written
    assert "TRUYVET_SCAN_PARTITIONS=12" in written
    keys.put_back(tmp_path / "new", keys.read(file), {})
    with pytest.raises(UserError, match="other keys"):
        keys.put_back(tmp_path / "new", {"TRUYVET_CODE_KEYS": "1:00"}, {})


def test_the_cut_leaves_out_what_was_not_committed() -> None:
    assert below({0: 5, 2: 7}) == "kafka_offset < [5, 0, 7][kafka_partition + 1]"
    assert below({}) == "kafka_offset < [0][kafka_partition + 1]"


def test_what_was_changed_after_the_backup_is_told() -> None:
    def line(key: bytes, value: bytes) -> bytes:
        return topics._line(SimpleNamespace(key=key, value=value, headers=()))

    old = [orjson.loads(line(b"place/1", b'{"version": 1}'))]
    there = [line(b"place/1", b'{"version": 1}'), line(b"place/1", b'{"version": 2}')]
    assert topics.newer("sites.v1", old, there) == ["sites.v1 place/1"]
    assert topics.newer("sites.v1", old, there[:1]) == []
    assert topics.newer("sites.v1", [], there[:1]) == ["sites.v1 place/1"]
