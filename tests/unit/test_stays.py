"""Each rule of `tracer.stays`, by an example a person can check."""

from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import polars as pl
import pytest

from schemas.places import Hours, Place, Trip
from tracer.frames import SCANS, empty
from tracer.long_stays import long_stays
from tracer.parameters import DEFAULT_FILE, Parameters, load_parameters, parse_parameters
from tracer.places import ground_at
from tracer.stays import STAYS, stays

PARAMETERS = load_parameters()
MARKET, OFFICE, BUS, BAR = 1, 2, 3, 4  # usual stay 60; none; none, with a trip; open past midnight


def local(clock: str, day: int = 29) -> datetime:
    """A local time of 29 November 2021 (or another day)."""
    hour, minute = clock.split(":")[:2]
    second = int(clock.split(":")[2]) if clock.count(":") == 2 else 0
    return datetime(2021, 11, day, int(hour), int(minute), second, tzinfo=UTC) - timedelta(hours=7)


def place(number: int, **more: Any) -> Place:
    about = {"name": "n", "kind": "k", "ward": "w", "sector": "s"}
    return Place.model_validate({"id": number, "site": number} | about | more)


HOUSE, FLOOR, ROOM = 50, 51, 52  # each within the one before
COACH, CLINIC = 60, 61  # a trip of 34 hours; a usual stay of a day
PLACES = [
    place(HOUSE),
    place(FLOOR, within=HOUSE),
    place(ROOM, within=FLOOR, usual_stay=30),
    place(MARKET, usual_stay=60, hours=Hours(opens="06:00", closes="17:00")),
    place(OFFICE),
    place(
        BUS,
        trips=(Trip(id="HP-07", departs_at=local("08:00"), arrives_at=local("10:30")),),
    ),
    place(
        COACH,
        usual_stay=45,
        trips=(
            Trip(id="NS-1", departs_at=local("08:00", 28), arrives_at=local("18:00")),
            Trip(id="HP-1", departs_at=local("08:00", 28), arrives_at=local("10:00", 28)),
        ),
    ),
    place(CLINIC, usual_stay=24 * 60),
    place(BAR, usual_stay=120, hours=Hours(opens="17:00", closes="01:00")),
]


