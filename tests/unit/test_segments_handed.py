"""What is believed of what the engine hands on, without an engine."""

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from deploy.embedded.engine import handed as giving
from deploy.embedded.engine.changes import Changes as Counting
from deploy.embedded.engine.execute import Answer, Work
from deploy.embedded.engine.handed import Given, Tokens, given_by, may_be_handed
from deploy.embedded.engine.protocol import Call
from deploy.embedded.engine.statement import Insert
from streams.clickhouse import ClickHouse
from streams.segments import held as held_module
from streams.segments import mapping as mapping_module
from streams.segments.changes import Changes, Count
from streams.segments.handed import Came, Handed, segments_in, week_of
from streams.segments.held import Held
from streams.segments.known import Known
from streams.segments.parts import Part, part_of
from streams.segments.pieces import Piece, found_in, of_one_part
from tests.console_kit import settings_in
from tests.segments_kit import arrived, files_from
from tracer.segment import Segment, joined
from tracer.segments import Segments

MONDAY = "20260921"
NAMES = ", ".join(f"`{name}`" for name in arrived(0, 1).column_names)
INSERT = f"INSERT INTO scans ({NAMES})".encode()


def written(file: Path, scans: pa.Table) -> Path:
    with pa.OSFile(str(file), "wb") as opened, pa.ipc.new_stream(opened, scans.schema) as stream:
        stream.write_table(scans)
    return file


def segment_with(rows: int, folder: Path) -> Segment:
    [made] = segments_in(written(folder / "rows", arrived(0, rows)), rows)
    return made


