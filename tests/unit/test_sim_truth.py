"""True contacts against a slow and obvious count, and the picking of a case."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from schemas.errors import UserError
from schemas.places import Place
from sim.cases import pick_case
from sim.truth import true_contacts

NOON = datetime(2021, 12, 1, 12, tzinfo=UTC)
SCHEMA = pl.Schema(
    [
        ("person", pl.UInt64()),
        ("place", pl.UInt32()),
        ("start", pl.Datetime("ms", "UTC")),
        ("end", pl.Datetime("ms", "UTC")),
        ("trip", pl.String()),
    ]
)


def visit(person: int, place: int, start: float, end: float) -> tuple[object, ...]:
    return person, place, NOON + timedelta(minutes=start), NOON + timedelta(minutes=end), None


def frame(*visits: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(visits, schema=SCHEMA, orient="row")


def test_overlaps_are_cut_to_the_window_and_summed() -> None:
    visits = frame(
        visit(1, 7, 0, 60),
        visit(1, 8, 70, 90),
        visit(2, 7, 30, 65),  # 30 minutes
        visit(2, 8, 80, 85),  # and 5
        visit(3, 7, 60, 90),  # comes as 1 leaves
        visit(4, 7, -60, 10),  # 10 minutes, 5 of them in the window
    )
    found = true_contacts(visits, 1, NOON + timedelta(minutes=5), NOON + timedelta(minutes=200))
    rows = found.select("person", "place", "minutes").rows()
    assert rows == [(2, 7, 30.0), (2, 8, 5.0), (4, 7, 5.0)]
    longer = true_contacts(visits, 1, NOON, NOON + timedelta(days=1), 15 * 60_000)
    assert longer["person"].to_list() == [2]
    assert true_contacts(visits, 1, NOON, NOON + timedelta(days=1), without=[7]).height == 1


def test_against_every_pair() -> None:
    rng = np.random.default_rng(3)
    rows = []
    for person in range(1, 30):
        starts = np.cumsum(rng.uniform(5, 50, 8))
        for start in starts.tolist():
            rows.append(visit(person, int(rng.integers(1, 4)), round(start), round(start) + 4))
    visits = frame(*rows)
    window = (NOON + timedelta(minutes=30), NOON + timedelta(minutes=150))
    expected: dict[tuple[int, int], float] = {}
    for p1, place1, s1, e1, _ in rows:
        for p2, place2, s2, e2, _ in rows:
            if p1 == 1 and p2 != 1 and place1 == place2:
                begin, end = max(s1, s2, window[0]), min(e1, e2, window[1])  # type: ignore[call-overload]
                if begin < end:
                    key = (int(str(p2)), int(str(place2)))
                    expected[key] = expected.get(key, 0) + (end - begin) / timedelta(minutes=1)
    found = true_contacts(visits, 1, *window).select("person", "place", "minutes").rows()
    assert {(p, q): m for p, q, m in found} == pytest.approx(expected)


def test_a_case_needs_somebody_who_went_out() -> None:
    place = Place(id=7, site=1, name="Phòng họp", kind="meeting_room", ward="11296", sector="x")
    with pytest.raises(UserError, match="Nobody"):
        pick_case(frame(visit(1, 7, 0, 60)), [place], NOON, 1)