def scans(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """(place, direction, clock or time[, trip]) of one person, offsets as they come."""
    made = []
    for offset, (at_place, direction, when, *more) in enumerate(rows):
        trip = more[0] if more else None
        moment = local(when) if isinstance(when, str) else when
        made.append((7, at_place, moment, direction, 0, offset, trip))
    return pl.DataFrame(made, schema=dict(SCANS), orient="row")


def of(*rows: tuple[Any, ...], parameters: Parameters = PARAMETERS, **more: Any) -> list[Any]:
    """(place, start, end, start provenance, end provenance) of each stay, local HH:MM[:SS]."""
    found = stays(scans(*rows), ground_at(PLACES, parameters), **more)
    return [
        (row["place"], clock(row["start"]), clock(row["end"]), row["start_provenance"],
         row["end_provenance"])
        for row in found.iter_rows(named=True)
    ]  # fmt: skip


def clock(moment: datetime) -> str:
    here = moment + timedelta(hours=7)
    return f"{here:%H:%M:%S}" if here.second else f"{here:%H:%M}"


def test_scan_out_ends_a_stay() -> None:
    assert of((MARKET, "in", "08:00"), (MARKET, "out", "11:00")) == [
        (MARKET, "08:00", "11:00", "scan_in", "scan_out")
    ]


def test_who_came_and_went_within_a_minute_was_not_there_before_or_after() -> None:
    """Typed in from a paper list."""
    both = (MARKET, "in", "10:00"), (MARKET, "out", "10:00")
    assert of(*both) == [(MARKET, "10:00", "10:00", "scan_in", "scan_out")]
    # who had come before went out, and came back
    back = of((MARKET, "in", "09:00"), *both, (MARKET, "out", "11:00"))
    assert back == [(MARKET, "09:00", "11:00", "scan_in", "scan_out")]
    # and where they came to in that minute they stayed, whichever place has the lower number
    for gone_from, other in ((MARKET, OFFICE), (OFFICE, MARKET)):
        went = (gone_from, "in", "10:00"), (gone_from, "out", "10:00")
        came = (other, "in", "10:00"), (other, "out", "11:00")
        assert (other, "10:00", "11:00", "scan_in", "scan_out") in of(*went, *came)
    # but not who had gone, or had come the day before
    gone = (MARKET, "in", "08:00"), (MARKET, "out", "09:00")
    assert of(*gone, *both)[1:] == [(MARKET, "10:00", "10:00", "scan_in", "scan_out")]
    yesterday = of((MARKET, "in", local("10:00") - timedelta(days=1)), *both)
    assert yesterday[-1] == (MARKET, "10:00", "10:00", "scan_in", "scan_out")


def test_scan_out_counts_up_to_the_longest_stay() -> None:
    day = local("06:00")
    longest = timedelta(minutes=PARAMETERS.max_stay_minutes)
    on_time = of((OFFICE, "in", day), (OFFICE, "out", day + longest))
    assert on_time == [(OFFICE, "06:00", "22:00", "scan_in", "scan_out")]
    late = of((OFFICE, "in", day), (OFFICE, "out", day + longest + timedelta(milliseconds=1)))
    assert [(s, e, p, q) for _, s, e, p, q in late] == [
        ("06:00", "10:00", "scan_in", "cap"),
        ("18:00", "22:00", "assumed", "scan_out"),
    ]


def test_a_ride_may_be_longer_than_any_other_stay() -> None:
    boards, leaves = local("07:30", 28), local("17:50")
    on, off = (COACH, "in", boards, "NS-1"), (COACH, "out", leaves)
    assert of(on) == [(COACH, "07:30", "18:00", "scan_in", "trip_end")]
    whole = [(COACH, "07:30", "17:50", "scan_in", "scan_out")]
    assert of(on, off) == whole
    stop = local("14:00", 28)
    assert of(on, (COACH, "in", stop, "NS-1"), off) == whole, "the coach stopped on its way"
    other = of(on, (COACH, "in", stop, "NS-2"), off)
    assert [stay[1:3] for stay in other] == [("07:30", "08:15"), ("14:00", "17:50")]
    unknown = of((COACH, "in", boards, "NS-9"), (COACH, "in", stop, "NS-9"), off)
    assert unknown == other, "a trip that nobody registered says nothing"
    short = of((COACH, "in", boards, "HP-1"), off)
    assert [stay[1:3] for stay in short] == [("07:30", "10:00"), ("17:05", "17:50")]
    before = of(on, off, parameters=load_parameters("stays-2026-11-26-fading.toml"))
    assert [stay[1:3] for stay in before] == [("07:30", "08:15"), ("17:05", "17:50")]


def test_where_the_usual_stay_is_long_stays_are() -> None:
    came = local("09:00", 28)
    assert of((CLINIC, "in", came)) == [(CLINIC, "09:00", "09:00", "scan_in", "usual_stay")]
    [(_, _, end, _, how)] = of((CLINIC, "in", came), (CLINIC, "out", local("08:45")))
    assert (end, how) == ("08:45", "scan_out")
    [(*_, first), (*_, second)] = of((CLINIC, "in", came), (CLINIC, "out", local("09:01", 30)))
    assert (first, second) == ("usual_stay", "scan_out"), "of two days it makes two"


def test_how_long_a_stay_can_be_is_its_places() -> None:
    ground = ground_at(PLACES, PARAMETERS)
    hours = ground.of(pl.Series([OFFICE, BUS, COACH, CLINIC, 999], dtype=pl.UInt32), "longest")
    assert [ms / 3_600_000 for ms in hours["longest"]] == [16, 16, 42, 24, 16]
    assert ground.longest == 42 * 3_600_000, "34 on the way, and 4 at both ends"
    month = Trip(id="t", departs_at=local("08:00", 1), arrives_at=local("08:00", 29))
    far = ground_at([place(COACH, trips=(month,))], PARAMETERS)
    assert far.longest == PARAMETERS.longest_minutes * 60_000 == 72 * 3_600_000


def test_over_midnight_is_one_stay() -> None:
    found = of((OFFICE, "in", local("22:00")), (OFFICE, "out", local("06:00", 30)))
    assert found == [(OFFICE, "22:00", "06:00", "scan_in", "scan_out")]


def test_what_they_answered_comes_before_the_next_scan() -> None:
    answers = pl.DataFrame(
        {"person": [7], "place": [MARKET], "start": [local("08:00")], "end": [local("08:20")]}
    )
    rows = (MARKET, "in", "08:00"), (OFFICE, "in", "09:00")
    assert of(*rows, answers=answers)[0][2:] == ("08:20", "scan_in", "answered")
    late = answers.with_columns(end=pl.lit(local("09:01")))
    assert of(*rows, answers=late)[0][2:] == ("09:00", "scan_in", "next_elsewhere")


def test_an_answer_need_not_begin_to_the_minute() -> None:
    def answered(start: str, end: str) -> tuple[Any, ...]:
        rows = {"person": [7], "place": [MARKET], "start": [local(start)], "end": [local(end)]}
        _, *found = of((MARKET, "in", "08:12"), answers=pl.DataFrame(rows))[0]
        return tuple(found)

    assert answered("08:13", "10:30") == ("08:12", "10:30", "scan_in", "answered")
    assert answered("09:12", "10:30") == ("08:12", "10:30", "scan_in", "answered")
    assert answered("09:13", "10:30") == ("08:12", "09:12", "scan_in", "usual_stay")
    two = pl.DataFrame(
        {"person": [7, 7], "place": [MARKET] * 2, "start": [local("08:00"), local("08:50")],
         "end": [local("08:20"), local("10:00")]}
    )  # fmt: skip
    assert of((MARKET, "in", "08:10"), answers=two)[0][2] == "08:20", "what covers it comes first"
    earlier = two.with_columns(end=pl.Series([local("08:05"), local("10:00")]))
    assert of((MARKET, "in", "08:10"), answers=earlier)[0][2] == "10:00"


def test_who_comes_again_after_closing_had_gone_home() -> None:
    """The market closes at 17:00; its usual stay is an hour."""
    night = of(
        (MARKET, "in", "16:30"), (MARKET, "in", local("06:00", 30)),
        (MARKET, "out", local("06:40", 30)),
    )  # fmt: skip
    assert night == [
        (MARKET, "16:30", "17:00", "scan_in", "closing_time"),
        (MARKET, "06:00", "06:40", "scan_in", "scan_out"),
    ]
    late = of((BAR, "in", "23:00"), (BAR, "out", local("06:00", 30)))
    assert late[0][2:] == ("06:00", "scan_in", "scan_out"), "they said so themselves"


def test_who_comes_again_long_after_had_gone() -> None:
    """By more than one and a half usual stays, counted from the last time they came."""
    day = of((MARKET, "in", "08:00"), (MARKET, "in", "15:00"), (MARKET, "out", "15:40"))
    assert day == [
        (MARKET, "08:00", "09:00", "scan_in", "usual_stay"),
        (MARKET, "15:00", "15:40", "scan_in", "scan_out"),
    ]
    soon = of((MARKET, "in", "08:00"), (MARKET, "in", "09:30"), (MARKET, "out", "15:40"))
    assert soon == [(MARKET, "08:00", "15:40", "scan_in", "scan_out")]
    seen = of(
        (MARKET, "in", "08:00"), (MARKET, "pass", "09:20"), (MARKET, "in", "10:40"),
        (MARKET, "out", "11:00"),
    )  # fmt: skip
    assert seen == [(MARKET, "08:00", "11:00", "scan_in", "scan_out")], "a pass shows them there"
    answers = pl.DataFrame(
        {"person": [7], "place": [MARKET], "start": [local("08:00")], "end": [local("15:01")]}
    )
    rows = (MARKET, "in", "08:00"), (MARKET, "in", "15:00"), (MARKET, "out", "15:40")
    assert of(*rows, answers=answers)[0][2:] == ("09:00", "scan_in", "usual_stay")


def test_a_place_that_opens_when_it_closes_never_closes() -> None:
    always = place(60, usual_stay=60, hours=Hours(opens="00:00", closes="00:00"))
    found = stays(scans((60, "in", "23:30")), ground_at([always], PARAMETERS))
    assert (clock(found["end"][0]), found["end_provenance"][0]) == ("00:30", "usual_stay")


def test_next_scan_elsewhere_within_one_and_a_half_usual_stays() -> None:
    near = of((MARKET, "in", "08:00"), (OFFICE, "in", "09:30"))
    assert near[0] == (MARKET, "08:00", "09:30", "scan_in", "next_elsewhere")
    far = of((MARKET, "in", "08:00"), (OFFICE, "in", "09:30:01"))
    assert far[0] == (MARKET, "08:00", "09:00", "scan_in", "usual_stay")


def test_next_scan_elsewhere_within_the_cap_where_no_usual_stay_is_known() -> None:
    near = of((OFFICE, "in", "08:00"), (MARKET, "pass", "12:00"))
    assert near[1] == (OFFICE, "08:00", "12:00", "scan_in", "next_elsewhere")
    far = of((OFFICE, "in", "08:00"), (MARKET, "pass", "12:01"))
    assert far[1] == (OFFICE, "08:00", "12:00", "scan_in", "cap")


def test_a_scan_out_after_a_scan_elsewhere_contradicts_it() -> None:
    lunch = of(
        (OFFICE, "in", "08:00"), (MARKET, "in", "11:45"), (MARKET, "out", "12:30"),
        (OFFICE, "out", "16:00"),
    )  # fmt: skip
    assert lunch == [
        (MARKET, "11:45", "12:30", "scan_in", "scan_out"),
        (OFFICE, "08:00", "11:45", "scan_in", "next_elsewhere"),
        (OFFICE, "12:30", "16:00", "assumed", "scan_out"),
    ]


def test_the_end_of_the_trip() -> None:
    assert of((BUS, "in", "08:05", "HP-07")) == [(BUS, "08:05", "10:30", "scan_in", "trip_end")]
    assert of((BUS, "in", "08:05", "HP-08"))[0][2:] == ("12:05", "scan_in", "cap")
    assert of((BUS, "in", "10:30", "HP-07"))[0][2:] == ("14:30", "scan_in", "cap")
    assert of((MARKET, "in", "08:05", "HP-07"))[0][4] == "usual_stay"


def test_closing_time_within_the_same_bound() -> None:
    assert of((MARKET, "in", "15:30"))[0][2:] == ("17:00", "scan_in", "closing_time")
    assert of((MARKET, "in", "15:29"))[0][2:] == ("16:29", "scan_in", "usual_stay")
    assert of((MARKET, "in", "17:00"))[0][2:] == ("18:00", "scan_in", "usual_stay")


def test_closing_time_after_midnight() -> None:
    assert of((BAR, "in", "23:30"))[0][2:] == ("01:00", "scan_in", "closing_time")
    found = of((BAR, "in", local("00:40", 30)))
    assert found == [(BAR, "00:40", "01:00", "scan_in", "closing_time")]


def test_usual_stay_and_cap() -> None:
    assert of((MARKET, "in", "08:00"))[0][2:] == ("09:00", "scan_in", "usual_stay")
    assert of((OFFICE, "in", "08:00"))[0][2:] == ("12:00", "scan_in", "cap")
    assert of((99, "in", "08:00"))[0][2:] == ("12:00", "scan_in", "cap")  # an unknown place


def test_double_taps_are_one_scan() -> None:
    found = of(
        (MARKET, "in", "08:00"), (MARKET, "in", "08:01:30"), (MARKET, "in", "08:03:30"),
        (MARKET, "out", "08:30"), (MARKET, "out", "08:31"),
    )  # fmt: skip
    assert found == [(MARKET, "08:00", "08:30", "scan_in", "scan_out")]


def test_out_and_in_again_within_two_minutes_is_no_double_tap() -> None:
    found = of(
        (MARKET, "in", "08:00"), (MARKET, "out", "08:00:30"), (MARKET, "in", "08:01"),
        (MARKET, "out", "08:40"),
    )  # fmt: skip
    assert [row[1:3] for row in found] == [("08:00", "08:00:30"), ("08:01", "08:40")]


def test_a_second_in_joins_an_open_stay_and_prolongs_it() -> None:
    assert of((MARKET, "in", "08:00"), (MARKET, "in", "08:50")) == [
        (MARKET, "08:00", "09:50", "scan_in", "usual_stay")
    ]


def test_a_second_in_after_the_end_opens_a_new_stay() -> None:
    found = of((MARKET, "in", "08:00"), (MARKET, "in", "09:01"))
    assert [row[1:3] for row in found] == [("08:00", "09:00"), ("09:01", "10:01")]


def test_a_pass_opens_a_stay_if_none_is_open_and_closes_none() -> None:
    assert of((MARKET, "pass", "08:00")) == [
        (MARKET, "08:00", "09:00", "scan_pass", "usual_stay")
    ]  # fmt: skip
    inside = of((MARKET, "in", "08:00"), (MARKET, "pass", "08:50"))
    assert inside == [(MARKET, "08:00", "09:00", "scan_in", "usual_stay")]
    twice = of((MARKET, "pass", "08:00"), (MARKET, "pass", "08:50"), (MARKET, "pass", "09:10"))
    assert [row[1:3] for row in twice] == [("08:00", "09:00"), ("09:10", "10:10")]
    left = of((MARKET, "pass", "08:00"), (MARKET, "out", "10:00"))
    assert left == [(MARKET, "08:00", "10:00", "scan_pass", "scan_out")]


def test_an_out_alone_assumes_the_usual_stay_before_it() -> None:
    assert of((MARKET, "out", "11:00")) == [(MARKET, "10:00", "11:00", "assumed", "scan_out")]
    assert of((OFFICE, "out", "11:00"))[0][1] == "07:00"
    found = of((OFFICE, "in", "10:00"), (OFFICE, "out", "10:40"), (MARKET, "out", "11:00"))
    assert found[0] == (MARKET, "10:40", "11:00", "assumed", "scan_out")


def test_a_scan_that_is_there_twice_counts_once_at_its_lowest_offset() -> None:
    rows = scans(*2 * [(MARKET, "in", "08:00")], *2 * [(MARKET, "out", "08:30")])
    exact = PARAMETERS.model_copy(update={"double_tap_seconds": 0})
    for parameters in (PARAMETERS, exact):
        found = stays(rows.reverse(), ground_at(PLACES, parameters))
        assert found.select("opening_offset", "closing_offset").rows() == [(0, 2)]


def test_evidence_and_confidence() -> None:
    rows = scans((MARKET, "in", "08:00"), (OFFICE, "pass", "08:40"), (OFFICE, "out", "09:00"))
    found = stays(rows, ground_at(PLACES, PARAMETERS))
    evidence = found.select("opening_offset", "closing_offset", "confidence").rows()
    sure = PARAMETERS.end_confidence["next_elsewhere"]
    assert evidence == [(0, 1, sure), (1, 2, PARAMETERS.start_confidence["scan_pass"])]
    alone = stays(scans((MARKET, "out", "08:00")), ground_at(PLACES, PARAMETERS))
    assumed = PARAMETERS.start_confidence["assumed"]
    assert alone.select("opening_offset", "closing_offset", "confidence").rows() == [
        (None, 0, assumed)
    ]
    assert found.schema == STAYS


def test_entered_and_seen_elsewhere_in_the_same_millisecond_has_no_length() -> None:
    found = of((MARKET, "in", "08:00"), (OFFICE, "in", "08:00"))
    assert found[0] == (MARKET, "08:00", "08:00", "scan_in", "next_elsewhere")


def test_nobody_scanned() -> None:
    found = stays(empty(SCANS), ground_at([], PARAMETERS))
    assert found.is_empty()
    assert found.schema == STAYS


def test_who_is_in_a_room_is_still_in_the_house() -> None:
    rows = (
        (HOUSE, "in", "08:00"), (ROOM, "in", "08:30"), (ROOM, "out", "09:00"),
        (FLOOR, "in", "09:10"), (HOUSE, "out", "10:00"),
    )  # fmt: skip
    assert of(*rows) == [
        (HOUSE, "08:00", "10:00", "scan_in", "scan_out"),
        (FLOOR, "09:10", "10:00", "scan_in", "next_elsewhere"),
        (ROOM, "08:30", "09:00", "scan_in", "scan_out"),
    ]


def test_leaving_the_house_for_elsewhere_ends_what_is_open_inside() -> None:
    rows = ((FLOOR, "in", "08:00"), (ROOM, "in", "08:10"), (MARKET, "in", "08:30"))
    assert of(*rows)[1:] == [
        (FLOOR, "08:00", "08:30", "scan_in", "next_elsewhere"),
        (ROOM, "08:10", "08:30", "scan_in", "next_elsewhere"),
    ]


def test_a_stay_in_the_house_goes_on_while_a_room_shows_it() -> None:
    """Four hours are assumed in the house, half an hour in the room."""
    rows = (HOUSE, "in", "08:00"), (ROOM, "in", "13:00"), (ROOM, "out", "14:00")
    assert of(*rows)[0] == (HOUSE, "08:00", "14:00", "scan_in", "scan_out")
    assert of(*rows[:2])[0] == (HOUSE, "08:00", "13:30", "scan_in", "usual_stay")
    only_out = (HOUSE, "in", "08:00"), (ROOM, "out", "14:00")
    assert of(*only_out)[0] == (HOUSE, "08:00", "14:00", "scan_in", "scan_out")
    left = (*rows[:1], (MARKET, "in", "12:30"), *rows[1:])
    assert of(*left)[1] == (HOUSE, "08:00", "12:00", "scan_in", "cap"), "they had gone elsewhere"
    again = (*rows[:1], (HOUSE, "in", "12:50"), *rows[1:])
    assert [stay[1:3] for stay in of(*again) if stay[0] == HOUSE] == [
        ("08:00", "12:00"), ("12:50", "16:50"),
    ]  # fmt: skip
    passed = (*rows[:1], (HOUSE, "pass", "09:00"), *rows[1:])
    assert of(*passed)[0] == (HOUSE, "08:00", "14:00", "scan_in", "scan_out"), "it opens nothing"
    assert [stay[0] for stay in of(*rows[1:])] == [ROOM], "who scans into the room alone"
    longest = (HOUSE, "in", local("21:00", 28)), (ROOM, "in", "12:45")
    assert of(*longest)[0][2] == "01:00", "no interval is longer than the longest stay"


def test_an_assumed_entry_to_the_house_may_be_before_the_room() -> None:
    rows = ((OFFICE, "out", "08:00"), (ROOM, "in", "09:00"), (HOUSE, "out", "10:00"))
    assert of(*rows)[1:] == [
        (HOUSE, "08:00", "10:00", "assumed", "scan_out"),
        (ROOM, "09:00", "09:30", "scan_in", "usual_stay"),
    ]


def test_a_frame_without_a_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"scans: column 'kafka_offset' is missing"):
        stays(empty(SCANS).drop("kafka_offset"), ground_at([], PARAMETERS))