class Engine:
    """One that hands on, as the embedded engine does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counting = Counting(folder, 8123)
        self.changes = Changes(folder / "changes.8123")

    def count(self) -> Count:
        count = self.changes.count()
        assert count is not None
        return count

    def insert(self, scans: pa.Table, rows: int | None = None, database: str = "default") -> None:
        begun = self.counting.insert_begins()
        file = written(self.folder / "given", scans)
        given = Given(file, scans.num_rows if rows is None else rows, database)
        self.counting.ended(INSERT, read_only=False, begun=begun, given=given)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def rows_of(came: list[Came] | None) -> list[int] | None:
    return None if came is None else [len(one.segment) for one in came]


def test_all_that_came_after_a_count_is_found(engine: Engine) -> None:
    handed, first = Handed(engine.changes), engine.count()
    assert rows_of(handed.between(first, engine.count())) == []
    engine.insert(arrived(0, 3))
    second = engine.count()
    engine.insert(arrived(3, 4, [0, 1]))
    assert rows_of(handed.between(first, second)) == [3]
    assert rows_of(handed.between(first, engine.count())) == [3, 2, 2]
    assert rows_of(handed.between(second, engine.count())) == [2, 2]
    assert rows_of(handed.between(engine.count(), first)) is None


def test_what_has_been_read_is_kept_until_it_is_in_what_was_looked_at(engine: Engine) -> None:
    handed, first = Handed(engine.changes), engine.count()
    engine.insert(arrived(0, 3))
    now = engine.count()
    came = handed.between(first, now)
    for file in (engine.folder / "handed").iterdir():
        file.unlink()
    assert handed.between(first, now) == came
    assert handed.rows == 3
    handed.forget(first)
    assert handed.between(first, now) == came
    handed.forget(now)
    assert handed.rows == 0
    assert handed.between(now, now) == []
    assert handed.between(first, now) is None


@pytest.mark.parametrize("what", ["another change", "another start", "short", "another database"])
def test_if_not_everything_is_certain_nothing_is(engine: Engine, what: str) -> None:
    handed, first = Handed(engine.changes), engine.count()
    engine.insert(arrived(0, 3))
    match what:
        case "another change":
            engine.counting.ended(b"ALTER TABLE scans DELETE WHERE 1", read_only=False)
            engine.insert(arrived(3, 3))
        case "another start":
            engine.counting.close()
            engine = Engine(engine.folder)
            engine.insert(arrived(3, 3))
        case "short":
            engine.insert(arrived(3, 3), rows=4)
        case "another database":
            engine.insert(arrived(3, 3), database="other")
    assert handed.between(first, engine.count()) is None


def test_too_much_is_not_gone_through(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    handed, first = Handed(engine.changes), engine.count()
    for begin in (0, 3):
        engine.insert(arrived(begin, 3))
    monkeypatch.setattr("streams.segments.handed._MOST_ROWS", 5)
    assert handed.between(first, engine.count()) is None
    monkeypatch.setattr("streams.segments.handed._MOST_ROWS", 6)
    assert rows_of(handed.between(first, engine.count())) == [3, 3]
    monkeypatch.setattr("streams.segments.handed._MOST_CHANGES", 1)
    assert handed.between(first, engine.count()) is None


def test_whether_an_insert_was_under_way_is_counted(engine: Engine) -> None:
    before = engine.count()
    begun = engine.counting.insert_begins()
    during = engine.count()
    assert during.same(before)
    assert before.quiet_until(before)
    assert not before.quiet_until(during)
    assert not during.quiet_until(during)
    assert not before.quiet_until(None)
    other = engine.counting.insert_begins()
    assert (begun.alone, other.alone) == (True, False)
    for one in (begun, other):
        engine.counting.ended(INSERT, read_only=False, begun=one)
    assert engine.count().open == 0
    assert not before.quiet_until(engine.count())
    assert engine.count().quiet_until(engine.count())


def test_whether_an_insert_was_alone_is_said(engine: Engine) -> None:
    handed, first = Handed(engine.changes), engine.count()
    engine.insert(arrived(0, 1))
    begun = engine.counting.insert_begins()
    engine.insert(arrived(1, 2))
    given = Given(written(engine.folder / "given", arrived(3, 3)), 3, "default")
    engine.counting.ended(INSERT, read_only=False, begun=begun, given=given)
    engine.insert(arrived(6, 4))
    came = handed.between(first, engine.count())
    assert came is not None
    assert [(len(one.segment), one.alone) for one in came] == [
        (1, True), (2, False), (3, False), (4, True),
    ]  # fmt: skip


def test_what_is_known_goes_on_from_a_look_at_which_no_insert_was_under_way(
    engine: Engine, tmp_path: Path
) -> None:
    known, first = Known(engine.changes), engine.count()
    assert known.at(first) is None
    held = Segments([segment_with(5, tmp_path)])
    known.found(first, held, quiet=True)
    assert known.at(first) is held
    engine.insert(arrived(0, 3))
    second = engine.count()
    assert len(known.at(second) or ()) == 8
    assert known.is_ready(second)
    # one more look, at which the second insert was under way already
    more = Segments([*held.every, *(segment_with(rows, tmp_path) for rows in (3, 2))])
    known.found(second, more, quiet=False)
    assert known.at(second) is more
    otherwise = Segments([joined(more.every)])
    known.otherwise(more, otherwise)
    assert known.at(second) is otherwise
    engine.insert(arrived(3, 2))
    third = engine.count()
    assert known.at(third) is None  # or it would be there twice
    known.found(third, otherwise, quiet=True)
    engine.insert(arrived(5, 1))
    assert len(known.at(engine.count()) or ()) == 11
    known.otherwise(held, Segments())  # nobody's by now
    assert len(known.at(engine.count()) or ()) == 11
    known.otherwise(otherwise, more)
    assert len(known.at(engine.count()) or ()) == 11
    known.doubt()
    assert known.at(engine.count()) is None
    assert len(known.last or ()) == 11
    known.nothing()
    assert known.last is None


def test_the_newest_are_kept_and_nothing_when_the_engine_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "_MOST_FILES", 2)
    for begin in range(4):
        engine.insert(arrived(begin, 1))
    numbers = sorted(int(file.name.split(".")[1]) for file in (engine.folder / "handed").iterdir())
    assert numbers == [3, 4]
    engine.counting.tidy()
    assert len(list((engine.folder / "handed").iterdir())) == 2
    monkeypatch.setattr(giving, "OLD_S", 0.0)
    engine.counting.tidy()
    assert not list((engine.folder / "handed").iterdir())
    engine.insert(arrived(4, 1))
    engine.counting.close()
    assert not list((engine.folder / "handed").iterdir())


def call(**settings: str) -> Call:
    return Call("POST", "/", settings={"insert_deduplication_token": "one", **settings})


def work(tmp_path: Path, target: bytes = INSERT, form: str = "ArrowStream") -> Work:
    data = tmp_path / "data"
    data.write_bytes(b"rows")
    return Work(target, "Null", Insert(target, b"", form, 0), data)


def test_only_what_is_certain_to_be_in_the_table_once_is_handed_on(tmp_path: Path) -> None:
    tokens = Tokens()
    assert may_be_handed(call(), work(tmp_path), tokens)
    assert not may_be_handed(call(), work(tmp_path), tokens)  # repeated
    values = Work(b"INSERT INTO default.scans VALUES (1)", "Null")
    assert not may_be_handed(call(insert_deduplication_token="first"), values, tokens)
    again = call(insert_deduplication_token="first")
    assert not may_be_handed(again, work(tmp_path), tokens)
    assert may_be_handed(call(insert_deduplication_token="two"), work(tmp_path), tokens)
    for settings in ({"insert_deduplication_token": ""}, {"async_insert": "1"}):
        assert not may_be_handed(call(**settings), work(tmp_path), Tokens())
    for target in (
        INSERT.replace(b"INTO ", b"INTO other."),
        INSERT.replace(b"scans ", b"scans_again "),
        INSERT.replace(b"scans ", b"SCANS "),
        INSERT.replace(b"`trip`, ", b""),  # which then has the table's default
        INSERT.replace(b"`trip`", b"f(`trip`)"),
        b"INSERT INTO scans",
    ):
        assert target != INSERT
        assert not may_be_handed(call(), work(tmp_path, target), Tokens())
    assert not may_be_handed(call(), work(tmp_path, form="CSV"), Tokens())
    assert not may_be_handed(call(), Work(b"TRUNCATE TABLE scans", "Null"), Tokens())
    large = work(tmp_path)
    assert large.data is not None
    with large.data.open("wb") as file:
        file.truncate(giving.MOST_BYTES + 1)
    assert not may_be_handed(call(), large, Tokens())


def test_the_newest_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "_MOST_TOKENS", 2)
    tokens = Tokens()
    given = [tokens.is_new(call(insert_deduplication_token=one)) for one in "aabcab"]
    assert given == [True, False, True, True, True, True]


def test_a_week_begins_on_monday_utc() -> None:
    day = 86_400_000
    sunday = 1_789_948_800_000 + 6 * day  # 2026-09-27
    weeks = week_of(np.array([sunday - 6 * day, sunday + day - 1, sunday + day], np.int64))
    assert [str(week) for week in weeks] == ["2026-09-21", "2026-09-21", "2026-09-28"]
    with pytest.raises(ValueError, match="Monday"):
        week_of(np.array([0], np.int64))


def piece(segment: Segment, *parts: str, rows: int) -> Piece:
    return Piece(segment, tuple(part_of(name, rows, 0) for name in parts))


def test_what_came_is_found_in_the_parts_that_lack_it(tmp_path: Path) -> None:
    two, three = segment_with(2, tmp_path), segment_with(3, tmp_path)
    week = two.partition
    old = piece(segment_with(5, tmp_path), f"{week}_1_1_0", rows=5)
    merged, new = part_of(f"{week}_1_2_1", 7, 0), part_of(f"{week}_3_3_0", 3, 0)
    old = Piece(old.segment, (merged._replace(rows=5),))
    both = [Came(two, alone=True), Came(three, alone=True)]
    found = found_in(both, [new, merged], [old])
    assert [(one.segment, one.parts) for one in found] == [
        (two, (merged._replace(rows=2),)),
        (three, (new,)),
    ]
    # of inserts that were under way together nobody knows which block is whose
    [one] = found_in([Came(two, alone=False), Came(three, alone=True)], [new, merged], [old])
    assert len(one.segment) == 5
    assert set(one.parts) == {new, merged._replace(rows=2)}
    whole = part_of(f"{week}_1_3_2", 10, 0)
    [one] = found_in(both, [whole], [Piece(old.segment, (whole._replace(rows=5),))])
    assert (len(one.segment), one.parts) == (5, (whole._replace(rows=5),))
    assert found_in([], [], [old]) == []


def test_nobody_waits_for_another_who_takes_what_came(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed, first = Handed(engine.changes), engine.count()
    engine.insert(arrived(0, 3))
    begun, go_on = threading.Event(), threading.Event()

    def slowly(file: Path, rows: int) -> list[Segment]:
        if threading.current_thread() is slow:
            begun.set()
            assert go_on.wait(30)
        return segments_in(file, rows)

    found: list[list[Came] | None] = []
    slow = threading.Thread(target=lambda: found.append(handed.between(first, engine.count())))
    monkeypatch.setattr("streams.segments.handed.segments_in", slowly)
    slow.start()
    assert begun.wait(30)
    mine = handed.between(first, engine.count())
    assert rows_of(mine) == [3]
    go_on.set()
    slow.join()
    assert found == [mine]  # the same segments: whoever compares sees that nothing has changed
    assert handed.rows == 3


def test_if_as_many_are_not_lacking_they_are_read(tmp_path: Path) -> None:
    two = segment_with(2, tmp_path)
    part = part_of(f"{two.partition}_1_1_0", 3, 0)
    other = part_of("20200106_1_1_0", 2, 0)
    for came, left in (([two], [part]), ([], [part]), ([two], []), ([two], [other])):
        with pytest.raises(ValueError, match="are lacking"):
            found_in([Came(one, alone=True) for one in came], left, [])


def test_pieces_of_one_part_are_made_one(tmp_path: Path) -> None:
    segments = [segment_with(rows, tmp_path) for rows in range(1, 8)]
    week = segments[0].partition
    apart = [piece(one, f"{week}_{n}_{n}_0", rows=len(one)) for n, one in enumerate(segments)]
    assert of_one_part(apart, 100) is None
    merged = [*apart[:4], *(piece(one, f"{week}_4_6_1", rows=len(one)) for one in segments[4:])]
    assert of_one_part(merged, 100) == segments[4:]
    assert of_one_part(merged, 18) is None  # 5 + 6 + 7 rows: it will have a file


class Table:
    """Parts that a look finds, while an insert is under way or not; and rows that are read."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine, self.parts, self.busy = engine, [part_of("20260921_1_1_0", 5, 0)], False
        self.read: list[str] = []
        monkeypatch.setattr(held_module, "active_parts", self._look)
        monkeypatch.setattr(held_module, "in_memory", self._rows)
        for pause in ("_EVERY_S", "_SOON_S"):
            monkeypatch.setattr(held_module, pause, 0.0)

    def _look(self, _: object) -> list[Part]:
        if self.busy:
            begun = self.engine.counting.insert_begins()
            self.engine.counting.ended(b"INSERT INTO other VALUES", read_only=False, begun=begun)
        return list(self.parts)

    def _rows(self, _: object, parts: dict[Part, list[Segment]]) -> dict[Part, Segment]:
        self.read += [part.name for part in parts]
        return {
            part: segment_with(part.rows - sum(map(len, had)), self.engine.folder)
            for part, had in parts.items()
        }


