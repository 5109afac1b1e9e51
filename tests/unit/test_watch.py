"""Scans in a place-window of an open case: the index against a slow, obvious loop."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from schemas.ids import person_text
from streams.columns import I64
from streams.convert import Rows
from streams.watch import OpenCases, PlaceWindow, Watched, alert_id

BEGIN = 1_638_316_800_000


def rows_of(place: I64, person: I64, at: I64) -> Rows:
    n = len(place)
    moments = pa.array(at, pa.timestamp("ms", "UTC"))
    scans = pa.table(
        {
            "person": person.astype(np.uint64),
            "place": place.astype(np.uint32),
            "scanned_at": moments,
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
    found = index.matches(rows_of(place, person, at))
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
    found = index.matches(rows_of(far, np.array([1, 1, 1, 1]), np.full(4, BEGIN)))
    assert [alert.place for _, alert in found] == [3]


def test_whose_person_scanned_is_seen() -> None:
    index = OpenCases()
    rows = rows_of(np.array([1, 1, 1]), np.array([7, 8, 7]), np.full(3, BEGIN))
    assert index.seen(rows) == []
    index.open(Watched("C-1", 1, 7, ()))
    assert index.seen(rows) == [7]
    assert index.matches(rows) == []