@pytest.mark.parametrize("column", [column for column in SCANS if column != "trip"])
def test_a_scan_without_a_value_is_refused(column: str) -> None:
    whole = scans((OFFICE, "in", "08:00"), (OFFICE, "out", "09:00"))
    lacking = whole.with_columns(pl.when(pl.col("kafka_offset") == 0).then(column).alias(column))
    with pytest.raises(ValueError, match=f"scans: column '{column}' has rows without a value"):
        stays(lacking, ground_at([], PARAMETERS))


def test_parameters_are_a_record_that_json_keeps() -> None:
    assert Parameters.model_validate_json(PARAMETERS.model_dump_json()) == PARAMETERS
    assert (PARAMETERS.max_stay_minutes, PARAMETERS.cap_minutes) == (960, 240)


def test_parameters_that_stored_runs_name_are_still_there() -> None:
    files = [f.name for f in resources.files("tracer.data").iterdir() if f.name[:6] == "stays-"]
    assert {"stays-2026-11.toml", DEFAULT_FILE} <= set(files)
    for file in files:
        assert load_parameters(file).id == file.removesuffix(".toml")


def test_the_default_ends_stays_as_the_first_parameters_did() -> None:
    """What was fitted are confidences: who is proposed, and for how long, did not change."""
    what = {"id", "start_confidence", "end_confidence", "still_there", "bands"}
    what |= {"max_long_stay_minutes", "point_confidence"}
    first = load_parameters("stays-2026-11.toml")
    assert PARAMETERS.model_dump(exclude=what) == first.model_dump(exclude=what)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("value = 960", "value = 'long'", "max_stay_minutes"),
        ("value = 240", "", "cap_minutes.value"),
        ("value = 960", "value = 100", "cap_minutes must not exceed"),
        ("value = 4320", "value = 959", "max_long_stay_minutes must not be less"),
        ('basis = "Assumption: a double shift.', 'basics = "', "max_stay_minutes.basis"),
        ("cap = 0.901", "", "end_confidence"),
        ("assumed = 0.985", "assumed = 1.4", "start_confidence.assumed"),
        ("0.995, 0.705", "0.995, 0.996", "still_there.cap: must not rise"),
        ("trip_end = [0.96", "scan_out = [0.96", "still_there: scan_out is not an end"),
    ],
)
def test_a_wrong_parameter_file_names_file_and_field(before: str, after: str, message: str) -> None:
    text = resources.files("tracer.data").joinpath(DEFAULT_FILE).read_text("utf-8")
    assert before in text
    with pytest.raises(ValueError, match=rf"x\.toml: .*{message}"):
        parse_parameters(text.replace(before, after), "x.toml")


