"""Scans in a place-window of an open case: the index against a slow, obvious loop."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from schemas.ids import person_text
from streams.columns import I64, U64
from streams.convert import Rows
from streams.matches import Keys, matches
from streams.watch import Look, OpenCases, alert_id
from streams.watched import Watched
from streams.windows import PlaceWindow

BEGIN = 1_638_316_800_000


def rows_of(place: I64, person: I64, at: I64, direction: I64 | None = None) -> Rows:
    n = len(place)
    moments = pa.array(at, pa.timestamp("ms", "UTC"))
    scans = pa.table(
        {
            "person": person.astype(np.uint64),
            "place": place.astype(np.uint32),
            "scanned_at": moments,
            "direction": np.full(n, 1, np.int8) if direction is None else direction,
            "appended_at": moments,
            "kafka_offset": np.arange(500, 500 + n, dtype=np.uint64),
        }
    )
    return Rows(5, 500, 499 + n, {"scans": scans})


@pytest.mark.parametrize("seed", range(8))
def test_finds_exactly_what_a_loop_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = OpenCases()
    cases = []
    for number in range(12):
        windows = tuple(
            PlaceWindow(int(place), BEGIN + int(start), BEGIN + int(start + length))
            for place, start, length in zip(
                rng.integers(1, 30, 9), rng.integers(0, 1_000, 9), rng.integers(1, 400, 9),
                strict=True,
            )
        )  # fmt: skip
        cases.append(Watched(f"C-{number}", 1, int(rng.integers(1, 20)), windows))
        index.open(cases[-1])
    index.close("C-3")
    cases = [c for c in cases if c.case != "C-3"]
    n = 400
    place, person = rng.integers(1, 60, n), rng.integers(1, 20, n)
    at = BEGIN + rng.integers(-100, 1_500, n)
    expected = sorted(
        alert_id(case.case, person_text(int(person[i])), int(place[i]), 5, 500 + i)
        for i in range(n)
        for case in cases
        for window in case.windows
        if window.place == place[i]
        and window.begin <= at[i] < window.end
        and case.person != person[i]
    )
    found = index.look(rows_of(place, person, at)).alerts
    assert sorted(identity for identity, _ in found) == expected
    assert expected
    for identity, alert in found:
        i = next(
            i for i in range(n)
            if alert_id(alert.case, alert.person, alert.place, 5, 500 + i) == identity
        )  # fmt: skip
        assert alert.scanned_at == datetime.fromtimestamp(int(at[i]) / 1000, UTC)


def test_a_place_beyond_all_that_are_watched_is_nobodys() -> None:
    index = OpenCases()
    index.open(Watched("C-1", 1, 7, (PlaceWindow(3, BEGIN, BEGIN + 10),)))
    far = np.array([4, 5, 2**32 - 1, 3])
    found = index.look(rows_of(far, np.array([1, 1, 1, 1]), np.full(4, BEGIN))).alerts
    assert [alert.place for _, alert in found] == [3]


def test_places_of_any_number_are_watched_without_a_table_of_all() -> None:
    index = OpenCases()
    far = 2**32 - 1
    windows = tuple(PlaceWindow(place, BEGIN, BEGIN + 10) for place in (0, far, 1 << 22))
    index.open(Watched("C-1", 1, 7, windows))
    place = np.array([0, 1, far, far - (1 << 22), far - 1, 1 << 22, (1 << 22) + 1])
    found = index.look(rows_of(place, np.full(len(place), 1), np.full(len(place), BEGIN))).alerts
    assert [alert.place for _, alert in found] == [0, far, 1 << 22]
    assert index._made is not None
    assert len(index._made.windows._from) <= 1 << 22


def test_whose_person_scanned_is_seen() -> None:
    index = OpenCases()
    rows = rows_of(np.array([1, 1, 1]), np.array([7, 8, 7]), np.full(3, BEGIN))
    assert index.look(rows).moved == set()
    index.open(Watched("C-1", 1, 7, ()))
    assert index.look(rows) == Look([], {"C-1"}, set(), {"C-1"})


@pytest.mark.parametrize("seed", range(8))
def test_which_cases_a_scan_may_change(seed: int) -> None:
    """By the words of `watch` and `near`: a loop over scans, cases and windows."""
    rng = np.random.default_rng(seed)
    index, cases = OpenCases(), []
    for number in range(10):
        windows = tuple(
            PlaceWindow(int(place), BEGIN + int(start), BEGIN + int(start + length), 60, 30, 200)
            for place, start, length in zip(
                rng.integers(1, 15, 3), rng.integers(0, 1_000, 3), rng.integers(1, 200, 3),
                strict=True,
            )
        )  # fmt: skip
        of = None if number == 4 else int(rng.integers(1, 40))
        near = rng.integers(1, 40, 2).astype(np.uint64)
        around = BEGIN + int(rng.integers(0, 300)), BEGIN + int(rng.integers(300, 1_300))
        far = rng.integers(1, 40, 2).astype(np.uint64)
        cases.append(Watched(f"C-{number}", 1, of, windows, near, around, far))
        index.open(cases[-1])
    near_now = {c.case: set(c.near.tolist()) for c in cases}
    far_now = {c.case: set(c.far.tolist()) for c in cases}
    for _ in range(40):
        n = int(rng.integers(1, 4))
        place, person = rng.integers(1, 20, n), rng.integers(1, 40, n)
        at, direction = BEGIN + rng.integers(-100, 1_400, n), rng.integers(1, 4, n)
        adds: set[str] = set()
        ends: set[str] = set()
        added, came = [], []
        for p, who, t, way in zip(place, person, at, direction, strict=True):
            for c in cases:
                if c.person == who:
                    adds.add(c.case)
                    continue
                for w in c.windows:
                    if w.place != p:
                        continue
                    opens = way != 2 and w.begin - w.before <= t < w.end
                    leaves = way == 2 and w.begin < t <= w.end + w.after
                    if opens or leaves:
                        adds.add(c.case)
                        added.append((c.case, int(who)))
                    if way != 2 and w.begin - 200 <= t < w.begin - w.before:
                        ends.add(c.case)
                        added.append((c.case, int(who)))
                    if way != 2 and w.begin - 200 <= t <= w.begin - w.after:
                        came.append((c.case, int(who)))
        for case, who in added:
            near_now[case].add(who)
        for case, who in came:
            far_now[case].add(who)
        for c in cases:
            for p, who, t, way in zip(place, person, at, direction, strict=True):
                timely = c.around[0] <= t <= c.around[1]
                if way == 2 and timely and int(who) in far_now[c.case]:
                    reached = [w for w in c.windows if w.place == p and w.begin < t < w.begin + 200]
                    if reached:
                        adds.add(c.case)
                        near_now[c.case].add(int(who))
        for c in cases:
            for who, t in zip(person, at, strict=True):
                if int(who) in near_now[c.case] and c.around[0] <= t <= c.around[1]:
                    ends.add(c.case)
        look = index.look(rows_of(place, person, at, direction))
        assert (look.adds, look.ends) == (adds, ends - adds)


def persons(*some: int) -> U64:
    return np.array(some, np.uint64)


def test_the_cases_other_ids_are_the_case_and_no_contact() -> None:
    index = OpenCases()
    windows = (PlaceWindow(1, BEGIN, BEGIN + 1_000),)
    index.open(Watched("C-1", 1, 7, windows, same={8: 7}))
    found = index.look(rows_of(*(np.array(c) for c in ([1, 1], [8, 9], [BEGIN + 5] * 2))))
    assert [alert.person for _, alert in found.alerts] == [person_text(9)]
    assert found.moved == {"C-1"}, "where the card was is where the case was"
    assert found.adds == {"C-1"}


def test_who_is_excluded_raises_no_alert_by_any_id() -> None:
    index = OpenCases()
    windows = (PlaceWindow(1, BEGIN, BEGIN + 1_000),)
    index.open(Watched("C-1", 1, 7, windows, same={9: 8}, excluded=frozenset({8})))
    assert look(index, (8, 1, 5), (9, 1, 5)).alerts == []
    [(_, alert)] = look(index, (10, 1, 5)).alerts
    assert alert.person == person_text(10)
    index.announce(Watched("C-1", 2, 7, (), same={9: 8}))
    assert len(look(index, (8, 1, 5), (9, 1, 5)).alerts) == 2, "taken back at once"


def look(index: OpenCases, *scans: tuple[int, int, int]) -> Look:
    """At (person, place, time after BEGIN)."""
    person, place, at = (np.array(column) for column in zip(*scans, strict=True))
    return index.look(rows_of(place, person, BEGIN + at))


def test_an_id_that_a_record_names_counts_before_anything_is_read() -> None:
    index = OpenCases()
    index.announce(Watched("C-1", 1, 7, ()))
    assert look(index, (7, 99, 5)) == Look([], {"C-1"}, set(), {"C-1"})
    windows = (PlaceWindow(1, BEGIN, BEGIN + 1_000),)
    index.open(Watched("C-1", 1, 7, windows))
    assert look(index, (8, 99, 5)) == Look([], set(), set(), set())
    index.announce(Watched("C-1", 2, 7, (), same={8: 7}))
    found = look(index, (8, 1, 5), (9, 1, 6))
    assert [a.person for _, a in found.alerts] == [person_text(9)], "the windows stay as they were"
    assert {a.case_version for _, a in found.alerts} == {2}
    assert (found.moved, found.adds) == ({"C-1"}, {"C-1"})
    index.announce(Watched("C-1", 3, 7, ()))
    found = look(index, (8, 1, 5))
    assert [a.person for _, a in found.alerts] == [person_text(8)], "and taken back is taken back"


def test_all_ids_of_who_was_near_are_near_whenever_they_were_joined() -> None:
    index = OpenCases()
    windows = (PlaceWindow(1, BEGIN, BEGIN + 1_000),)
    near = np.array([20], np.uint64)
    index.open(Watched("C-1", 1, 7, windows, near, (BEGIN, BEGIN + 5_000), same={31: 30}))
    found = look(index, (31, 1, 5))
    assert [a.person for _, a in found.alerts] == [person_text(30)], "the alert names the person"
    assert look(index, (30, 99, 2_000)).ends == {"C-1"}
    assert look(index, (21, 99, 2_000)).ends == look(index, (40, 99, 2_000)).ends == set()
    index.announce(Watched("C-1", 2, 7, (), same={31: 30, 21: 20, 40: 20}))
    for other in (21, 20, 40):
        assert look(index, (other, 99, 2_000)).ends == {"C-1"}, other


def test_who_came_while_it_was_read_is_not_forgotten() -> None:
    index = OpenCases()
    windows, around = (PlaceWindow(1, BEGIN, BEGIN + 1_000),), (BEGIN, BEGIN + 5_000)
    index.open(Watched("C-1", 1, 7, windows, around=around))
    assert look(index, (20, 1, 5)).adds == {"C-1"}
    index.open(Watched("C-1", 2, 7, windows, around=around))  # read before that scan was there
    assert look(index, (20, 99, 2_000)).ends == {"C-1"}


def test_scans_later_than_all_that_matters_are_not_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The work of nearly all scans, however many windows of the past their place has."""
    compared = []

    def counted(rising: Keys, keys: Keys) -> Iterator[tuple[I64, I64]]:
        compared.append(len(keys))
        yield from matches(rising, keys)

    monkeypatch.setattr("streams.windows.matches", counted)
    monkeypatch.setattr("streams.near.matches", counted)
    index = OpenCases()
    for number in range(100):
        windows = tuple(PlaceWindow(place, BEGIN, BEGIN + 1_000, 60, 60) for place in range(100))
        near, around = persons(*range(1_000, 1_200)), (BEGIN - 500, BEGIN + 1_500)
        index.open(Watched(f"C-{number}", 1, number, windows, near, around))
    n = 5_000
    place, person = np.arange(n) % 100, np.arange(n) + 10_000
    assert index.look(rows_of(place, person, np.full(n, BEGIN + 2_000))) == Look(
        [], set(), set(), set()
    )
    assert sum(compared) == 0
    assert len(index.look(rows_of(place[:1], person[:1], np.full(1, BEGIN + 5))).alerts) == 100
