"""No scan changes a case's run unseen: whatever comes, in whatever order, the watch says so.

Scans come one by one, late and early alike, after a case's windows were made of its own and a
third of the others. Each time the trace of everything that came is compared with the one before.
"""

from dataclasses import replace
from datetime import date
from random import Random

import numpy as np
import polars as pl
import pytest

from schemas.cases import Case
from streams.tracing import as_watched
from streams.watch import Look, OpenCases
from tests.property import oracle
from tests.property.test_tracer_oracle import (
    BEGIN,
    RULES,
    STEP,
    a_case,
    at,
    ground_and_answers,
    scans_frame,
    traced,
)
from tests.unit.test_contacts import FakeEngine
from tests.unit.test_watch import rows_of
from tracer.fetch import to_watch
from tracer.parameters import load_parameters
from tracer.queries import Scans

DIRECTIONS = {"in": 1, "out": 2, "pass": 3}
MET = ["person", "place", "start", "end", "minutes"]
MINUTE = 60_000
CASE, GATE = 1, 12


def visits(r: Random) -> list[oracle.Scan]:
    """Of the case and others, in and out or one of them, minutes or hours apart, and some passes;
    each now and then seen somewhere else."""
    scans: list[oracle.Scan] = []

    def scan(person: int, place: int, t: int, direction: str) -> None:
        if r.random() < 0.9:
            scans.append(oracle.Scan(person, place, t, direction, r.randrange(2), len(scans)))

    for person in (CASE, *r.sample(range(2, 2**63), 40)):
        for _ in range(4 if person == CASE else r.randint(1, 2)):
            place, t = r.choice([10, 11, GATE]), BEGIN + r.randrange(100) * STEP
            long = r.choice([20, 60] if person == CASE else [10, 40, 300, 700, 950, 1000])
            scan(person, place, t, r.choice(["in", "in", "in", "pass"]))
            if r.random() < 0.2:
                scan(person, r.choice([11, 99]), t + r.randrange(long) * MINUTE, "in")
            if r.random() < 0.8:
                scan(person, place, t + long * MINUTE, "out")
    return scans


def town(r: Random) -> oracle.City:
    """Whoever was there is called, but at the gate."""
    places = {
        place: oracle.Place(
            place, "office", enclosed=True, small=False, gate=place == GATE,
            closes=r.choice([None, 17 * 60]), usual=r.choice([30, 45, 90]),
        )
        for place in (10, 11, GATE)
    }  # fmt: skip
    return oracle.City(visits(r), places, [], [], load_parameters())


def met(city: oracle.City, case: Case) -> pl.DataFrame:
    """Who was with the case, where whoever was there is called."""
    exposures = traced(city, case, at(BEGIN + 200 * STEP)).exposures
    return exposures.filter(pl.col("tier") != "same_time_only").select(MET)


def opened(
    city: oracle.City, case: Case, now: int = BEGIN + 200 * STEP, index: OpenCases | None = None
) -> OpenCases:
    """The case as a worker watches it that has these scans."""
    ground, _ = ground_and_answers(city)
    engine = Scans(FakeEngine(scans_frame(city)))
    found = to_watch(engine, case, ground, RULES, at(now))
    index = index or OpenCases()
    index.open(as_watched(case, found))
    return index


def seen(index: OpenCases, scan: oracle.Scan) -> Look:
    columns = (scan.place, scan.person, scan.t, DIRECTIONS[scan.direction])
    types = (np.int64, np.uint64, np.int64, np.int8)
    return index.look(rows_of(*(np.array([c], t) for c, t in zip(columns, types, strict=True))))


@pytest.mark.parametrize("seed", range(16))
def test_no_scan_changes_a_run_unseen(seed: int) -> None:
    r = Random(seed)
    city = town(r)
    own = [scan for scan in city.scans if scan.person == CASE]
    others = [scan for scan in city.scans if scan.person != CASE]
    r.shuffle(others)
    known, coming = own + others[: len(others) // 3], others[len(others) // 3 :]
    case = a_case(CASE, date(2021, 11, 30), None)
    index = opened(replace(city, scans=known), case)
    before = met(replace(city, scans=known), case)
    changed = at_once = by_out = 0
    for scan in coming:
        known.append(scan)
        look = seen(index, scan)
        after = met(replace(city, scans=known), case)
        new = set(after["person"]) - set(before["person"])
        if not after.equals(before):
            changed += 1
            assert "c1" in look.adds | look.ends, scan
        if new and scan.direction == "out":
            at_once += "c1" in look.adds
            by_out += 1
        before = after
    assert changed > 1
    # one that contradicts a closing time, or what another scan says, may wait
    assert at_once >= by_out - 1


# in 4 and 6 the case goes nowhere any more where somebody comes
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5, 7, 8, 9, 10, 11])
def test_whoever_comes_where_the_case_is_now_is_seen(seed: int) -> None:
    """Scans come as they are made; the case was registered in the morning, is not isolated, and is
    looked at again whenever it scans."""
    r = Random(700 + seed)
    city = town(r)
    morning = BEGIN + 15 * STEP
    known = [scan for scan in city.scans if scan.t <= morning]
    coming = sorted((s for s in city.scans if s.t > morning), key=lambda scan: scan.t)
    case = a_case(CASE, date(2021, 11, 30), None)
    index = opened(replace(city, scans=known), case, morning)
    before = met(replace(city, scans=known), case)
    changed = 0
    for scan in coming:
        known.append(scan)
        look = seen(index, scan)
        after = met(replace(city, scans=known), case)
        if scan.person == CASE:
            assert look.moved == {"c1"}
            opened(replace(city, scans=known), case, scan.t, index)
        elif not after.equals(before):
            assert "c1" in look.adds | look.ends, scan
            changed += 1
        before = after
    assert changed > 1
