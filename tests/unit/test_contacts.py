"""Exposures, contacts, the trace as a whole, its JSON, and the queries against a fake engine."""

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from schemas.cases import Case, CaseStatus
from schemas.ids import person_text
from schemas.places import Place
from tests.system import wait_for
from tracer import queries
from tracer.columns import milliseconds
from tracer.contacts import contacts
from tracer.documents import to_documents
from tracer.fetch import fetch, trace_from
from tracer.frames import SCANS, TRIPS, empty
from tracer.ground import ground_of
from tracer.parameters import load_parameters
from tracer.places import places_frame
from tracer.queries import Scans
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.sought import sought
from tracer.trace import TraceResult, trace

PARAMETERS = load_parameters()
RULE_SETS = {rule_set.id: rule_set for rule_set in load_rule_sets()}
RULES = RULE_SETS["vn-2021-12-29"]
ROOM, HALL, GATE, SQUARE, CLINIC, STORE = 1, 2, 3, 4, 5, 6
CASE, ALICE, BOB = 100, 200, 300
DAY = datetime(2022, 1, 5, tzinfo=UTC)
NOW = DAY + timedelta(days=5)


def place(number: int, kind: str, enclosed: bool, small: bool, gate: bool = False) -> Place:
    return Place(
        id=number, site=1, name="n", kind=kind, ward="w", sector="s",
        enclosed=enclosed, small=small, gate=gate,
    )  # fmt: skip


PLACES = places_frame(
    [
        place(ROOM, "meeting_room", True, True),
        place(HALL, "factory", True, False),
        place(GATE, "gate", True, True, gate=True),
        place(SQUARE, "market", False, False),
        place(CLINIC, "clinic", True, True),
        place(STORE, "supermarket", True, False),
    ]
)
GROUND = ground_of(PLACES, empty(TRIPS), PARAMETERS)
A_CASE = Case(
    id="c1",
    status=CaseStatus.CONFIRMED,
    person=person_text(CASE),
    onset=date(2022, 1, 5),
    ward="w",
    registered_at=NOW,
    registered_by="o",
)


def visits(*rows: tuple[int, int, float, float]) -> pl.DataFrame:
    """(person, place, from, to) in minutes after `DAY`, each as a scan in and a scan out."""
    made: list[tuple[Any, ...]] = []
    for person, at_place, start, end in rows:
        for direction, minute in (("in", start), ("out", end)):
            moment = DAY + timedelta(minutes=minute)
            offset = len(made)
            made.append((person, at_place, moment, direction, 0, offset, None))
    return pl.DataFrame(made, schema=dict(SCANS), orient="row")


def traced(*rows: tuple[int, int, float, float], rules: RuleSet = RULES) -> TraceResult:
    return trace(A_CASE, visits(*rows), GROUND, rules, NOW)


@pytest.mark.parametrize(
    ("where", "tier"),
    [
        (ROOM, "same_small_enclosed"),
        (HALL, "same_place"),
        (GATE, "same_time_only"),
        (SQUARE, "same_time_only"),
        (STORE, "same_time_only"),
    ],
)
def test_tiers_and_who_is_called(where: int, tier: str) -> None:
    (row,) = traced((CASE, where, 0, 60), (ALICE, where, 30, 90)).contacts.rows(named=True)
    assert (row["tier"], row["call"]) == (tier, tier != "same_time_only")
    assert row["minutes"] == 30.0


@pytest.mark.parametrize(
    ("where", "minutes", "clauses", "questions"),
    [
        (ROOM, 15, ["a", "b", "c"], ["touch", "masks"]),
        (ROOM, 14.99, ["a", "c"], ["touch", "masks"]),
        (HALL, 15, ["a", "b", "c"], ["touch", "masks", "within_2_m"]),
        (CLINIC, 5, ["a", "c", "d"], ["touch", "masks", "care", "protective_equipment"]),
        (SQUARE, 5, ["a", "c"], ["touch", "masks", "within_2_m"]),
    ],
)
def test_what_could_apply_and_what_is_to_ask(
    where: int, minutes: float, clauses: list[str], questions: list[str]
) -> None:
    result = traced((CASE, where, 0, 60), (ALICE, where, 60 - minutes, 90))
    (row,) = result.exposures.rows(named=True)
    assert (row["clauses"], row["questions"]) == (clauses, questions)


