"""A case's runs as they are stored: the second compared with the first, and a voided case."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from console.api.past_runs import Difference, Mark, past_run, past_runs, run_before
from issuer.codes import issue
from schemas.cases import Case, CaseStatus
from schemas.ids import person_text
from schemas.places import Code, Place
from streams.clickhouse import ClickHouse
from streams.directory import Directory
from streams.runs import Run, Runs
from streams.segments.held import Held
from streams.tracing import Tracing
from tests.console_kit import RING
from tests.contract.clickhouse_fixtures import migrated_engine
from tracer.parameters import load_parameters
from tracer.ruleset import load_rule_sets
from tracer.versions import Change, changes

DAY = datetime(2026, 3, 5, tzinfo=UTC)
NOW = DAY + timedelta(days=2)
CASE, ALICE, BOB = 100, 200, 300
ROOM = 7
A_ROOM = Place(
    id=ROOM, site=1, name="n", kind="meeting_room", ward="w", sector="s",
    enclosed=True, small=True, gate=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with migrated_engine(tmp_path_factory.mktemp("versions")) as made:
        yield made


@pytest.fixture(scope="module")
def tracing(clickhouse: ClickHouse) -> Tracing:
    """As a worker has it, on segments; those that tests make for themselves ask ClickHouse."""
    held = Held(clickhouse)
    return Tracing(clickhouse, _directory(), load_rule_sets(), load_parameters(), 0, held=held)


def _directory() -> Directory:
    directory = Directory(RING)
    directory.put_site_records([(f"place/{ROOM}", A_ROOM.model_dump_json().encode())])
    return directory


class Scans:
    """Rows of `scans`, each with the next offset."""

    def __init__(self, clickhouse: ClickHouse, first: int = 0) -> None:
        self._clickhouse = clickhouse
        self._offset = first

    def visit(self, person: int, begin: int, end: int) -> None:
        """In and out, minutes after `DAY`."""
        self.enter(person, begin)
        self._scan(person, end, "out")

    def enter(self, person: int, minute: int) -> None:
        """In, and no scan out."""
        self._scan(person, minute, "in")

    def _scan(self, person: int, minute: int, direction: str) -> None:
        at = int((DAY + timedelta(minutes=minute)).timestamp() * 1000)
        self._clickhouse.command(
            "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, "
            "producer, device, code_version, companions, trip, seat, appended_at, "
            "written_at, content_hash, kafka_partition, kafka_offset) WITH "
            f"fromUnixTimestamp64Milli({at}, 'UTC') AS at SELECT generateUUIDv4(), {person}, "
            f"{ROOM}, at, '{direction}', 'self', 'sim', 'p', 1, 0, '', '', at, at, 0, 0, "
            f"{self._offset}"
        )
        self._offset += 1


def case(version: int, **more: Any) -> Case:
    values = {
        "id": "c-1", "version": version, "status": CaseStatus.CONFIRMED,
        "person": person_text(CASE), "onset": date(2026, 3, 6), "ward": "w",
        "registered_at": NOW, "registered_by": "key/1",
    }  # fmt: skip
    return Case.model_validate(values | more)


def run(tracing: Tracing, case: Case, now: datetime) -> Run:
    made = tracing.run(case, now)
    assert made is not None
    return made


def test_each_run_is_compared_with_the_one_before(clickhouse: ClickHouse, tracing: Tracing) -> None:
    scans = Scans(clickhouse)
    scans.visit(CASE, 0, 60)
    scans.visit(ALICE, 10, 40)
    first = run(tracing, case(1), NOW)
    assert [(c.person, c.kind, c.reasons) for c in first.changes] == [
        (person_text(ALICE), "added", ())
    ]
    scans.visit(BOB, 20, 50)
    second = run(tracing, case(2, isolated_at=NOW - timedelta(hours=1)), NOW)
    assert [(c.person, c.kind, c.reasons) for c in second.changes] == [
        (person_text(BOB), "added", ("late_scan",))
    ]
    # read again after a worker's death: the stored run, the same difference
    again = run(tracing, case(2, isolated_at=NOW - timedelta(hours=1)), NOW + timedelta(hours=1))
    assert again.changes == second.changes
    assert again.summary == second.summary

    third = run(tracing, case(3, onset=date(2026, 3, 9)), NOW)
    assert {(c.person, c.kind, c.reasons) for c in third.changes} == {
        (person_text(ALICE), "withdrawn", ("window",)),
        (person_text(BOB), "withdrawn", ("window",)),
    }
    fourth = run(tracing, case(4), NOW)
    assert {c.kind for c in fourth.changes} == {"added"}
    gone = tracing.withdrawn(case(5, status=CaseStatus.VOIDED), NOW)
    assert {(c.person, c.kind, c.reasons) for c in gone} == {
        (person_text(ALICE), "withdrawn", ("case_voided",)),
        (person_text(BOB), "withdrawn", ("case_voided",)),
    }


def test_a_voiding_that_a_later_version_has_overtaken_withdraws_nobody(
    clickhouse: ClickHouse, tracing: Tracing
) -> None:
    scans = Scans(clickhouse, 2000)
    scans.visit(500, -300, -240)
    scans.visit(510, -290, -270)
    mine = {"id": "c-late", "person": person_text(500)}
    assert len(run(tracing, case(3, **mine), NOW).changes) == 1
    assert tracing.withdrawn(case(2, **mine, status=CaseStatus.VOIDED), NOW) == []
    void = case(4, **mine, status=CaseStatus.VOIDED)
    assert len(tracing.withdrawn(void, NOW)) == 1
    again = tracing.withdrawn(void, NOW)
    assert [(c.person, c.reasons) for c in again] == [(person_text(510), ("case_voided",))]
    # whoever has not heard of it makes no run after it
    assert tracing.again(case(3, **mine), NOW, 90, 95) == []
    assert tracing.run(case(2, **mine), NOW) is None
    last = Runs(clickhouse).last("c-late")
    assert last is not None
    assert (last.number, last.cause, last.version.contacts) == (2, "case/4", [])


def test_a_stay_that_reaches_into_the_window_outlives_its_first_scan(
    clickhouse: ClickHouse, tracing: Tracing
) -> None:
    """The window begins at midnight, the stay at eight in the evening before."""
    del tracing  # its table of places
    me, other = 800, 810
    mine: dict[str, Any] = {"id": "c-night", "person": person_text(me), "onset": date(2026, 4, 3)}
    midnight = 27 * 24 * 60 - 7 * 60  # 1 April in Vietnam, minutes after `DAY`
    scans = Scans(clickhouse, 12_000)
    scans.visit(me, midnight - 240, midnight + 360)
    scans.visit(other, midnight - 240, midnight + 240)
    kept = Tracing(clickhouse, _directory(), load_rule_sets(), load_parameters(), 21)
    first = run(kept, case(1, **mine), DAY + timedelta(minutes=midnight, days=5))
    assert [(c["person"], c["minutes"]) for c in first.contacts] == [(person_text(other), 240)]
    later = DAY + timedelta(minutes=midnight - 120, days=21)
    second = run(kept, case(2, **mine, ward="v"), later)
    assert second.changes == []
    assert len(second.contacts) == 1


def test_an_exclusion_taken_back_when_the_scans_are_gone(clickhouse: ClickHouse) -> None:
    """Of each version of the case its last run is looked at."""
    tracing = Tracing(clickhouse, _directory(), load_rule_sets(), load_parameters(), 5)
    scans = Scans(clickhouse, 9000)
    scans.visit(940, 1000, 1060)
    scans.visit(950, 1010, 1050)
    mine = {"id": "c-back", "person": person_text(940)}
    assert [c.person for c in run(tracing, case(1, **mine), NOW).changes] == [person_text(950)]
    scans.visit(960, 1020, 1040)
    assert len(tracing.again(case(1, **mine), NOW, 1, 1)) == 1
    both = [{"person": person_text(p), "reason": "other"} for p in (950, 960)]
    second = run(tracing, case(2, **mine, excluded=both), NOW)
    assert {c.kind for c in second.changes} == {"withdrawn"}
    later = NOW + timedelta(days=30)
    third = run(tracing, case(3, **mine), later)
    assert {(c.person, c.kind, c.reasons) for c in third.changes} == {
        (person_text(p), "added", ("excluded",)) for p in (950, 960)
    }
    assert tracing.again(case(3, **mine), later, 2, 2) == [], "nor does a scan change anything"


def test_a_case_voided_before_its_first_run_gets_none_after(
    clickhouse: ClickHouse, tracing: Tracing
) -> None:
    scans = Scans(clickhouse, 13_000)
    scans.visit(900, 40_000, 40_060)
    scans.visit(910, 40_000, 40_030)
    mine: dict[str, Any] = {"id": "c-early", "person": person_text(900), "onset": date(2026, 4, 3)}
    now = DAY + timedelta(days=30)
    assert tracing.withdrawn(case(2, **mine, status=CaseStatus.VOIDED), now) == []
    assert tracing.run(case(1, **mine), now) is None
    assert tracing.again(case(1, **mine), now, 1, 2) == []
    last = Runs(clickhouse).last("c-early")
    assert last is not None
    assert (last.number, last.cause, last.version.contacts) == (1, "case/2", [])


def told(runs: list[Run]) -> list[tuple[int, str, set[tuple[str, str, tuple[str, ...]]]]]:
    return [(r.number, r.cause, {(c.person, c.kind, c.reasons) for c in r.changes}) for r in runs]


def test_scans_make_runs_of_their_own(clickhouse: ClickHouse, tracing: Tracing) -> None:
    scans = Scans(clickhouse, 100)
    of_bob = {"id": "c-9", "person": person_text(BOB + 7)}
    scans.visit(BOB + 7, 2000, 2060)
    assert tracing.again(case(1, **of_bob), NOW, 0, 0) == []  # its first run is still to come
    assert run(tracing, case(1, **of_bob), NOW).number == 1
    assert tracing.again(case(1, **of_bob), NOW, 3, 3) == []  # nothing has changed

    scans.visit(ALICE + 7, 2010, 2040)
    added = {(person_text(ALICE + 7), "added", ("late_scan",))}
    first = tracing.again(case(1, **of_bob), NOW, 4, 6)
    assert told(first) == [(2, "scan/6", added)]
    # read again from the first request on: its alerts may not have gone out
    assert told(tracing.again(case(1, **of_bob), NOW, 4, 6)) == [(2, "scan/6", added)]
    assert tracing.again(case(1, **of_bob), NOW, 7, 8) == []

    # from an earlier request on, with more after it: both
    scans.visit(ALICE + 8, 2020, 2030)
    both = told(tracing.again(case(1, **of_bob), NOW, 6, 9))
    assert [(number, cause) for number, cause, _ in both] == [(2, "scan/6"), (3, "scan/9")]
    # the next version of the case counts on
    amended = run(tracing, case(2, isolated_at=NOW - timedelta(hours=1), **of_bob), NOW)
    assert (amended.number, amended.cause, amended.changes) == (4, "case/2", [])


def test_decisions_and_ids_of_one_person_are_runs(clickhouse: ClickHouse, tracing: Tracing) -> None:
    scans = Scans(clickhouse, 900)
    me, one, card = 410, 420, 430
    scans.visit(me, -600, -540)
    scans.visit(one, -590, -570)
    scans.visit(card, -580, -550)
    mine = {"id": "c-decided", "person": person_text(me)}
    first = run(tracing, case(1, **mine), NOW)
    assert {c.person for c in first.changes} == {person_text(one), person_text(card)}

    ruled_out = [{"person": person_text(one), "classification": "NO_CONTACT"}]
    [second] = tracing.again(case(2, **mine, decided=ruled_out), NOW, 40, 40)
    assert told([second]) == [
        (2, "scan/40", {(person_text(one), "withdrawn", ("decided",))}),
    ]
    nobody = [*ruled_out, {"person": person_text(999), "classification": "NO_CONTACT"}]
    [third] = tracing.again(case(3, **mine, decided=nobody), NOW, 41, 41)
    assert told([third]) == [(3, "scan/41", set())], "so that it is seen which version was traced"
    assert third.summary["case_version"] == 3
    assert tracing.again(case(3, **mine, decided=nobody), NOW, 42, 42) == []

    same = [{"person": person_text(card), "of": person_text(one)}]
    fourth = run(tracing, case(4, **mine, same=same), NOW)
    assert told([fourth])[0][2] == {
        (person_text(one), "added", ("decided", "same_person")),
        (person_text(card), "withdrawn", ("same_person",)),
    }
    [together] = fourth.contacts
    assert (together["person"], together["minutes"]) == (person_text(one), 40)
    watched = tracing.watched(case(5, **mine, same=[{**same[0], "of": person_text(me)}]))
    assert watched.ids == {me, card}


def test_of_two_runs_with_one_number_the_first_stored_counts(clickhouse: ClickHouse) -> None:
    runs = Runs(clickhouse)
    summary = {
        "rule_set": "r", "parameters": {}, "offsets": {},
        "window": {"from": "2026-03-01T00:00:00.000Z", "to": "2026-03-02T00:00:00.000Z"},
    }  # fmt: skip
    mine = [Run(case(1, id="c-5"), 1, cause, summary, [], []) for cause in ("case/1", "scan/4")]
    assert runs.store(mine[0], NOW)
    time.sleep(0.01)
    assert not runs.store(mine[1], NOW)
    last = runs.last("c-5")
    assert last is not None
    assert last.cause == "case/1"


def test_what_is_watched_of_a_case(clickhouse: ClickHouse, tracing: Tracing) -> None:
    scans = Scans(clickhouse, 200)
    scans.visit(BOB + 20, 4000, 4060)
    scans.visit(ALICE + 20, 4050, 4055)
    scans.enter(ALICE + 21, 4000 - 900)  # 15 hours before, and no scan out
    watched = tracing.watched(case(1, id="c-20", person=person_text(BOB + 20)))
    assert (watched.person, watched.near.tolist()) == (BOB + 20, [ALICE + 20])
    [window] = watched.windows
    minute = 60_000
    begin = int((DAY + timedelta(minutes=4000)).timestamp() * 1000)
    assert (window.place, window.begin, window.end) == (ROOM, begin, begin + 60 * minute)
    longest = load_parameters().max_stay_minutes * minute
    assert longest == window.longest > window.before >= window.after > 0
    assert watched.far.tolist() == [ALICE + 21]
    assert watched.around == (begin - longest, begin + 60 * minute + longest)


def test_a_case_that_was_never_traced_withdraws_nobody(tracing: Tracing) -> None:
    assert tracing.withdrawn(case(2, id="c-2", status=CaseStatus.VOIDED), NOW) == []


def pages(difference: Difference, limit: int) -> list[Change]:
    """All of a difference, this many a page."""
    found: list[Change] = []
    mark: Mark | None = Mark()
    while mark is not None:
        page, mark = difference.page(mark, limit)
        assert len(page) <= limit
        mark = Mark.of(str(mark)) if mark else None  # as it goes out and comes in again
        found += page
    return found


def test_a_difference_is_read_page_by_page(clickhouse: ClickHouse, tracing: Tracing) -> None:
    me, people = 600, [610 + n for n in range(7)]
    mine: dict[str, Any] = {"id": "c-paged", "person": person_text(me)}
    scans = Scans(clickhouse, 3000)
    at = 10_000
    scans.visit(me, at, at + 60)
    for n, person in enumerate(people[:5]):
        scans.visit(person, at + n, at + 40)
    first = run(tracing, case(1, **mine, onset=date(2026, 3, 13)), NOW + timedelta(days=20))
    # ahead of all others by rank, of whom two are ruled out, and one says something else
    scans.visit(people[5], at, at + 60)
    ruled_out = [{"person": person_text(p), "reason": "not_there"} for p in people[1:3]]
    said = {"person": person_text(people[4]), "place": ROOM, "begin": DAY + timedelta(minutes=at)}
    answer = said | {"end": DAY + timedelta(minutes=at + 20)}
    mine |= {"onset": date(2026, 3, 13), "excluded": ruled_out, "answers": [answer]}
    second = run(tracing, case(2, **mine), NOW + timedelta(days=20))
    assert len(second.changes) >= 3
    assert {change.kind for change in second.changes} >= {"added", "withdrawn"}, second.changes

    listed, more = past_runs(clickhouse, second.case.id, 9, 5)
    assert [(r.run, r.cause, r.case_version, r.contacts) for r in listed] == [
        (2, "case/2", 2, len(second.contacts)), (1, "case/1", 1, len(first.contacts)),
    ]  # fmt: skip
    assert not more
    assert past_runs(clickhouse, second.case.id, 9, 1)[1]
    assert listed[0].contacts_by_tier == second.summary["contacts_by_tier"]
    now, was = listed
    assert past_run(clickhouse, second.case.id, 2) == now
    assert past_run(clickhouse, second.case.id, 3) is None
    assert run_before(clickhouse, second.case.id, 2) == was
    assert run_before(clickhouse, second.case.id, 1) is None
    for limit in (1, 2, 3, 4, 500):
        assert pages(Difference(clickhouse, "c-paged", was, now), limit) == second.changes
        assert pages(Difference(clickhouse, "c-paged", None, was), limit) == first.changes


def test_a_difference_from_any_earlier_run_and_what_made_each(
    clickhouse: ClickHouse, tracing: Tracing
) -> None:
    me, one, other = 700, 710, 720
    mine = {"id": "c-earlier", "person": person_text(me), "onset": date(2026, 3, 20)}
    now = NOW + timedelta(days=30)
    scans = Scans(clickhouse, 9000)
    at = 20_000
    scans.visit(me, at, at + 60)
    scans.visit(one, at, at + 30)
    run(tracing, case(1, **mine), now)
    scans.visit(other, at + 5, at + 45)
    [late] = tracing.again(case(1, **mine), now, 7, 7)
    decided = [{"person": person_text(one), "classification": "NO_CONTACT"}]
    [third] = tracing.again(case(2, **mine, decided=decided), now, 8, 8)
    runs, _ = past_runs(clickhouse, "c-earlier", 99, 9)
    assert [(run.run, run.because[1]) for run in runs] == [
        (3, "decisions, answers or scans, up to version 2 of the case"),
        (2, "scans since; or places, codes or trips changed; or the case is there still"),
        (1, "the case was registered"),
    ]
    first = Runs(clickhouse).by_cause("c-earlier", "case/1")
    last = Runs(clickhouse).by_cause("c-earlier", "scan/8")
    assert first is not None
    assert last is not None
    expected = changes(first.version, last.version)
    assert {(c.person, c.kind) for c in expected} == {
        (person_text(one), "withdrawn"), (person_text(other), "added"),
    }  # fmt: skip
    assert pages(Difference(clickhouse, "c-earlier", runs[2], runs[0]), 1) == expected
    assert pages(Difference(clickhouse, "c-earlier", runs[1], runs[0]), 9) == third.changes
    assert pages(Difference(clickhouse, "c-earlier", runs[2], runs[1]), 9) == late.changes
    gone = tracing.withdrawn(case(3, **mine, status=CaseStatus.VOIDED), now)
    voided, *_ = past_runs(clickhouse, "c-earlier", 99, 9)[0]
    assert (voided.run, voided.contacts, voided.cause) == (4, 0, "case/3")
    assert pages(Difference(clickhouse, "c-earlier", runs[0], voided), 1) == gone
    assert {change.reasons for change in gone} == {("case_voided",)}


def test_of_two_attempts_at_a_run_the_first_stored_is_listed(clickhouse: ClickHouse) -> None:
    runs = Runs(clickhouse)
    summary = {
        "rule_set": "r", "parameters": {}, "offsets": {},
        "window": {"from": "2026-03-01T00:00:00.000Z", "to": "2026-03-02T00:00:00.000Z"},
    }  # fmt: skip
    for cause in ("case/1", "scan/4"):
        runs.store(Run(case(1, id="c-twice"), 1, cause, summary, [], []), NOW)
        time.sleep(0.01)
    [listed], more = past_runs(clickhouse, "c-twice", 9, 9)
    assert (listed.cause, listed.contacts_by_tier, listed.notes, more) == ("case/1", {}, [], False)


def test_what_a_code_struck_that_was_revoked_from_before_is_withdrawn(
    clickhouse: ClickHouse,
) -> None:
    clickhouse.command("TRUNCATE TABLE scans")
    directory = _directory()
    tracing = Tracing(clickhouse, directory, load_rule_sets(), load_parameters(), 0)
    scans = Scans(clickhouse, 5_000)
    scans.visit(CASE, 0, 200)
    scans.visit(ALICE, 10, 40)
    scans.visit(BOB, 100, 140)
    mine = case(1, id="c-revoked")
    first = run(tracing, mine, NOW)
    alice, bob = person_text(ALICE), person_text(BOB)
    assert {(c.person, c.kind) for c in first.changes} == {(alice, "added"), (bob, "added")}
    assert tracing.again(mine, NOW, 1, 1) == []

    def revoke(version: int, since: int, code: int = 1) -> None:
        from_then_on = DAY + timedelta(minutes=since)
        it = Code(
            version=code, token=issue(RING, ROOM, code), revoked_at=from_then_on, taken_back_at=NOW
        )
        changed = A_ROOM.model_copy(update={"version": version, "codes": (it,)})
        directory.put_site_records([(f"place/{ROOM}", changed.model_dump_json().encode())])

    revoke(2, 90, code=2)
    assert tracing.again(mine, NOW, 2, 2) == [], "by another version of the code nobody came"
    revoke(3, 90)
    [again] = tracing.again(mine, NOW, 3, 3)
    gone = [c for c in again.changes if c.kind == "withdrawn"]
    assert [(c.person, c.reasons) for c in gone] == [(bob, ("facts",))]
    assert [c["person"] for c in again.contacts] == [alice]
    assert [stay["closed_by"] for stay in again.summary["stays"]] == [None], (
        "nor did it see them go"
    )
    revoke(4, 5)
    [last] = tracing.again(mine, NOW, 4, 4)
    assert last.contacts == []