def test_a_stay_of_the_case_that_is_too_long_to_be_believed_is_said() -> None:
    def notes(*rows: tuple[Any, ...]) -> list[str]:
        found = long_stays(scans(*rows), ground_at(PLACES, PARAMETERS))
        assert all("mốc dịch tễ" in note.vi for note in found)
        return [note.en for note in found]

    came, out = (OFFICE, "in", local("09:00", 26)), (OFFICE, "out", local("10:00", 29))
    [said] = notes(came, out)
    assert said.startswith(
        "Place 2: the case came at 26/11/2021 09:00 and left at 29/11/2021 10:00"
    )
    assert notes(came, (MARKET, "pass", "09:00"), out) == [], "they were elsewhere"
    assert notes((OFFICE, "in", "08:00"), (OFFICE, "out", "17:00")) == []
    assert notes(came, (OFFICE, "in", "08:00"), out) == [], "that of the scan in before it is short"
    assert len(notes(came, (OFFICE, "pass", "08:00"), out)) == 1
    assert notes((COACH, "in", local("07:30", 28), "NS-1"), (COACH, "out", local("17:50"))) == []
    assert notes((BUS, "in", "08:05", "HP-07")) == []
    before = ground_at(PLACES, load_parameters("stays-2026-11-26-fading.toml"))
    [note] = long_stays(scans((COACH, "in", local("07:30", 28), "NS-1")), before)
    assert "28/11/2021 07:30 and left at 29/11/2021 18:00" in note.en, "then it was too long"


