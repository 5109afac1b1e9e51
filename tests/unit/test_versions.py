"""What a later run of a case changes, with its reasons, and the alerts that come of it."""

from datetime import date, timedelta
from typing import Any

import orjson
import polars as pl
import pytest

from schemas.cases import AlertKind, Case
from schemas.ids import person_text
from streams.alerts import change_alerts, run_alerts
from streams.runs import Run, of_case
from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    CLINIC,
    DAY,
    GATE,
    GROUND,
    HALL,
    NOW,
    PARAMETERS,
    PLACES,
    ROOM,
    FakeEngine,
    visits,
)  # fmt: skip
from tracer.documents import contact_documents, run_document
from tracer.fetch import trace_from
from tracer.frames import TRIPS, empty
from tracer.ground import ground_of
from tracer.parameters import Parameters
from tracer.queries import Scans
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.trace import TraceResult, trace
from tracer.versions import REASONS, Version, changes, voided

RULE_SETS = {rule_set.id: rule_set for rule_set in load_rule_sets()}
RULES = RULE_SETS["vn-2021-12-29"]
# the case is met on the day of onset, and once two and a half days before it
EARLY = -3 * 24 * 60 + 1200
ROWS = (
    (CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40),
    (CASE, HALL, EARLY, EARLY + 60), (BOB, HALL, EARLY, EARLY + 60),
)  # fmt: skip


def version(
    *rows: tuple[int, int, float, float],
    case: Case = A_CASE,
    rules: RuleSet = RULES,
    parameters: Parameters = PARAMETERS,
    places: pl.DataFrame = PLACES,
) -> Version:
    ground = ground_of(places, empty(TRIPS), parameters)
    return of(trace(case, visits(*rows), ground, rules, NOW))


def of(result: TraceResult) -> Version:
    return Version(run_document(result), contact_documents(result))


def found(before: Version | None, after: Version) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {c.person: (c.kind, c.reasons) for c in changes(before, after)}


A, B = person_text(ALICE), person_text(BOB)


def test_everybody_of_a_first_run_is_added_without_a_reason() -> None:
    first = version(*ROWS)
    assert found(None, first) == {A: ("added", ()), B: ("added", ())}
    assert [c.person for c in changes(None, first)] == [c["person"] for c in first.contacts]


def test_the_same_again_changes_nothing() -> None:
    assert changes(version(*ROWS), version(*ROWS)) == []


def test_an_amended_onset_moves_the_window() -> None:
    later = A_CASE.model_copy(update={"onset": date(2022, 1, 6), "version": 2})
    assert found(version(*ROWS), version(*ROWS, case=later)) == {B: ("withdrawn", ("window",))}
    assert found(version(*ROWS, case=later), version(*ROWS)) == {B: ("added", ("window",))}


def test_a_late_scan_is_named_as_the_reason() -> None:
    late = (BOB, ROOM, 20, 50)
    after = version(*ROWS[:2], late)
    assert found(version(*ROWS[:2]), after) == {B: ("added", ("late_scan",))}
    # the same person longer, by a scan that came later
    longer = version(*ROWS[:2], (ALICE, ROOM, 45, 55))
    assert found(version(*ROWS[:2]), longer) == {A: ("changed", ("late_scan",))}


def test_a_late_scan_that_takes_time_away_is_named_as_the_reason() -> None:
    """Nothing of it is in what is left: it ended a stay before the case came, or while it was
    there; or it is the case's own."""
    scans = visits((CASE, ROOM, 90, 180), (ALICE, ROOM, 0, 60), (CASE, HALL, 300, 360),
                   (ALICE, HALL, 300, 400))  # fmt: skip
    hers_out = (pl.col("person") == ALICE) & (pl.col("place") == ROOM)
    hers_out &= pl.col("direction") == "out"
    late = pl.col("kafka_offset") + 100
    with_it = scans.with_columns(pl.when(hers_out).then(late).otherwise("kafka_offset"))

    def run(scans: pl.DataFrame) -> Version:
        return of(trace_from(Scans(FakeEngine(scans)), A_CASE, GROUND, RULES, NOW))

    in_room = pl.col("place") == ROOM
    without = run(scans.filter(~hers_out))
    assert found(without, run(with_it)) == {A: ("changed", ("late_scan",))}
    alone = run(scans.filter(in_room & ~hers_out))
    assert found(alone, run(with_it.filter(in_room))) == {A: ("withdrawn", ("late_scan",))}
    # the case had gone sooner than was known
    out = (pl.col("person") == CASE) & in_room & (pl.col("direction") == "out")
    came_late = scans.with_columns(
        pl.when(out).then(pl.col("scanned_at") - timedelta(minutes=80)).otherwise("scanned_at"),
        pl.when(out).then(late).otherwise("kafka_offset"),
    )
    stayed = scans.filter(~hers_out & ~out)
    assert found(run(stayed), run(came_late.filter(~hers_out))) == {A: ("changed", ("late_scan",))}