def test_a_duration_that_nobody_saw_excludes_no_clause() -> None:
    """A ticket office where people usually stay ten minutes: nobody scanned out."""
    shop = place(60, "ticket_office", True, True).model_copy(update={"usual_stay": 10})
    ground = ground_of(places_frame([shop]), empty(TRIPS), PARAMETERS)
    both = visits((CASE, 60, 0, 9), (ALICE, 60, 1, 8))

    def clauses(scans: pl.DataFrame) -> list[str]:
        (row,) = trace(A_CASE, scans, ground, RULES, NOW).exposures.rows(named=True)
        assert row["minutes"] < 15
        return list(row["clauses"])

    assert clauses(both) == ["a", "c"]
    entered = pl.col("direction") == "in"
    assert clauses(both.filter(entered)) == ["a", "b", "c"]
    assert clauses(both.filter(entered | (pl.col("person") == ALICE))) == ["a", "c"], "her end is"
    left = both.filter(~entered | (pl.col("person") == CASE))
    assert clauses(left) == ["a", "c"], "it begins when the case came"
    assert clauses(both.filter(~entered)) == ["a", "b", "c"]


def test_what_is_not_over_yet_excludes_no_clause() -> None:
    """They came ten and five minutes ago, and nobody has gone."""
    scans = visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 5, 60))
    entered = scans.filter(pl.col("direction") == "in")
    for minutes, clauses in ((10, ["a", "b", "c"]), (8 * 60, ["a", "b", "c"])):
        (row,) = trace(
            A_CASE, entered, GROUND, RULES, DAY + timedelta(minutes=minutes)
        ).exposures.rows(named=True)
        assert row["clauses"] == clauses
    ended = A_CASE.model_copy(update={"isolated_at": DAY + timedelta(minutes=10)})
    (row,) = trace(ended, entered, GROUND, RULES, NOW).exposures.rows(named=True)
    assert (row["minutes"], row["clauses"]) == (5, ["a", "c"]), "an isolation is known"


def test_who_only_passed_may_have_been_there_for_longer() -> None:
    scans = visits((CASE, ROOM, 0, 65), (ALICE, ROOM, 60, 90))
    hers = pl.col("person") == ALICE
    passed = scans.filter(~hers | (pl.col("direction") == "in")).with_columns(
        pl.when(hers).then(pl.lit("pass")).otherwise("direction").cast(SCANS["direction"])
        .alias("direction")
    )  # fmt: skip
    (row,) = trace(A_CASE, passed, GROUND, RULES, NOW).exposures.rows(named=True)
    assert (row["minutes"], row["clauses"]) == (5, ["a", "b", "c"])


def test_touching_is_not_overlapping() -> None:
    assert traced((CASE, ROOM, 0, 60), (ALICE, ROOM, 60, 90)).contacts.is_empty()


def test_an_exposure_is_cut_to_the_window() -> None:
    ended = A_CASE.model_copy(update={"isolated_at": DAY + timedelta(minutes=40)})
    scans = visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 30, 90))
    result = trace(ended, scans, GROUND, RULES, NOW)
    assert result.exposures["minutes"].to_list() == [10.0]
    assert result.case_stays["end"].to_list() == [DAY + timedelta(minutes=60)]


def test_the_case_is_not_their_own_contact() -> None:
    result = traced((CASE, ROOM, 0, 60), (ALICE, ROOM, 0, 60))
    assert result.contacts["person"].to_list() == [ALICE]


