"""What keeps segments beside a process's work, without an engine."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.segments import held as held_module
from streams.segments.asking import answered, held_now
from streams.segments.changes import Changes, Count, changes_of
from streams.segments.held import Held
from streams.segments.influx import Influx
from streams.segments.keeping import Rounds, forget, open_held, segments_of
from streams.segments.parts import Part, part_of
from tests.console_kit import settings_in
from tracer.hours import Span
from tracer.segment import BY_HOUR, BY_PERSON, Segment, joined, segment_of
from tracer.segments import Segments
from tracer.sought import sought

MONDAY, DAY_MS = "20260921", 1_790_035_200_000  # 2026-09-22, UTC
HOUR_MS, DAY = 3_600_000, 86_400_000


class FakeHeld:
    """What was held at the last look, and what a look finds."""

    unchanged = None

    def __init__(self, last: Segments | None, found: Segments | None) -> None:
        self.last, self._found = last, found
        self.looks = 0

    def now(self) -> Segments | None:
        self.looks += 1
        return self._found


class Counting(Changes):
    """An engine that says this."""

    def __init__(self, says: Count | None = None) -> None:
        super().__init__(Path("somewhere"))
        self.says = says

    def count(self) -> Count | None:
        return self.says


class Known(FakeHeld):
    """Of which it is certain that nothing has come since."""

    @property
    def unchanged(self) -> Segments | None:  # type: ignore[override]
        return self._found


def one_scan(person: int, place: int = 1) -> Segment:
    """At 8:00 of a day."""
    scan, visit = np.zeros(1, BY_PERSON), np.zeros(1, BY_HOUR)
    scan["packed"]["scanned_at"] = visit["t"] = DAY_MS + 8 * HOUR_MS
    scan["packed"]["place"], visit["person"] = place, person
    where = np.array([place], np.uint32)
    return segment_of(MONDAY, np.array([person], np.uint64), scan, where, visit, [""], ["p"])


def who_met(person: int) -> Callable[[Segments | None], Any]:
    """Everybody at the places of this person's scans, as two questions, the second of which is
    about what the first says."""

    def ask(held: Segments | None) -> Any:
        if held is None:
            return "ClickHouse"
        places = held.scans(sought([person], DAY_MS, DAY_MS + DAY))["place"].unique().to_list()
        spans = [Span(place, DAY_MS, DAY_MS + DAY) for place in places]
        return held.visits(spans)["person"].sort().to_list() if spans else []

    return ask


def asked(held: FakeHeld | None, person: int = 1) -> tuple[Any, int]:
    """Whom the person met; and how often it was asked."""
    ask, times = who_met(person), []

    def counted(held: Segments | None) -> Any:
        times.append(1)
        return ask(held)

    return answered(cast(Held | None, held), counted), len(times)


BEFORE = [one_scan(1), one_scan(2)]


def test_what_nothing_came_to_is_asked_once() -> None:
    held = FakeHeld(Segments(BEFORE), Segments(BEFORE))
    assert asked(held) == ([1, 2], 1)
    assert held.looks == 1


def test_what_came_is_in_the_answer_and_asked_for_again_only_if_it_is() -> None:
    for came, met in ((one_scan(3), [1, 2, 3]), (one_scan(1, place=2), [1, 1, 2])):
        assert asked(FakeHeld(Segments(BEFORE), Segments([*BEFORE, came]))) == (met, 2)
    elsewhere = [one_scan(3, place=2), one_scan(4, place=3)]
    assert asked(FakeHeld(Segments(BEFORE), Segments([*BEFORE, *elsewhere]))) == ([1, 2], 1)


def test_what_went_is_in_no_answer() -> None:
    assert asked(FakeHeld(Segments(BEFORE), Segments(BEFORE[:1]))) == ([1], 2)
    gone = one_scan(3, place=2)
    assert asked(FakeHeld(Segments([*BEFORE, gone]), Segments(BEFORE))) == ([1, 2], 1)
    assert asked(FakeHeld(Segments(BEFORE), None)) == ("ClickHouse", 2)


def test_what_is_only_held_otherwise_is_in_the_answer_already() -> None:
    whole = joined(BEFORE)
    assert asked(FakeHeld(Segments(BEFORE), Segments([whole]))) == ([1, 2], 1)
    assert asked(FakeHeld(Segments([whole]), Segments([*BEFORE, one_scan(3)]))) == ([1, 2, 3], 2)
    assert asked(FakeHeld(Segments([whole]), Segments([BEFORE[0], one_scan(3)]))) == ([1, 3], 2)


def test_where_nothing_was_held_it_is_asked_after_the_look() -> None:
    assert asked(FakeHeld(None, Segments(BEFORE))) == ([1, 2], 1)
    assert asked(FakeHeld(None, None)) == ("ClickHouse", 1)
    assert asked(None) == ("ClickHouse", 1)


def test_what_is_expected_is_waited_for() -> None:
    held = FakeHeld(Segments(), Segments(BEFORE))
    assert answered(cast(Held, held), who_met(1), expected=True) == [1, 2]


def test_if_it_is_certain_that_nothing_came_nothing_is_found_out() -> None:
    assert asked(Known(Segments(), Segments(BEFORE))) == ([1, 2], 1)


def test_a_look_that_fails_is_no_answer() -> None:
    class Away(FakeHeld):
        def now(self) -> Segments | None:
            raise Retryable("away")

    for last in (Segments(), None):
        with pytest.raises(Retryable):
            asked(Away(last, None))


def test_if_what_is_held_is_wrong_clickhouse_is_asked() -> None:
    class Spoilt(FakeHeld):
        def now(self) -> Segments | None:
            raise IndexError("spoilt")

    assert asked(Spoilt(None, None)) == ("ClickHouse", 1)
    assert asked(Spoilt(Segments(BEFORE), None)) == ("ClickHouse", 2)
    assert held_now(cast(Held, Spoilt(None, None))) is None

    def wrong(held: Segments | None) -> None:
        raise ValueError("of the question")

    with pytest.raises(ValueError, match="of the question"):
        answered(cast(Held, FakeHeld(Segments(), Segments())), wrong)


def test_nothing_is_certain_but_what_the_engine_has_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looks = []

    def look(_: object) -> list[Part]:
        looks.append(1)
        return []

    monkeypatch.setattr(held_module, "active_parts", look)
    engine = Counting()
    held = Held(ClickHouse(settings_in(tmp_path)), changes=engine)
    for _ in range(2):
        assert held.unchanged is None
        assert held.now() is not None
    assert len(looks) == 2  # it does not say
    engine.says = Count(1, 1)
    assert held.unchanged is None  # nobody has looked since
    assert held.now() is held.now() is held.unchanged
    assert len(looks) == 3
    assert held.every_s == held_module._EVERY_S
    engine.says = Count(1, 2)
    assert held.unchanged is None
    assert held.every_s == held_module._SOON_S
    assert held.now() is held.unchanged
    assert len(looks) == 4


def test_a_look_that_failed_makes_nothing_certain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = Counting(Count(1, 1))
    held = Held(ClickHouse(settings_in(tmp_path)), changes=engine)
    monkeypatch.setattr(held_module, "active_parts", lambda _: [])
    held.now()

    def away(_: object) -> list[Part]:
        raise Retryable("away")

    monkeypatch.setattr(held_module, "active_parts", away)
    engine.says = Count(1, 2)
    with pytest.raises(Retryable):
        held.now()
    assert held.unchanged is None
    engine.says = Count(1, 1)  # what was so then is so still
    assert held.unchanged is not None


def test_while_not_everything_is_held_nothing_is_guessed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts: list[Part] = []
    monkeypatch.setattr(held_module, "active_parts", lambda _: list(parts))
    held = Held(ClickHouse(settings_in(tmp_path)), changes=Counting(Count(1, 1)))
    assert held.last is None
    assert held.now() is held.last
    held = Held(ClickHouse(settings_in(tmp_path)), changes=Counting())
    for look in (held.now, held.follow):
        parts.clear()
        held.now()
        assert held.last is not None
        parts.append(part_of("20260921_1_1_0", held_module.MOST_IN_MEMORY + 1, 0))
        look()
        assert held.last is None


def test_only_this_data_directorys_engine_is_believed(tmp_path: Path) -> None:
    def file_of(url: str) -> Path | None:
        return changes_of(settings_in(tmp_path, clickhouse_url=url)).file

    assert file_of("http://127.0.0.1:8123") == tmp_path / "engine" / "changes.8123"
    for other in ("http://clickhouse:8123", "http://localhost:8123", "https://127.0.0.1:8123"):
        assert file_of(other) is None
    assert file_of("http://127.0.0.1") is None


def test_a_high_influx_is_one_of_ten_seconds_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    influx = Influx()

    def with_rows(rows: int) -> bool:
        return influx.is_high([part_of("20260921_1_1_0", rows, 0)])

    assert not with_rows(10_000_000)  # what was there is not what comes
    now = 9.0
    assert not with_rows(10_600_000)  # what piled up while a worker paused
    now = 10.0
    assert not with_rows(10_600_000)  # many, but none any more
    now = 12.0
    assert with_rows(10_740_000)
    now = 12.5
    assert with_rows(10_740_000)  # since 10.0: of half a second it says nothing
    now = 14.0
    assert not with_rows(10_740_000)
    now = 30.0
    assert not with_rows(11_400_000)
    now = 40.0
    assert with_rows(12_000_000)


def test_a_round_that_fails_is_tried_again_and_closing_ends_them() -> None:
    done, begun = threading.Event(), []

    def work() -> None:
        begun.append(1)
        if len(begun) == 1:
            raise Retryable("away")
        if len(begun) == 2:
            raise ValueError("whatever")
        done.set()

    rounds = Rounds(work, lambda: 0.01, 0, "rounds")
    assert done.wait(10)
    rounds.close()
    count = len(begun)
    time.sleep(0.05)
    assert len(begun) == count


def test_a_round_gives_way_to_whoever_waits() -> None:
    found, done = [], threading.Event()

    def work() -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        done.set()

    rounds = Rounds(work, lambda: 3600.0, 0, "rounds")
    assert done.wait(30)
    rounds.close()
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert found == [min(own + 10, 19)]


def test_a_round_begins_when_there_is_something_to_do() -> None:
    every_s, begun = 3600.0, []
    rounds = Rounds(lambda: begun.append(1), lambda: every_s, 0, "rounds", look_s=0.01)
    time.sleep(0.1)
    assert len(begun) == 1
    every_s = 0.0
    until = time.monotonic() + 10
    while len(begun) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    every_s = 3600.0
    rounds.close()
    assert len(begun) >= 2


def test_without_disk_for_them_nothing_is_held_and_nothing_is_left(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, segments_gb=0)
    assert open_held(settings, ClickHouse(settings)) is None
    (segments_of(settings) / "20260921_1_1_x_1").mkdir(parents=True)
    forget(settings)
    assert not list(segments_of(settings).iterdir())
    segments_of(settings).rmdir()
    forget(settings)
    some = settings_in(tmp_path, segments_gb=1)
    assert open_held(some, ClickHouse(some)) is not None
    clustered = settings_in(tmp_path, clickhouse_cluster="city")
    assert open_held(clustered, ClickHouse(clustered)) is None


def test_a_part_says_by_its_name_what_is_in_it() -> None:
    merged = part_of("20260921_3_9_2", 70, 20)
    assert part_of("20260921_4_4_0", 10, 10).within(merged)
    assert not part_of("20260921_10_10_0", 10, 10).within(merged)
    assert not part_of("20260928_4_4_0", 10, 10).within(merged)
    assert not part_of("20260921_4_4_0_11", 10, 10).within(merged)  # a mutation rewrote it
    rewritten = part_of("20260921_3_9_2_8", 70, 20)
    assert not part_of("20260921_4_4_0", 10, 10).within(rewritten)
    assert part_of("20260921_9_9_0", 10, 10).within(rewritten)  # it came after the mutation
    assert not part_of("20260921_4_4_0", 10, 10, "another").within(merged)
    assert not part_of("20260921_4_4_0", 10, 10).within(part_of("20260921_4_4_0", 10, 20))
    assert part_of("20260921_4_4_0_11", 10, 10).within(part_of("20260921_3_9_2_11", 70, 20))
    assert not part_of("20260921_4_4_0", 10, 30).within(merged)  # it is younger
