"""Many records read at once are the same as each read by itself, as pydantic reads it."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from console.store.ground import ground
from console.store.register import NewPlace, NewSite, register_sites
from issuer.codes import issue, read
from schemas.places import Code, Hours, Place, Producer, Trip, place_key
from streams.changed import Changed
from streams.directory import Directory
from streams.place_records import ALWAYS, NEVER
from tests.console_kit import RING, WARD, migrated
from tracer.columns import instants, milliseconds
from tracer.frames import PLACES
from tracer.parameters import load_parameters
from tracer.places import places_frame, trips_frame
from tracer.struck import Revoked

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
DAY = timedelta(days=1)
KINDS = ("market", "office", "bus")


def made_up(pick: random.Random, number: int, version: int) -> Place:
    """A place with up to four code versions, in any state."""

    def moment() -> datetime | None:
        return NOW + timedelta(minutes=pick.randint(-9999, 9999)) if pick.random() < 0.5 else None

    codes = tuple(
        Code(
            version=v,
            token=issue(RING, number, v),
            valid_from=moment(),
            valid_to=moment(),
            revoked_at=moment(),
        )
        for v in range(1, pick.randint(0, 3) + version)
    )
    trips = tuple(
        Trip(id=f"t{n}", departs_at=NOW, arrives_at=NOW + timedelta(hours=n))
        for n in range(pick.choice((0, 0, 0, 2)))
    )
    hours = Hours(opens="06:30", closes=f"{pick.randint(0, 23):02}:00")
    return Place(
        id=number,
        site=pick.randint(1, 2**32 - 1),
        version=version,
        name="Phòng «họp»\n1",
        kind=pick.choice(KINDS),
        ward=pick.choice(("11413", "11407")),
        sector="health",
        hours=pick.choice((None, hours)),
        enclosed=pick.random() < 0.5,
        small=pick.random() < 0.5,
        gate=pick.random() < 0.5,
        usual_stay=pick.choice((None, 1, 1440)),
        within=pick.choice((None, 3)),
        codes=codes,
        trips=trips,
    )


def known_by_hand(records: list[Place]) -> dict[int, Place]:
    """Of each place the first record of its highest version."""
    best: dict[int, Place] = {}
    for record in records:
        if record.id not in best or record.version > best[record.id].version:
            best[record.id] = record
    return best


def ms(moment: datetime | None, otherwise: int) -> int:
    return otherwise if moment is None else round(moment.timestamp() * 1000)


@pytest.mark.parametrize("seed", range(6))
def test_batches_of_any_size_give_what_the_records_say(seed: int) -> None:
    pick = random.Random(seed)
    directory = Directory(RING)
    records: list[Place] = []
    versions: dict[int, int] = {}
    for _ in range(pick.choice((1, 3, 9))):
        batch = []
        for _ in range(pick.choice((1, 7, 400))):
            number = pick.randint(1, 300)
            # versions rise; now and then an older record comes again
            versions[number] = versions.get(number, 0) + 1
            version = max(1, versions[number] - pick.choice((0, 0, 0, 1)))
            batch.append(made_up(pick, number, version))
        records += batch
        pairs = [(place_key(p.id), p.model_dump_json(exclude_none=True).encode()) for p in batch]
        assert directory.put_site_records([("site/1", b"{}"), *pairs, ("place/7", None)]) == []
        agree(directory, known_by_hand(records))


def agree(directory: Directory, best: dict[int, Place]) -> None:
    known = list(best.values())
    frame = directory.places.frame().sort("place")
    assert frame.equals(places_frame(known).sort("place"))
    order = ["place", "trip"]
    assert directory.places.trips().sort(order).equals(trips_frame(known).sort(order))
    codes = [(place, code) for place in known for code in place.codes]
    places = np.array([place.id for place, _ in codes], np.uint32)
    found = directory.find(places, np.array([code.version for _, code in codes], np.int32))
    assert found.known.all()
    assert found["mac"].tolist() == [read(code.token).mac for _, code in codes]
    assert found["valid_from"].tolist() == [ms(code.valid_from, ALWAYS) for _, code in codes]
    assert found["valid_to"].tolist() == [ms(code.valid_to, NEVER) for _, code in codes]
    assert found["revoked_at"].tolist() == [ms(code.revoked_at, NEVER) for _, code in codes]
    put_producer(directory, Producer(id="here", name="x", wards=("11413",)))
    allowed = directory.allowed()
    here = np.repeat(allowed.numbers(("here",)), len(codes))
    barred = allowed.barred(here, places, found["ward"])
    assert barred.tolist() == [place.ward != "11413" for place, _ in codes]


def put_producer(directory: Directory, producer: Producer) -> None:
    directory.put_producer(producer.id, producer.model_dump_json().encode())


GOOD = made_up(random.Random(1), 9, 2)


def changed(**changes: Any) -> bytes:
    return GOOD.model_copy(update=changes).model_dump_json().encode()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "one line"),
        (b"{}", "id is missing"),
        (b"[]", ""),
        (b"7", ""),
        (b'{"id": 1', ""),
        (b'{"id": 1}\n{"id": 2}', "one line"),
        (b'{"id": 1}{"id": 2}', "one JSON object"),
        (b"\xff\xfe", ""),
        (b'{"id": "9", "site": 1, "kind": "a", "ward": "b"}', ""),
        (changed(id=0), "id is not"),
        (changed(id=2**30), "id is not"),
        (changed(version=0), "version is not"),
        (changed(kind=None), "kind is missing"),
        (changed(usual_stay=9999), "usual_stay is not"),
        (changed(hours=Hours.model_construct(opens="06:00", closes="24:00")), "HH:MM"),
        (changed(hours=Hours.model_construct(opens="06:00", closes=None)), "go together"),
        (changed(codes=(Code.model_construct(version=1, token="X" * 18),)), "none of ours"),
        (changed(codes=(Code.model_construct(version=1, token=None),)), "none of ours"),
        (b'{"id": 1, "site": 1, "kind": "a", "ward": "b", "sector": "c", "codes": [null]}', "null"),
        (
            b'{"id":1,"site":1,"kind":"a","ward":"b","sector":"c","codes":[{"token":"%s","valid_from":"soon"}]}'
            % issue(RING, 1, 1).encode(),
            "valid_from is exactly",
        ),
        (
            b'{"id": 1, "site": 1, "kind": "a", "ward": "b", "sector": "c", "trips": [{"id": "t"}]}',
            "a trip has",
        ),
    ],
)
def test_a_record_that_makes_no_sense_costs_its_neighbours_nothing(value: bytes, said: str) -> None:
    directory = Directory(RING)
    pairs = [("place/9", changed()), ("place/1", value), ("place/8", changed(id=8, codes=()))]
    [(key, why)] = directory.put_site_records(pairs)
    assert key == "place/1"
    assert said in why
    agree(directory, {9: GOOD, 8: GOOD.model_copy(update={"id": 8, "codes": ()})})


def test_the_console_stands_on_the_same_ground_as_a_worker(tmp_path: Path) -> None:
    pick = random.Random(3)
    spots = tuple(new_place(made_up(pick, n, 1)) for n in range(1, 60))
    _, store = migrated(tmp_path)
    site = NewSite("Bến xe", "bus_station", WARD, "transport", "s", places=spots)
    known = register_sites(store, RING, [site], source="test")
    parameters = load_parameters()
    directory = Directory(RING)
    directory.put_site_records((place_key(p.id), p.model_dump_json().encode()) for p in known)
    asked = pl.Series([p.id for p in known] + [2**30 - 1], dtype=pl.UInt32)
    ours, theirs = ground(store, parameters).at(asked), directory.ground(parameters)
    columns = [*PLACES, "longest", "reach", "bound", "ridden"]
    assert ours.of(asked, *columns).equals(theirs.of(asked, *columns))
    trips = trips_frame(known)
    boarded = trips["place"].to_numpy(), instants(trips["departs_at"]), trips["trip"]
    arrivals = ours.rides(*boarded).arrival.tolist()
    assert arrivals == instants(trips["arrives_at"]).tolist()
    assert arrivals == theirs.rides(*boarded).arrival.tolist()
    assert str(ours.levels) == str(theirs.levels)


def new_place(place: Place) -> NewPlace:
    named = ("name", "kind", "hours", "enclosed", "small", "gate", "usual_stay", "trips")
    return NewPlace(external_key=str(place.id), **{name: getattr(place, name) for name in named})


def test_a_place_without_trips_any_more_has_none() -> None:
    directory = Directory(RING)
    trips = (Trip(id="t", departs_at=NOW, arrives_at=NOW),)
    for version, some in ((2, trips), (3, ())):
        record = GOOD.model_copy(update={"version": version, "trips": some})
        directory.put_site_records([("place/9", record.model_dump_json().encode())])
        agree(directory, {9: record})


def test_who_is_told_hears_of_what_traces_depend_on_and_of_nothing_else() -> None:
    directory = Directory(RING)
    told: list[list[int]] = []
    directory.told = lambda changed: told.append(changed.place.tolist())
    ward = GOOD.model_copy(update={"within": 8, "codes": ()})
    building = GOOD.model_copy(update={"id": 8, "codes": (), "within": None})

    def heard(*records: Place) -> list[list[int]]:
        told.clear()
        pairs = [(place_key(one.id), one.model_dump_json().encode()) for one in records]
        assert directory.put_site_records(pairs) == []
        return [*told]

    def changed(version: int, **fields: Any) -> Place:
        return ward.model_copy(update={"version": 100 + version} | fields)

    assert heard(ward, building) == [], "new places: nobody was there"
    assert heard(changed(2, name="x", ward="11296", codes=GOOD.codes)) == []
    assert heard(changed(3, usual_stay=700)) == [[8, 9]], "who was in the room was in the building"
    trip = Trip(id="t", departs_at=NOW, arrives_at=NOW)
    assert heard(changed(4, usual_stay=700, trips=(trip,))) == [[8, 9]]
    assert heard(changed(5, usual_stay=700, trips=(trip,))) == []
    assert heard(changed(6, usual_stay=700)) == [[8, 9]]
    assert heard(changed(7, usual_stay=700, within=None)) == [[8, 9]], "it was in it"
    assert heard(changed(8, usual_stay=60)) == [[8, 9]]
    [code, *_] = GOOD.codes
    now = code.model_copy(update={"revoked_at": NOW, "revoked_reason": "lost"})
    since = now.model_copy(update={"taken_back_at": NOW + timedelta(hours=1)})
    assert heard(changed(9, usual_stay=60, codes=(now,))) == [], "earlier scans stay"
    assert heard(changed(10, usual_stay=60, codes=(since,))) == [[8, 9]]
    at = int(NOW.timestamp() * 1000)
    assert directory.places.revoked() == [Revoked(9, code.version, at, at + 3_600_000)]
    assert heard(changed(11, usual_stay=60, codes=(since,))) == []
    assert heard(changed(7, usual_stay=61)) == [], "an older record"


def test_a_timetable_concerns_the_time_of_what_is_other_in_it() -> None:
    directory = Directory(RING)
    told: list[Changed] = []
    directory.told = told.append
    trips = [
        Trip(id=f"t{day}", departs_at=NOW + day * DAY, arrives_at=NOW + (day + 0.1) * DAY)
        for day in range(-20, 3)
    ]

    def plan(version: int, some: Sequence[Trip], **more: Any) -> list[list[tuple[int, int]]]:
        told.clear()
        bus = GOOD.model_copy(update={"version": 100 + version, "trips": tuple(some)} | more)
        directory.put_site_records([(place_key(9), bus.model_dump_json().encode())])
        return [list(zip(c.begin.tolist(), c.end.tolist(), strict=True)) for c in told]

    at = [milliseconds(moment) for moment in (NOW + DAY, NOW + 2.1 * DAY)]
    assert plan(1, trips[:-2]) == []
    assert plan(2, trips) == [[(at[0], at[1])]], "tomorrow's and the day after's are new"
    late = trips[-1].model_copy(update={"arrives_at": NOW + 3 * DAY})
    assert plan(3, [*trips[:-1], late]) == [[(milliseconds(NOW + 2 * DAY), at[1] + 77_760_000)]]
    [[(begin, end)]] = plan(4, [*trips[:-1], late], usual_stay=7)
    assert (begin, end) == (ALWAYS, NEVER)


def test_what_producers_may_do_is_made_anew_when_it_changes_and_not_for_each_batch() -> None:
    directory = Directory(RING)

    def register(place: int, ward: str, version: int = 1) -> None:
        record = GOOD.model_copy(update={"id": place, "ward": ward, "version": version})
        directory.put_site_records([(place_key(place), record.model_dump_json().encode())])

    register(1, "11413")
    put_producer(directory, Producer(id="a", name="x", wards=("11296",)))
    before = directory.allowed()
    register(2, "11413")
    register(1, "11413", version=2)
    put_producer(directory, Producer(id="a", name="an older record"))
    assert directory.allowed() is before
    changes: tuple[Callable[[], None], ...] = (
        lambda: register(3, "11296"),  # a ward's first place
        lambda: put_producer(directory, Producer(id="a", name="x", version=2)),
        lambda: directory.put_producer("a", None),
    )
    for change in changes:
        change()
        after = directory.allowed()
        assert after is not before
        before = after
    assert before.numbers(("a",)).tolist() == before.numbers(("nobody",)).tolist()