def test_a_second_scan_in_that_came_late_and_prolongs_is_named_as_the_reason() -> None:
    entered = pl.col("direction") == "in"
    scans = visits((CASE, ROOM, 0, 600), (ALICE, ROOM, 10, 11), (ALICE, ROOM, 100, 101))
    scans = scans.filter(entered | (pl.col("person") == CASE))
    before, after = (of(trace(A_CASE, some, GROUND, RULES, NOW)) for some in (scans[:3], scans))
    assert found(before, after) == {A: ("changed", ("late_scan",))}


def test_who_is_there_still_is_told_of_once_and_not_with_each_scan() -> None:
    """Everybody is where the case is, and somebody comes every minute."""
    people = [(1_000 + n, ROOM, 10, 300) for n in range(20)]
    scans = visits((CASE, ROOM, 0, 300), *people, (BOB, ROOM, 20, 300))

    def run(minute: float) -> Version:
        now = DAY + timedelta(minutes=minute)
        some = scans.filter(pl.col("scanned_at") <= now)
        return of(trace(A_CASE, some, GROUND, RULES, now))

    first, second, over = run(15), run(21), run(400)
    assert list(found(first, second)) == [B]
    assert changes(second, run(90)) == []
    assert len(found(second, over)) == 21, "and once more when it is over"
    isolated = A_CASE.model_copy(update={"version": 2, "isolated_at": DAY + timedelta(minutes=18)})
    amended = of(trace(isolated, scans, GROUND, RULES, NOW))
    assert len(found(second, amended)) == 21


def test_what_nobody_had_asked_for_is_no_late_scan_whatever_its_offset() -> None:
    """His scans are in a partition of which the earlier run had read nothing."""
    his = pl.col("person") == BOB
    rows = (*ROWS[:2], (BOB, CLINIC, 100, 130), (BOB, ROOM, 200, 230))
    scans = visits(*rows).with_columns(
        pl.when(his).then(pl.lit(3)).otherwise("kafka_partition").cast(pl.UInt16)
        .alias("kafka_partition")
    )  # fmt: skip

    def run(scans: pl.DataFrame, **lists: Any) -> Version:
        case = Case.model_validate(A_CASE.model_dump() | lists)
        return of(trace_from(Scans(FakeEngine(scans)), case, GROUND, RULES, NOW))

    point = {"place": CLINIC, "begin": DAY + timedelta(minutes=100),
             "end": DAY + timedelta(minutes=120), "source": "interview"}  # fmt: skip
    plain, pointed = run(scans), run(scans, points=[point])
    assert found(plain, pointed) == {B: ("added", ("points",))}
    assert found(pointed, plain) == {B: ("withdrawn", ("points",))}
    camera = run(scans, points=[point | {"source": "camera"}])
    assert found(pointed, camera) == {B: ("changed", ("points",))}
    # a scan of somebody else's that comes then is named, for no point says so
    new = (400, ROOM, 20, 50)
    late = pl.concat([scans, visits(*rows, new)[-2:]])
    assert found(plain, run(late, points=[point])) == {
        B: ("added", ("points",)),
        person_text(400): ("added", ("late_scan",)),
    }
    card = [{"person": person_text(BOB), "of": person_text(CASE)}]
    assert "late_scan" not in found(plain, run(scans, same=card)).get(B, ("", ()))[1]


def test_what_is_entered_under_another_id_of_theirs_is_named() -> None:
    scans = visits(*ROWS)
    card = person_text(900)
    joined = {"same": [{"person": card, "of": B}]}

    def run(**lists: Any) -> Version:
        case = Case.model_validate(A_CASE.model_dump() | joined | lists)
        return of(trace_from(Scans(FakeEngine(scans)), case, GROUND, RULES, NOW))

    plain = run()
    for name, entry, reason in (
        ("named", {"relation": "care", "last_contact": "2022-01-05"}, "named"),
        ("excluded", {"reason": "other"}, "excluded"),
        ("decided", {"classification": "CONFIRMED"}, "decided"),
        ("said", {"answers": {"touch": "yes"}}, "answered"),
    ):
        told = run(**{name: [{"person": card} | entry]})
        assert found(plain, told)[B][1] == (reason,)
        assert found(told, plain)[B][1] == (reason,)