def test_a_contact_sums_up_its_exposures() -> None:
    result = traced(
        (CASE, ROOM, 0, 60), (CASE, SQUARE, 100, 200), (CASE, HALL, 300, 400),
        (ALICE, ROOM, 50, 60), (ALICE, SQUARE, 100, 200), (ALICE, HALL, 390, 500),
        (BOB, HALL, 300, 400),
    )  # fmt: skip
    alice, bob = result.contacts.rows(named=True)
    assert (alice["person"], bob["person"]) == (ALICE, BOB)
    assert (alice["tier"], alice["minutes"], alice["exposures"]) == (
        "same_small_enclosed", 20.0, 3,
    ), "what was in the open brings nobody nearer"  # fmt: skip
    assert alice["clauses"] == ["a", "b", "c"]
    assert alice["questions"] == ["touch", "masks", "within_2_m"]
    assert alice["last_exposure"] == DAY + timedelta(minutes=400)
    assert bob["tier"] == "same_place"


def test_a_market_makes_nobody_more_urgent_who_is_called_for_a_room() -> None:
    result = traced(
        (CASE, ROOM, 0, 60), (CASE, SQUARE, 100, 400),
        (ALICE, ROOM, 50, 60), (ALICE, SQUARE, 100, 400),
        (BOB, ROOM, 40, 60),
    )  # fmt: skip
    bob, alice = result.contacts.rows(named=True)
    assert (bob["person"], bob["minutes"]) == (BOB, 20.0)
    assert (alice["minutes"], alice["exposures"]) == (10.0, 2)
    assert alice["last_exposure"] == DAY + timedelta(minutes=60), "followed from the room on"
    only_there = traced((CASE, SQUARE, 100, 400), (ALICE, SQUARE, 100, 300)).contacts
    [row] = only_there.rows(named=True)
    assert (row["minutes"], row["last_exposure"]) == (200.0, DAY + timedelta(minutes=300))


@pytest.mark.parametrize(
    ("kind", "sector", "asked"),
    [
        ("waiting_room", "health", True),  # a hospital's
        ("bus", "health", True),  # its ambulance
        ("waiting_room", "transport", False),
        ("department", "education", True),  # a university's hospital
        ("imported", "unknown", True),
        ("office", "unknown", False),
    ],
)
def test_who_cared_for_the_case_is_asked_where_care_is_given(
    kind: str, sector: str, asked: bool
) -> None:
    room = place(60, kind, True, False).model_copy(update={"sector": sector})
    ground = ground_of(places_frame([room]), empty(TRIPS), PARAMETERS)
    scans = visits((CASE, 60, 0, 60), (ALICE, 60, 0, 60))
    [row] = trace(A_CASE, scans, ground, RULES, NOW).exposures.rows(named=True)
    assert ("d" in row["clauses"]) is asked
    assert ("care" in row["questions"]) is asked


def test_a_minute_counts_once_even_if_two_places_say_so() -> None:
    found = traced((CASE, ROOM, 0, 60), (ALICE, ROOM, 0, 60)).exposures
    inside = found.with_columns(
        place=pl.lit(HALL, pl.UInt32),
        start=pl.lit(DAY + timedelta(minutes=10)).cast(found.schema["start"]),
        end=pl.lit(DAY + timedelta(minutes=20)).cast(found.schema["end"]),
    )
    after = found.with_columns(
        start=pl.lit(DAY + timedelta(minutes=50)).cast(found.schema["start"]),
        end=pl.lit(DAY + timedelta(minutes=70)).cast(found.schema["end"]),
    )
    summed = contacts(pl.concat([after, inside, found]), RULES, PARAMETERS)
    assert summed["minutes"].to_list() == [70.0]


def test_confidence_is_the_product_of_the_stays_and_has_a_band() -> None:
    sure = traced((CASE, ROOM, 0, 60), (ALICE, ROOM, 30, 90)).exposures
    ends = PARAMETERS.end_confidence
    assert sure.select("confidence", "band").rows() == [(ends["scan_out"] ** 2, "high")]
    scans = visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 30, 90)).filter(
        (pl.col("person") == CASE) | (pl.col("direction") == "in")
    )
    came = trace(A_CASE, scans, GROUND, RULES, NOW).exposures
    # Alice has just come, whatever will become of her; her end is the cap
    faded = PARAMETERS.still_there["cap"]
    assert came.select("confidence", "band").rows() == [(ends["scan_out"] * faded[0], "high")]


