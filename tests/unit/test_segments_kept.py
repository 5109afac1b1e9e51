"""What keeps segments beside a process's work, without an engine."""

import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.segments import held as held_module
from streams.segments.asking import answered, held_now
from streams.segments.held import Held, Influx
from streams.segments.keeping import Rounds, forget, open_held, segments_of
from streams.segments.parts import Part, part_of
from tests.console_kit import settings_in
from tracer.segments import Segments


class FakeHeld:
    """What was held at the last look, and what a look finds."""

    def __init__(self, guess: Segments | None, found: Segments | None) -> None:
        self._guess, self._found = guess, found
        self.looks = 0

    def at_rest(self) -> Segments | None:
        return self._guess

    def now(self) -> Segments | None:
        self.looks += 1
        return self._found


def asked(held: FakeHeld | None) -> tuple[Any, list[Any]]:
    """The answer, which is what was held; and what each question was asked of."""
    seen: list[Any] = []

    def ask(held: Segments | None) -> Segments | None:
        seen.append(held)
        return held

    return answered(cast(Held | None, held), ask), seen


def test_of_a_table_at_rest_a_question_is_asked_once() -> None:
    last = Segments()
    held = FakeHeld(last, last)
    assert asked(held) == (last, [last])
    assert held.looks == 1


def test_what_has_come_meanwhile_is_in_the_answer() -> None:
    last, now = Segments(), Segments()
    assert asked(FakeHeld(last, now)) == (now, [last, now])
    assert asked(FakeHeld(last, None)) == (None, [last, None])


def test_of_a_table_that_moves_it_is_asked_after_the_look() -> None:
    now = Segments()
    assert asked(FakeHeld(None, now)) == (now, [now])
    assert asked(FakeHeld(None, None)) == (None, [None])
    assert asked(None) == (None, [None])


def test_a_look_that_fails_is_no_answer() -> None:
    class Away(FakeHeld):
        def now(self) -> Segments | None:
            raise Retryable("away")

    for guess in (Segments(), None):
        with pytest.raises(Retryable):
            asked(Away(guess, None))


def test_if_what_is_held_is_wrong_clickhouse_is_asked() -> None:
    class Spoilt(FakeHeld):
        def now(self) -> Segments | None:
            raise IndexError("spoilt")

    last = Segments()
    assert asked(Spoilt(None, None)) == (None, [None])
    assert asked(Spoilt(last, None)) == (None, [last, None])
    assert held_now(cast(Held, Spoilt(None, None))) is None

    def wrong(held: Segments | None) -> None:
        raise ValueError("of the question")

    with pytest.raises(ValueError, match="of the question"):
        answered(cast(Held, FakeHeld(last, last)), wrong)


def test_a_table_is_at_rest_when_nothing_has_come_for_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts: list[Part] = []
    monkeypatch.setattr(held_module, "active_parts", lambda _: list(parts))
    monkeypatch.setattr(held_module, "in_memory", lambda _clickhouse, wanted: dict.fromkeys(wanted))
    held = Held(ClickHouse(settings_in(tmp_path)))
    assert held.at_rest() is None  # nobody has looked
    assert held.now() is not None
    monkeypatch.setattr(held_module, "_AT_REST_S", -1.0)
    assert held.at_rest() is None  # it was empty from the start: there was nothing to see come


def test_a_high_influx_is_one_of_a_second_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    influx = Influx()

    def with_rows(rows: int) -> bool:
        return influx.is_high([part_of("20260921_1_1_0", rows, 0)])

    assert not with_rows(10_000_000)  # what was there is not what comes
    now = 0.5
    assert not with_rows(10_100_000)
    now = 2.0
    assert with_rows(10_200_000)
    now = 4.0
    assert not with_rows(10_220_000)


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