@pytest.fixture
def table(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Table:
    return Table(engine, monkeypatch)


def held_of(table: Table, folder: Path) -> Held:
    held = Held(ClickHouse(settings_in(folder)), changes=table.engine.changes)
    held.follow()
    assert len(held.unchanged or ()) == 5
    table.read.clear()
    return held


def test_a_look_while_an_insert_is_under_way_is_put_off_but_not_for_ever(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = held_of(table, tmp_path)
    table.engine.insert(arrived(0, 2))
    table.parts.append(part_of("20260921_2_2_0", 2, 0))
    table.busy = True
    held.follow()
    assert len(held.unchanged or ()) == 7
    assert not table.read
    table.busy = False
    held.follow()
    assert len(held.unchanged or ()) == 7
    assert not table.read
    table.engine.insert(arrived(2, 3))
    table.parts.append(part_of("20260921_3_3_0", 3, 0))
    table.busy = True
    monkeypatch.setattr(held_module, "_OVERDUE_S", 0.0)
    held.follow()
    assert len(held.unchanged or ()) == 10
    assert table.read == ["20260921_3_3_0"]
    table.engine.insert(arrived(5, 1))
    assert held.unchanged is None  # nothing to go on from


def test_what_a_look_finds_gone_is_not_put_off(table: Table, tmp_path: Path) -> None:
    held = held_of(table, tmp_path)
    table.engine.insert(arrived(0, 2))
    # as many rows are gone of the one as came with the other
    table.parts = [part_of("20260921_1_1_0_3", 3, 0), part_of("20260921_4_4_0", 2, 0)]
    for table.busy in (True, False):
        held.follow()
        assert len(held.unchanged or ()) == 5
    assert table.read == ["20260921_1_1_0_3", "20260921_4_4_0"]


def test_what_was_torn_by_a_file_is_not_taken_for_what_came(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = held_of(table, tmp_path)
    for begin, rows in ((0, 2), (2, 3)):  # together: nobody knows which part has which
        begun = table.engine.counting.insert_begins()
        table.engine.insert(arrived(begin, rows))
        table.engine.counting.ended(b"INSERT INTO other VALUES", read_only=False, begun=begun)
    table.parts += [part_of("20260921_2_2_0", 3, 0), part_of("20260921_3_3_0", 2, 0)]
    held.follow()
    assert len(held.unchanged or ()) == 10
    assert not table.read
    files_from(4, monkeypatch)
    monkeypatch.setattr(mapping_module.Mapping, "_has_file", lambda _, part: part.lowest == 2)
    monkeypatch.setattr(mapping_module, "contents", lambda *_: {})
    file = segment_with(5, tmp_path)
    monkeypatch.setattr(mapping_module, "mapped", lambda *_: file)
    monkeypatch.setattr(held._files, "_folder", tmp_path)
    table.engine.insert(arrived(5, 2))  # as many as the piece has besides
    # which is merged with the one that has a file by now
    table.parts[1:] = [part_of("20260921_2_2_1", 5, 0), part_of("20260921_3_3_0", 2, 0)]
    held.follow()
    assert table.read == ["20260921_3_3_0"]


def test_an_insert_stands_though_it_cannot_be_handed_on(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_disk(*_: object, **__: object) -> None:
        raise OSError("no disk")

    answer = Answer("Null", iter(()), {"written_rows": "1"})
    copy = tmp_path / "copy"
    given = given_by(call(), work(tmp_path), answer, copy)
    assert given == Given(copy, 1, "default")
    assert copy.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("shutil.copyfile", no_disk)
    assert given_by(call(), work(tmp_path), answer, copy) is None
    assert not copy.exists()
    engine.insert(arrived(0, 1))
    monkeypatch.setattr(Path, "unlink", no_disk)
    before = engine.count()
    engine.counting.ended(b"TRUNCATE TABLE scans", read_only=False)
    assert not engine.count().same(before)
    engine.counting.close()
    assert engine.changes.count() is None