@pytest.mark.parametrize("rooms", [(HOUSE, ROOM), (ROOM, HOUSE)], ids=["house", "room"])
def test_who_leaves_room_and_house_in_one_minute_was_in_both_until_then(
    rooms: tuple[int, int],
) -> None:
    """Typed to the minute, in whatever order: nobody is in a room of a house they have left."""
    rows = [(at, way, when) for way, when in (("in", "08:00"), ("out", "12:00")) for at in rooms]
    scanned = ("scan_in", "scan_out")
    assert of(*rows) == [
        (HOUSE, "08:00", "12:00", *scanned),
        (ROOM, "08:00", "12:00", *scanned),
    ]


def test_who_scans_elsewhere_before_the_coach_would_arrive_rode_until_then() -> None:
    """It came early, or they changed on the way: that is later than a usual stay on board."""
    early = of((COACH, "in", "07:30", "NS-1"), (MARKET, "in", "16:00"))
    assert early[-1] == (COACH, "07:30", "16:00", "scan_in", "next_elsewhere")
    late = of((COACH, "in", "07:30", "NS-1"), (MARKET, "in", "18:05"))
    assert late[-1] == (COACH, "07:30", "18:00", "scan_in", "trip_end")
    unnamed = of((COACH, "in", "07:30"), (MARKET, "in", "16:00"))
    assert unnamed[-1] == (COACH, "07:30", "08:15", "scan_in", "usual_stay")