def test_a_scan_that_was_there_and_not_asked_for_is_no_late_one() -> None:
    earlier = A_CASE.model_copy(update={"onset": date(2022, 1, 4)})
    late_offsets = (*ROWS[:2], *ROWS[2:])  # those of the earlier day have the higher offsets
    before = version(*late_offsets, case=A_CASE.model_copy(update={"onset": date(2022, 1, 6)}))
    assert found(before, version(*late_offsets, case=earlier)) == {B: ("added", ("window",))}


def test_another_rule_set_and_other_parameters_are_named() -> None:
    under = version(*ROWS[:2], rules=RULE_SETS["vn-2020-12-03"])
    assert found(under, version(*ROWS[:2])) == {A: ("changed", ("rule_set",))}
    confident = PARAMETERS.model_copy(update={"id": "other", "start_confidence": dict.fromkeys(
        PARAMETERS.start_confidence, 0.01)})  # fmt: skip
    other = version(*ROWS[:2], parameters=confident)
    assert found(version(*ROWS[:2]), other) == {A: ("changed", ("parameters",))}


def test_what_is_known_of_a_place_changes_the_tier() -> None:
    open_air = PLACES.with_columns(enclosed=pl.col("enclosed") & (pl.col("place") != ROOM))
    assert found(version(*ROWS[:2]), version(*ROWS[:2], places=open_air)) == {
        A: ("changed", ("facts",))
    }


def test_a_voided_case_withdraws_everybody() -> None:
    last = version(*ROWS)
    after = voided(last, 7)
    gone = changes(last, after)
    assert (after.summary["case_version"], after.contacts) == (7, [])
    assert set(after.summary["contacts_by_tier"].values()) == {0}
    assert {c.person: (c.kind, c.reasons) for c in gone} == {
        A: ("withdrawn", ("case_voided",)), B: ("withdrawn", ("case_voided",)),
    }  # fmt: skip
    assert "case_voided" in REASONS


def run(before: Version | None, after: Version, case: Case = A_CASE) -> Run:
    number, cause = case.version, of_case(case.version)
    return Run(case, number, cause, after.summary, after.contacts, changes(before, after))


def read(messages: list[Any]) -> list[dict[str, Any]]:
    return [orjson.loads(message.value) for message in messages]


def test_officers_are_told_only_what_changed_and_why() -> None:
    case = A_CASE.model_copy(update={"version": 2})
    before = version(*ROWS)
    after = version(*ROWS[:2], ROWS[2], (ALICE, ROOM, 45, 55), (ALICE, ROOM, 56, 58))
    *told, done = read(run_alerts(run(before, after, case), NOW))
    kinds = {alert["person"]: (alert["kind"], alert["reasons"]) for alert in told}
    assert kinds == {
        A: ("contact_changed", ["late_scan"]),
        B: ("contact_withdrawn", ["late_scan"]),  # nothing else has changed
    }
    assert done["kind"] == AlertKind.RUN_COMPLETED.value
    assert done["changes"] == {"changed": 1, "withdrawn": 1}
    assert done["contacts"] == 1


def test_who_is_not_to_be_called_raises_no_alert() -> None:
    at_gate = version((CASE, GATE, 0, 60), (ALICE, GATE, 10, 40))
    (done,) = read(run_alerts(run(None, at_gate), NOW))
    assert (done["kind"], done["changes"]) == ("run_completed", {"added": 1})
    assert change_alerts(A_CASE, changes(at_gate, voided(at_gate, 2)), NOW, None) == []


def test_alerts_of_a_run_have_the_same_ids_each_time() -> None:
    one = run_alerts(run(None, version(*ROWS)), NOW)
    again = run_alerts(run(None, version(*ROWS)), NOW + timedelta(seconds=9))
    ids = [dict(message.headers)["ce_id"] for message in one]
    assert ids == [dict(message.headers)["ce_id"] for message in again]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", ["contact_changed", "contact_withdrawn"])
def test_the_new_kinds_are_known(kind: str) -> None:
    assert kind in {k.value for k in AlertKind}
