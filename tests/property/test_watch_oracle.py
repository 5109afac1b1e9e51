"""No scan changes a case's run unseen: whatever comes, in whatever order, the watch says so.

Scans come one by one, late and early alike, after a case's windows were made of the first half of
them. Each time the trace of everything that came is compared with the one before.
"""

from dataclasses import replace
from datetime import date
from random import Random

import numpy as np
import pytest

from streams.watch import OpenCases, Watched
from streams.windows import PlaceWindow
from tests.property import oracle
from tests.property.test_tracer_oracle import (
    BEGIN,
    RULES,
    STEP,
    a_case,
    at,
    crowd,
    ground_and_answers,
    scans_frame,
    traced,
)
from tests.unit.test_contacts import FakeEngine
from tests.unit.test_watch import rows_of
from tracer.fetch import to_watch
from tracer.queries import Scans

DIRECTIONS = {"in": 1, "out": 2, "pass": 3}
MET = ["person", "place", "start", "end", "minutes"]


def opened(city: oracle.City, person: int) -> tuple[OpenCases, list[PlaceWindow]]:
    """The case as a worker watches it that has these scans."""
    case, now = a_case(person, date(2021, 11, 30), None), at(BEGIN + 200 * STEP)
    ground, _ = ground_and_answers(city)
    found = to_watch(Scans(FakeEngine(scans_frame(city))), case, ground, RULES, now)
    windows = tuple(PlaceWindow(*row) for row in found.windows)
    near, far = (np.array(ids, np.uint64) for ids in (found.near, found.far))
    index = OpenCases()
    index.open(Watched("c1", 1, person, windows, near, found.around, far))
    return index, list(windows)


@pytest.mark.parametrize("seed", range(16))
def test_no_scan_changes_a_run_unseen(seed: int) -> None:
    city, r = replace(crowd(8000 + seed, 40), answers=[]), Random(seed)
    person = r.choice([scan.person for scan in city.scans])
    own = [scan for scan in city.scans if scan.person == person]
    others = [scan for scan in city.scans if scan.person != person]
    r.shuffle(others)
    known, coming = own + others[: len(others) // 3], others[len(others) // 3 :]
    case, now = a_case(person, date(2021, 11, 30), None), at(BEGIN + 200 * STEP)
    index, _ = opened(replace(city, scans=known), person)
    before = traced(replace(city, scans=known), case, now).exposures
    changed = 0
    for scan in coming:
        known.append(scan)
        columns = (scan.place, scan.person, scan.t, DIRECTIONS[scan.direction])
        types = (np.int64, np.uint64, np.int64, np.int8)
        look = index.look(rows_of(*(np.array([c], t) for c, t in zip(columns, types, strict=True))))
        after = traced(replace(city, scans=known), case, now).exposures
        new = set(after["person"]) - set(before["person"])
        if not after.select(MET).equals(before.select(MET)):
            changed += 1
            assert "c1" in look.adds | look.ends, scan
        if new and scan.direction == "out":
            assert "c1" in look.adds, f"{scan} adds {new} and waits"
        before = after
    assert changed, "the case meets somebody"