def test_who_came_long_before_may_have_gone() -> None:
    """An end that was not scanned fades, on straight lines between five moments of the stay."""
    alice_in = visits((CASE, ROOM, 90, 150), (ALICE, ROOM, 0, 240)).filter(
        (pl.col("person") == CASE) | (pl.col("direction") == "in")
    )
    ends, faded = PARAMETERS.end_confidence, PARAMETERS.still_there["cap"]
    later = trace(A_CASE, alice_in, GROUND, RULES, NOW).exposures
    # after 90 of the cap's 240 minutes: half way between a quarter and half
    expected = ends["scan_out"] * (faded[1] + (faded[2] - faded[1]) * 0.5)
    assert later["confidence"].to_list() == [expected]
    first = load_parameters("stays-2026-11.toml")
    fading = ground_of(PLACES, empty(TRIPS), first)
    unfading = trace(A_CASE, alice_in, fading, RULES, NOW).exposures
    assert unfading["confidence"].to_list() == [first.end_confidence["cap"]]


def test_two_who_only_passed_are_low() -> None:
    unsure = visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 30, 90)).with_columns(
        direction=pl.lit("pass").cast(SCANS["direction"])
    )
    passed = trace(A_CASE, unsure, GROUND, RULES, NOW).exposures
    assert set(passed["band"]) == {"low"}


def test_every_result_says_that_a_later_rule_is_not_applied() -> None:
    assert any("1909/BYT-DP" in note.vi for note in traced().notes)


def test_without_clauses_by_co_presence_only() -> None:
    rows = (CASE, ROOM, 0, 60), (ALICE, ROOM, 30, 90)
    result = traced(*rows, rules=RULE_SETS["vn-2020-12-03"])
    assert result.contacts.select("clauses", "questions").rows() == [([], [])]
    assert any("co-presence only" in note.en for note in result.notes)


def test_a_place_nobody_described_is_named() -> None:
    result = traced((CASE, 77, 0, 60), (ALICE, 77, 0, 60))
    assert result.contacts["tier"].to_list() == ["same_time_only"]
    assert any("77" in note.en for note in result.notes)


def test_the_document_of_a_contact() -> None:
    document = to_documents(traced((CASE, ROOM, 0, 60), (ALICE, ROOM, 30, 90)))
    (contact,) = document["contacts"]
    assert contact["path"] == [
        {"person": person_text(CASE), "case": "c1"},
        {"place": ROOM, "start": "2022-01-05T00:30:00.000Z", "end": "2022-01-05T01:00:00.000Z"},
        {"person": person_text(ALICE)},
    ]
    (exposure,) = contact["exposures"]
    assert exposure["stay"] == {
        "start": "2022-01-05T00:30:00.000Z",
        "end": "2022-01-05T01:30:00.000Z",
        "start_provenance": "scan_in",
        "end_provenance": "scan_out",
        "confidence": PARAMETERS.end_confidence["scan_out"],
        "opened_by": {"partition": 0, "offset": 2},
        "closed_by": {"partition": 0, "offset": 3},
    }
    assert document["contacts_by_tier"]["same_small_enclosed"] == 1
    assert document["offsets"] == {"0": 3}
    assert document["parameters"] == PARAMETERS.model_dump(mode="json")


def test_nobody_scanned_anything() -> None:
    result = traced()
    assert result.contacts.is_empty()
    assert to_documents(result)["contacts"] == []


