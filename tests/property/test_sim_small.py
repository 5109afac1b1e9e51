"""Whatever the setting: exact counts, order of publication, a consistent truth."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.places import Code, Place
from sim.city import plan_city
from sim.days import rank_within
from sim.model import DUPLICATE, OUTCOMES
from sim.scans import Habits
from sim.simulate import Simulation

START = datetime(2021, 11, 1, tzinfo=UTC)


class Unit:
    code, name = "11296", "Phường Quán Toan"


def tiny(seed: int) -> tuple[Place, ...]:
    places: list[Place] = []
    for site in plan_city([Unit()], seed, 40).sites:
        for spec in site.places:
            number = len(places) + 1
            fields = {**vars(spec), "site": 1, "ward": site.ward, "sector": site.sector}
            codes = (Code(version=1, token=f"T{number}"),)
            places.append(Place(id=number, codes=codes, **fields))
    return tuple(places)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    events=st.integers(0, 400),
    days=st.integers(1, 4),
    hour=st.integers(0, 200),
    shares=st.tuples(*[st.floats(0, 0.3)] * 3),
)
def test_bulk(
    seed: int, events: int, days: int, hour: int, shares: tuple[float, float, float]
) -> None:
    repeated, taps, refused = shares
    habits = Habits(repeated=repeated, double_taps=taps, refused=refused)
    until = START + timedelta(hours=hour)
    made = Simulation(tiny(seed % 3), seed, habits=habits).bulk(events, until, days)
    outputs = list(made.outputs())
    rows = np.concatenate([o.rows for o in outputs])
    visits = np.concatenate([o.visits for o in outputs])
    assert len(rows) == events
    assert (np.diff(rows["upload"]) >= 0).all()
    seen = Counter(zip(rows["id_high"].tolist(), rows["id_low"].tolist(), strict=True))
    assert sum(seen.values()) - len(seen) == (rows["outcome"] == DUPLICATE).sum()
    assert (rows["outcome"] < len(OUTCOMES)).all()
    ordered = visits[np.lexsort((visits["start"], visits["person"]))]
    same = ordered["person"][1:] == ordered["person"][:-1]
    assert (ordered["start"][1:][same] >= ordered["end"][:-1][same]).all()


@given(st.lists(st.integers(-1, 4)))
def test_ranks_count_from_zero_in_order(keys: list[int]) -> None:
    seen: Counter[int] = Counter()
    expected = []
    for key in keys:
        expected.append(seen[key])
        seen[key] += 1
    assert rank_within(np.array(keys, dtype=np.int64)).tolist() == expected
