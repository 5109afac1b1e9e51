"""Two weeks in bulk and a live stretch: exact counts, honest outcomes, a truth that holds."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, timedelta
from functools import cache

import numpy as np
import orjson
import pytest
from pydantic import ValidationError

from schemas.errors import UserError
from schemas.places import Code
from schemas.scan import FUTURE_SKEW_SECONDS, Direction, Method, Scan
from sim.model import LOCAL_OFFSET_MS, OUTCOMES, Fault, Records
from sim.scans import Habits
from sim.simulate import Bulk, Simulation, Steady
from tests.unit.test_sim_town import REVOKED_SINCE, UNTIL, revoked, town

EVENTS = 30_000


def simulation(seed: int = 7, people: int = 0) -> Simulation:
    return Simulation(town(), seed, people, revoked(town()))


def written(made: Bulk | Steady) -> Iterator[tuple[np.void, bytes]]:
    """Each row with its bytes, in order of publication."""
    encoder = made.simulation.encoder(made.world, made.people)
    for output in made.outputs():
        yield from zip(output.rows, encoder.values(output.rows), strict=True)


@cache
def records() -> tuple[tuple[np.void, bytes], ...]:
    return tuple(written(simulation().bulk(EVENTS, UNTIL)))


def digest(seed: int) -> str:
    made = simulation(seed).bulk(3000, UNTIL)
    return hashlib.sha256(b"\n".join(value for _, value in written(made))).hexdigest()


def test_same_seed_same_bytes() -> None:
    assert digest(7) == digest(7)
    assert digest(7) != digest(8)


@pytest.mark.parametrize("events", [0, 1, 50, 4321])
def test_exactly_as_many_as_asked(events: int) -> None:
    made = simulation().bulk(events, UNTIL)
    assert sum(len(output.rows) for output in made.outputs()) == events
    start = simulation().steady(events, UNTIL, 30)
    assert sum(len(output.rows) for output in start.outputs()) == events


def test_shares_are_as_described() -> None:
    counts = Counter(OUTCOMES[row["outcome"]] for row, _ in records())
    assert counts.total() == EVENTS
    assert counts["duplicate"] == pytest.approx(0.015 * EVENTS, abs=5)
    assert counts["written"] == pytest.approx(0.975 * EVENTS, abs=5)
    assert set(counts) == set(OUTCOMES)


def test_what_must_be_written_is_a_valid_scan() -> None:
    begins = UNTIL - timedelta(days=14)
    tokens = {code.token for p in town() for code in p.codes if code.revoked_at is None}
    seen = set()
    for row, value in records():
        if OUTCOMES[row["outcome"]] not in ("written", "duplicate"):
            continue
        scan = Scan.model_validate_json(value)
        assert begins <= scan.scanned_at < UNTIL
        assert scan.code in tokens
        assert scan.producer == "sim"
        assert (scan.recorded_at is not None) == (scan.method is Method.TYPED)
        assert scan.recorded_at is None or scan.scanned_at <= scan.recorded_at < UNTIL
        assert (scan.trip is None) or scan.trip.startswith("15B-")
        seen |= {scan.direction, scan.method}
    assert seen == {*Direction, *Method}


def test_a_duplicate_is_the_same_bytes_again_and_later() -> None:
    seen: dict[tuple[str, str], bytes] = {}
    for row, value in records():
        outcome = OUTCOMES[row["outcome"]]
        if outcome in ("written", "duplicate"):
            record = orjson.loads(value)
            key = record["person"], record["event_id"]
            assert (key in seen) == (outcome == "duplicate")
            assert seen.setdefault(key, value) == value


def test_what_must_be_refused_has_its_cause() -> None:
    tokens = {code.token for p in town() for code in p.codes}
    seen = set()
    for row, value in records():
        fault = Fault(row["fault"])
        if fault is Fault.NONE:
            continue
        seen.add(fault)
        reason = OUTCOMES[row["outcome"]]
        if reason == "not_json":
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(value)
        elif reason in ("wrong_schema", "malformed_id"):
            with pytest.raises(ValidationError) as caught:
                Scan.model_validate_json(value)
            fields = {e["loc"][0] for e in caught.value.errors()}
            assert len(fields) == 1
            assert (fields == {"person"}) == (reason == "malformed_id")
        else:
            scan = Scan.model_validate_json(value)
            assert (reason == "unknown_code") == (scan.code not in tokens)
            assert (reason == "revoked_code") == (scan.code in revoked(town()))
            assert reason != "revoked_code" or scan.scanned_at > REVOKED_SINCE
            late = scan.scanned_at > UNTIL + timedelta(days=1, seconds=FUTURE_SKEW_SECONDS)
            assert (reason == "in_future") == late
            assert (reason == "producer_not_allowed") == (scan.producer != "sim")
    assert seen == set(Fault) - {Fault.NONE}


@cache
def visits() -> Records:
    outputs = simulation().bulk(EVENTS, UNTIL).outputs()
    return np.concatenate([output.visits for output in outputs])


def test_nobody_is_at_two_places_at_once() -> None:
    order = np.lexsort((visits()["start"], visits()["person"]))
    ordered = visits()[order]
    same = ordered["person"][1:] == ordered["person"][:-1]
    assert (ordered["start"] < ordered["end"]).all()
    assert (ordered["start"][1:][same] >= ordered["end"][:-1][same]).all()


def test_visits_keep_to_opening_hours() -> None:
    for visit in visits()[:: max(len(visits()) // 5000, 1)]:
        hours = town()[visit["place"]].hours
        if hours is None:
            continue
        opens, closes = (int(t[:2]) * 60 + int(t[3:]) for t in (hours.opens, hours.closes))
        assert closes > opens
        start, end = (
            (int(visit[n]) + LOCAL_OFFSET_MS) % 86_400_000 / 60_000 for n in ("start", "end")
        )
        assert opens <= start <= end <= closes


def test_scans_lie_within_the_visits_they_tell_of() -> None:
    by_person: dict[int, list[tuple[int, int, int]]] = {}
    for v in visits().tolist():
        by_person.setdefault(v[0], []).append((v[1], v[2], v[3]))
    for row, _ in records()[::7]:
        if row["outcome"] > 1:
            continue
        slack = 60_000 if row["recorded"] >= 0 else 7_000  # paper to the minute; a double tap
        assert any(
            place == row["place"] and start - slack <= row["scanned"] <= end + slack
            for place, start, end in by_person[int(row["person"])]
        )


def test_busy_places_are_busy() -> None:
    counts = Counter(int(row["place"]) for row, _ in records())
    shares = sorted((count / EVENTS for count in counts.values()), reverse=True)
    assert 0.003 <= shares[0] <= 0.01
    assert shares[0] > 4 * shares[len(shares) // 2]


def test_some_forget_to_scan_out_and_some_upload_late() -> None:
    sound = [row for row, _ in records() if row["outcome"] == 0]
    ways = Counter(int(row["direction"]) for row in sound)
    assert 0.60 < ways[1] / ways[0] < 0.76  # 30 % of outs are forgotten
    delays = np.array([row["upload"] - row["scanned"] for row in sound])
    assert np.median(delays) < 5_000
    assert 0.02 < (delays > 60_000).mean() < 0.15
    assert (delays > 86_400_000).any()


def test_steady_scans_are_of_now() -> None:
    start = UNTIL.astimezone(UTC)
    made = simulation().steady(6000, start, 3)
    (output,) = made.outputs()
    sound = output.rows[output.rows["fault"] != Fault.FAR_FUTURE]
    assert (np.diff(output.rows["upload"]) >= 0).all()
    assert (sound["scanned"] <= sound["upload"]).all()
    assert (output.rows["upload"] >= made.window[0]).all()
    assert (output.rows["upload"] < made.window[1]).all()
    fresh = sound["scanned"] >= made.window[0]
    assert fresh.mean() > 0.9
    assert len(np.unique(output.visits["person"])) == len(output.visits)
    for row, value in zip(
        output.rows,
        made.simulation.encoder(made.world, made.people).values(output.rows),
        strict=True,
    ):
        if OUTCOMES[row["outcome"]] == "written":
            Scan.model_validate_json(value)


def test_too_few_people_are_said_so() -> None:
    with pytest.raises(UserError, match="more people"):
        simulation(people=10).bulk(5000, UNTIL)


def test_given_people_are_used_and_their_scans_thinned() -> None:
    made = simulation(people=300).bulk(1000, UNTIL)
    assert len(made.people) == 300
    assert sum(len(output.rows) for output in made.outputs()) == 1000


def test_a_place_without_a_code_for_the_time_is_named() -> None:
    place = town()[0].model_copy(update={"codes": (Code(version=1, token="X", valid_from=UNTIL),)})
    with pytest.raises(UserError, match="no code that is valid"):
        Simulation((place,), 1).bulk(10, UNTIL)


def test_habits_can_be_turned_off() -> None:
    habits = Habits(scans_in=1.0, forgets_out=0.0, repeated=0.0, double_taps=0.0, refused=0.0)
    made = Simulation(town(), 3, habits=habits).bulk(2000, UNTIL)
    rows = np.concatenate([output.rows for output in made.outputs()])
    assert (rows["outcome"] == 0).all()
    assert (made.people.scans == 1.0).all()
