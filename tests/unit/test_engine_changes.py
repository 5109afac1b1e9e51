"""What the embedded engine counts for those who read scans, and when it is believed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.engine.changes import Changes
from streams.segments import changes as reader


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Changes]:
    made = Changes(tmp_path, 8123)
    yield made
    made.close()


def count_in(folder: Path, port: int = 8123) -> reader.Count | None:
    return reader.Changes(folder / f"changes.{port}").count()


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        (b"INSERT INTO scans (person) FORMAT ArrowStream", True),
        (b"insert into `default`.`scans`(person) SELECT 1", True),
        (b"INSERT INTO TABLE scans SELECT 1", True),
        (b"INSERT INTO {table:Identifier} SELECT 1", True),
        (b'INSERT INTO "scans" SELECT 1', True),
        (b"INSERT INTO FUNCTION remote('here', default.scans) SELECT 1", True),
        (b"/* why */ INSERT INTO trace_runs SELECT 1", True),  # not named plainly
        (b"INSERT INTO trace_runs (case_id) FORMAT ArrowStream", False),
        (b"INSERT INTO default.erased SELECT * FROM scans", False),
        (b"INSERT INTO scans_rejected VALUES (1)", False),
        (b"WITH 1 AS one INSERT INTO scans SELECT one", True),
        (b"DELETE FROM scans WHERE person = 1", True),
        (b"ALTER TABLE scans DROP PARTITION ID '20260921'", True),
        (b"EXCHANGE TABLES scans AND scans_again", True),
        (b"SYSTEM RELOAD CONFIG", True),
    ],
)
def test_what_is_counted(counting: Changes, tmp_path: Path, text: bytes, counted: bool) -> None:
    before = count_in(tmp_path)
    assert before is not None
    counting.ended(text, read_only=True)
    assert count_in(tmp_path) == before
    counting.ended(text, read_only=False)
    assert (count_in(tmp_path) != before) is counted


def test_only_an_engine_that_runs_is_believed(tmp_path: Path) -> None:
    first = Changes(tmp_path, 8123)
    before = count_in(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / "changes.8123", copy)
    assert count_in(copy) is None
    first.close()
    assert count_in(tmp_path) is None
    first.ended(b"TRUNCATE TABLE scans", read_only=False)  # a statement that ends late
    assert not list(tmp_path.glob("changes.*"))
    killed = Changes(tmp_path, 8123)
    assert count_in(tmp_path) not in (None, before)
    os.close(killed._file)  # its file is left, as after SIGKILL
    assert (tmp_path / "changes.8123").exists()
    assert count_in(tmp_path) is None
    again = Changes(tmp_path, 8124)
    assert count_in(tmp_path) is None
    assert count_in(tmp_path, 8124) is not None
    again.close()


def test_what_cannot_be_counted_ends_the_count_and_nothing_else(
    counting: Changes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_disk(*_: object) -> int:
        raise OSError("no disk")

    monkeypatch.setattr(os, "pwrite", no_disk)
    counting.ended(b"TRUNCATE TABLE scans", read_only=False)
    assert count_in(tmp_path) is None
    assert not (tmp_path / "changes.8123").exists()
