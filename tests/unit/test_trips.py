"""Trips of vehicles: bounded, corrected by name, with history, from a timetable and over HTTP."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from console.cli.main import main
from console.sitelist.sheet import read_rows
from console.store import history, outbox, sites
from console.store.engine import Store, utc_now
from console.store.keys import Role
from console.store.register import NewPlace, NewSite, register_sites
from console.triplist import read_timetable
from issuer.kinds import kinds, new_place, new_site, place_defaults
from issuer.trips import LONGEST, MOST_TRIPS, TripError, check_trip, trip_name, with_trips
from schemas.errors import UserError
from schemas.places import Place, Trip
from schemas.topics import SITES
from tests.console_kit import RING, WARD, migrated, running
from tracer.columns import NEVER
from tracer.parameters import load_parameters
from tracer.places import ground_at

NOW = datetime(2026, 11, 26, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLATES = ("15B-012.34", "15B-022.34")
NAMED = {"office", "meeting_room", "section", "market", "stall_row", "supermarket", "hospital",
         "department", "pharmacy", "school", "classroom", "factory", "line", "restaurant", "hotel",
         "worship", "bus_station", "bus", "taxi", "checkpoint", "dormitory", "event"}  # fmt: skip


def vehicle(kind: str = "bus") -> Place:
    return new_place(new_site(1, "bus_operator", "Hải Âu", WARD), 7, kind, f"Xe {PLATES[0]}")


def trip(hours: float, name: str = "", last: float = 1) -> Trip:
    departs = NOW + hours * HOUR
    return Trip(id=name or trip_name(departs), departs_at=departs, arrives_at=departs + last * HOUR)


def operator() -> NewSite:
    places = tuple(NewPlace(f"Xe {plate}", "bus", plate) for plate in PLATES)
    garage = NewPlace("Văn phòng", "office", "vp")
    return NewSite("Hải Âu", "bus_operator", WARD, "transport", "x", places=(*places, garage))


def test_every_kind_of_the_order_is_there_and_vehicles_are_those_that_run() -> None:
    assert set(kinds()) >= NAMED
    assert {kind for kind, about in kinds().items() if about.vehicle} == {"bus", "taxi"}
    assert place_defaults("bus").small.value == "always"


def test_a_trip_of_the_same_name_is_corrected_and_the_old_ones_go() -> None:
    bus = with_trips(vehicle(), [trip(1), trip(-700, "old"), trip(-2, "late")], cut_off=None)
    with pytest.raises(TripError, match="already a trip of 2026-10-28"):
        with_trips(bus, [trip(3, "old")], cut_off=None)
    again = with_trips(bus, [trip(3, "old")], cut_off=NOW - timedelta(days=22))
    assert [t.id for t in again.trips] == ["late", trip_name(NOW + HOUR), "old"], "it goes anyway"
    assert [t.id for t in bus.trips] == ["old", "late", trip_name(NOW + HOUR)]
    moved = trip(-1.5, "late")
    after = with_trips(bus, [moved], cut_off=NOW - timedelta(days=22))
    assert (after.version, after.trips) == (bus.version + 1, (moved, trip(1)))
    assert with_trips(after, [moved], ["nothing"], cut_off=None) is after
    assert with_trips(after, (), ["late"], cut_off=None).trips == (trip(1),)


def test_what_is_no_vehicle_and_too_many_trips_are_refused() -> None:
    with pytest.raises(TripError, match="no vehicle"):
        with_trips(vehicle("meeting_room"), [trip(1)], cut_off=None)
    many = [trip(n / 100, f"t{n}") for n in range(MOST_TRIPS + 1)]
    full = with_trips(vehicle(), many[:-1], cut_off=None)
    with pytest.raises(TripError, match="at most 1000"):
        with_trips(full, many[-1:], cut_off=None)
    assert len(full.model_dump_json()) < 200_000, "far below what a topic takes"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (trip(1, last=0), "before it departs"),
        (trip(1, last=LONGEST / HOUR + 1), "more than 64 hours"),
        (trip(24 * 63), "days ahead"),
        (trip(-24 * 30), "older than the retention"),
    ],
)
def test_times_that_cannot_be_are_refused(made: Trip, says: str) -> None:
    with pytest.raises(TripError, match=says):
        check_trip(made, NOW, NOW - timedelta(days=22))


def test_the_tracer_ends_a_stay_at_the_arrival_of_these_trips() -> None:
    bus = with_trips(vehicle(), [trip(1, "a"), trip(3, "b")], cut_off=None)
    ground = ground_at([bus], load_parameters())
    at = [int((NOW + hours * HOUR).timestamp() * 1000) for hours in (1, 3, -4, 7)]
    place = np.full(4, bus.id, np.uint32)
    rides = ground.rides(place, np.array(at), pl.Series(["a", "b", "a", "b"]))
    arrivals = [NOW + 2 * HOUR, NOW + 4 * HOUR, None, NOW + 4 * HOUR]
    assert rides.arrival.tolist() == [
        NEVER if one is None else int(one.timestamp() * 1000) for one in arrivals
    ]


def table_of(tmp_path: Path, text: str, name: str = "bieu-do.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


TIMETABLE = """BIỂU ĐỒ CHẠY XE
Biển số xe,Ngày,Giờ đi,Giờ đến,Mã chuyến
15B-012.34,27/11/2026,05:30,06h15,15B01234-261127-01
15b 012 34,27/11/2026,23:30,0:45,15B01234-261127-02
15B-022.34,2026-11-27,7:00,8:10,
8,27/11/2026,7:00,8:10,
15B-099.99,27/11/2026,7:00,8:10,
15B,27/11/2026,7:00,8:10,
15B-022.34,sáng mai,7:00,8:10,
15B-022.34,27/11/2026,sớm,8:10,
15B-022.34,27/11/2026,7:00,9:10,261127-0700
"""


def test_a_timetable_is_read_as_operators_write_it(tmp_path: Path) -> None:
    rows = read_rows(table_of(tmp_path, TIMETABLE))
    names = {f"Xe {PLATES[0]}": [7], f"Xe {PLATES[1]}": [8]}
    there = Trip(
        id="15B01234-261127-01",
        departs_at=datetime(2026, 11, 20, tzinfo=UTC),
        arrives_at=datetime(2026, 11, 20, 1, tzinfo=UTC),
    )
    moved = read_timetable(rows, names, lambda place: [there] * (place == 7), now=NOW, cut_off=None)
    assert moved.refused[0].row == 3
    assert "already a trip of 2026-11-20" in moved.refused[0].en
    table = read_timetable(rows, names, now=NOW, cut_off=None)
    first, night = table.trips[7]
    assert (first.id, first.departs_at) == (
        "15B01234-261127-01", datetime(2026, 11, 26, 22, 30, tzinfo=UTC),
    )  # fmt: skip
    assert night.arrives_at - night.departs_at == 1.25 * HOUR
    assert [t.id for t in table.trips[8]] == ["261127-0700", "261127-0700"], "the row twice"
    assert [(r.row, r.en) for r in table.refused] == [
        (7, "there is no vehicle '15B-099.99'"),
        (8, "'15B' can be 7, 8"),
        (9, "the day is not clear: 'sáng mai'"),
        (10, "the time is not clear: 'sớm'"),
        (11, "trip 261127-0700 is there already"),
    ]
    with pytest.raises(UserError, match="no heading"):
        read_timetable(rows[3:], names, now=NOW, cut_off=None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    _, made = migrated(tmp_path)
    register_sites(made, RING, [operator()], source="list")
    yield made
    made.close()


@pytest.fixture
def do(tmp_path: Path, store: Store) -> Callable[..., int]:
    def run(*arguments: str) -> int:
        return main(["--data-dir", str(tmp_path), "--lang", "en", "trips", *arguments])

    return run


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_timetable_is_imported_once_with_history_and_goes_out(
    do: Callable[..., int], store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    day = f"{utc_now() + timedelta(days=2):%d/%m/%Y}"
    text = "Xe,Ngày,Giờ đi,Giờ đến\n" + "".join(
        f"{plate},{day},{hour}:00,{hour}:40\n" for plate in PLATES for hour in range(5, 20)
    )
    file = table_of(tmp_path, text + "15B-099.99,x,y,z\n")
    assert do("import", str(file), "--json") == 0
    dry = told(capsys)
    assert (dry["trips"], dry["vehicles"], len(dry["refused"]), dry["applied"]) == (30, 2, 1, False)
    assert do("import", str(file), "--apply") == 1
    capsys.readouterr()
    outbox.mark_published(store, [row.id for row in outbox.pending(store, 100)], utc_now())
    importing = ("import", str(file), "--site", "1", "--apply", "--without-refused", "--json")
    assert do(*importing) == 0
    assert told(capsys)["changed"] == 2
    assert [(row.topic, row.key) for row in outbox.pending(store, 9)] == [
        (SITES.name, "place/1"), (SITES.name, "place/2"),
    ]  # fmt: skip
    assert do(*importing) == 0
    assert told(capsys)["changed"] == 0
    [step] = history.steps(store, "place", 1)
    assert (step.what, step.note, len(step.after)) == ("trips", "bieu-do.csv", 15)
    assert set(step.before.values()) == {None}


def test_trips_are_added_corrected_removed_and_listed(
    do: Callable[..., int], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = utc_now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    times = ("--departs", begin.isoformat(), "--arrives", (begin + HOUR).isoformat())
    assert do("add", "1", *times, "--trip", "T-1", "--json") == 0
    assert [t["id"] for t in told(capsys)["trips"]] == ["T-1"]
    later = ("--departs", begin.isoformat(), "--arrives", (begin + 2 * HOUR).isoformat())
    assert do("add", "1", *later, "--trip", "T-1", "--json") == 0
    found = sites.place(store, 1)
    assert found is not None
    assert [t.arrives_at for t in found.trips] == [begin + 2 * HOUR]
    assert do("list", "1") == 0
    assert "T-1" in capsys.readouterr().out
    for wrong in (
        ("add", "3", *times), ("add", "9", *times), ("remove", "1", "T-9"),
        ("add", "1", "--departs", times[3], "--arrives", times[1]),
        ("add", "1", *times, "--trip", "chuyến 1"),
    ):  # fmt: skip
        assert do(*wrong) != 0
        assert capsys.readouterr().err
    assert do("remove", "1", "T-1", "--json") == 0
    assert told(capsys)["trips"] == []
    assert [step.after for step in history.steps(store, "place", 1)][-1] == {"trip T-1": None}


def test_trips_over_http_in_the_area_only(tmp_path: Path) -> None:
    begin = utc_now() + timedelta(hours=3)
    one = trip(0, "T-1").model_copy(
        update={"departs_at": begin, "arrives_at": begin + HOUR}
    ).model_dump(mode="json")  # fmt: skip
    with running(tmp_path) as console:
        register_sites(console.store, RING, [operator()], source="list")
        officer = console.key(Role.OFFICER, f"ward/{WARD}")
        path = "/v1/places/1/trips"

        def post(headers: dict[str, str] = officer, to: str = path, **body: Any) -> Any:
            return console.client.post(to, json=body, headers=headers)

        first = post(trips=[one])
        assert (first.status_code, first.json()["trips"]) == (200, [one])
        assert post(trips=[one]).json() == first.json()
        assert post(trips=[one], version=1).status_code == 409
        assert console.client.get(path, headers=officer).json() == first.json()
        assert post(to="/v1/places/3/trips", trips=[one]).status_code == 409, "an office"
        wrong = post(trips=[one | {"arrives_at": one["departs_at"]}])
        assert wrong.json()["errors"][0]["field"] == "trips.0"
        stranger = console.key(Role.OFFICER, "city/01")
        assert post(stranger, trips=[one]).status_code == 404
        assert console.client.get(path, headers=stranger).status_code == 404
        assert post(remove=["T-1"]).json()["trips"] == []
        assert post(remove=["T-1"]).json()["trips"] == []