class FakeEngine:
    """Answers the queries of `tracer.queries` from a frame, and remembers them."""

    def __init__(self, scans: pl.DataFrame, late: int = 2_000) -> None:
        self.late = late  # milliseconds from a scan's time to the broker's
        # as the table's column is numbered
        number = {"in": 1, "out": 2, "pass": 3}
        self.scans = scans.with_columns(
            pl.col("trip").fill_null(""),
            pl.col("direction").cast(pl.String).replace_strict(number, return_dtype=pl.Int8),
        )
        if "companions" not in scans.columns:
            self.scans = self.scans.with_columns(companions=pl.lit(0, pl.UInt8))
        self.queries: list[str] = []
        self.settings: list[dict[str, Any]] = []

    def query_arrow(
        self,
        query: str,
        parameters: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> pa.Table:
        if "AS best" in query:
            return pa.table({"best": ["packed_by_person"]})
        self.queries.append(query)
        self.settings.append(settings or {})
        t = pl.col("scanned_at").dt.timestamp("ms")
        if "person IN" not in query:
            hours = re.findall(r"\((\d+),(\d+)\)", query)
            wanted = pl.any_horizontal(
                (pl.col("place") == int(place)) & (t // 3_600_000 * 3_600 == int(hour))
                for place, hour in hours
            )
            there = self.scans.filter(wanted).with_columns(
                method=pl.lit(1, pl.Int8),
                producer=pl.lit("gate-7"),
                appended_at=pl.col("scanned_at") + timedelta(milliseconds=self.late),
            )
            asked = query.removeprefix("SELECT ").split(" FROM ")[0].split(", ")
            return there.select(asked).to_arrow()
        listed = re.search(r"person IN CAST\('\[([\d,]+)\]', 'Array\(UInt64\)'\)", query)
        assert listed is not None
        persons = pl.Series([int(p) for p in listed[1].split(",")], dtype=pl.UInt64)
        found = self.scans.filter(pl.col("person").is_in(persons.implode()))
        if weeks := re.search(r"_partition_id IN \(([\d,']+)\)", query):
            monday = pl.col("scanned_at").dt.truncate("1w").dt.strftime("%Y%m%d")
            found = found.filter(monday.is_in(weeks[1].replace("'", "").split(",")))
        if "AS bare" in query:
            found = found.with_columns(bare=pl.lit(0, pl.UInt64))
        return (found if ", trip" in query else found.drop("trip")).to_arrow()


ELSEWHERE = (BOB + 1, HALL, 10.0, 20.0)
CITY = visits(
    (CASE, ROOM, 0, 60), (CASE, GATE, 100, 101), (ALICE, ROOM, -300, 20), (BOB, GATE, 50, 102),
    (BOB, ROOM, 200, 210), ELSEWHERE,
)  # fmt: skip


def test_what_is_fetched_gives_the_trace_of_everything() -> None:
    everything = trace(A_CASE, CITY, GROUND, RULES, NOW)
    fetched = trace_from(Scans(FakeEngine(CITY)), A_CASE, GROUND, RULES, NOW)
    assert fetched.contacts.height == 2
    assert fetched.exposures.equals(everything.exposures)
    assert fetched.contacts.equals(everything.contacts)


def test_only_those_at_the_places_of_the_case_are_fetched() -> None:
    engine = FakeEngine(CITY)
    settings = {"max_execution_time": 5}
    fetched = fetch(Scans(engine, None, settings), A_CASE, GROUND, RULES, NOW)
    assert fetched.wanted.person.tolist() == [ALICE, BOB]
    assert set(fetched.scans()["person"]) == {CASE, ALICE, BOB}
    assert len(engine.queries) == 3
    assert all(asked.items() >= settings.items() for asked in engine.settings)


def test_whose_stay_is_known_not_to_meet_the_case_is_not_fetched() -> None:
    before, until, after, unseen, long, again = range(1000, 1006)
    rows = visits(
        (CASE, ROOM, 0, 60),
        (before, ROOM, -50, -5),  # scanned out before the case came
        (until, ROOM, -50, 1),  # a minute after
        (after, ROOM, 61, 90),  # came after it had gone
        (unseen, ROOM, 70, 80),
        (long, ROOM, -600, 200),  # was there all the time
        (again, ROOM, -50, -5),  # and came back
        (again, ROOM, 30, 40),
    )
    # of one of them only the scan out is known: it may have been there since before
    came = (pl.col("person") == unseen) & (pl.col("direction") == "in")
    found = fetch(Scans(FakeEngine(rows.filter(~came))), A_CASE, GROUND, RULES, NOW)
    assert found.wanted.person.tolist() == [until, unseen, long, again]
    met = trace(A_CASE, rows.filter(~came), GROUND, RULES, NOW).exposures
    assert set(met["person"]) <= set(found.wanted.person.tolist())


def test_a_server_without_the_function_is_asked_of_the_table() -> None:
    class Older(FakeEngine):
        def query_arrow(self, query: str, *rest: Any) -> pa.Table:
            if "AS best" in query:
                return pa.table({"best": ["scans"]})
            if "mergeTreeProjection" in query:
                raise RuntimeError("Unknown table function mergeTreeProjection")
            return super().query_arrow(query, *rest)

    engine = Older(CITY)
    fetched = trace_from(Scans(engine), A_CASE, GROUND, RULES, NOW)
    assert fetched.contacts.equals(trace(A_CASE, CITY, GROUND, RULES, NOW).contacts)
    assert all("FROM scans" in query for query in engine.queries)


def test_nothing_past_retention_is_read() -> None:
    scans = Scans(FakeEngine(CITY), retained_from=DAY + timedelta(minutes=80))
    result = trace_from(scans, A_CASE, GROUND, RULES, NOW)
    assert result.case_stays["place"].to_list() == [GATE]
    assert result.contacts["person"].to_list() == [BOB]


def test_a_case_that_never_scanned_asks_one_query() -> None:
    engine = FakeEngine(CITY.filter(pl.col("person") != CASE))
    result = trace_from(Scans(engine), A_CASE, GROUND, RULES, NOW)
    assert result.contacts.is_empty()
    assert len(engine.queries) == 1


def test_many_persons_come_in_parts_the_first_at_once_and_one_ahead() -> None:
    engine = FakeEngine(CITY)
    parts = Scans(engine).of(sought([CASE, ALICE, BOB], 0, 2**42), persons_per_part=1)

    def asked() -> int:
        return sum("person IN" in query for query in engine.queries)

    wait_for(lambda: asked() == 2, 5, "the first part, and the next")
    assert set(next(parts)["person"]) == {CASE}
    assert asked() == 2
    assert [set(part["person"]) for part in parts] == [{ALICE}, {BOB}]
    assert asked() == 3
    assert list(Scans(engine).of(sought([], 0, 2**42))) == []
    assert list(Scans(engine).at([])) == []


def test_halves_hold_whole_persons_and_nothing_is_read_more_than_a_part_ahead() -> None:
    people = list(range(1000, 1300))
    week = milliseconds(DAY), milliseconds(DAY + timedelta(days=3))
    engine = FakeEngine(visits(*((person, HALL, 0.0, 10.0) for person in people)))
    parts = Scans(engine).of(sought(people, *week), persons_per_part=100)
    first = next(parts)
    assert first["person"].unique().sort().to_list() == people[:100]
    assert first.height == 200
    assert len(engine.queries) <= 5
    rest = [part["person"].unique().sort().to_list() for part in parts]
    assert rest == [people[100:200], people[200:]]
    assert len(engine.queries) == 6


def test_minutes_are_to_the_last_bit_those_of_a_plain_division() -> None:
    from tracer.minutes import in_minutes

    ms = [*range(0, 3_000_000, 37), 2_553_000, 569_000]
    assert in_minutes(np.array(ms)).tolist() == [m / 60_000 for m in ms]


def test_a_window_that_begins_before_retention_says_so() -> None:
    engine = FakeEngine(visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40)))
    rest = (A_CASE, GROUND, RULES, NOW)
    kept, cut = (trace_from(Scans(engine, NOW - timedelta(days=days)), *rest) for days in (21, 4))
    assert not any("retention" in note.en for note in kept.notes)
    assert any("retention" in note.en for note in cut.notes)


def test_what_was_asked_for_is_waited_for_though_nobody_takes_it() -> None:
    asked: list[int] = []
    answered: list[int] = []

    def call() -> pl.DataFrame:
        asked.append(1)
        time.sleep(0.1)
        answered.append(1)
        return CITY

    found = queries._begun([call] * 6, 4)
    wait_for(lambda: bool(asked), 5, "the first to be asked")  # on a machine with much to do
    del found
    assert 0 < len(asked) == len(answered) <= 4
