"""Sites, places, codes and producers in the store, each change with its outbox row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import func, select

from console.store import outbox, sites, tables
from console.store.errors import NotFound
from console.store.ground import ground
from console.store.producers import list_producers, put_producer
from console.store.register import NewPlace, NewSite, register_sites
from issuer.codes import verify
from schemas.errors import UserError
from schemas.places import Hours, Place, Producer, Trip
from schemas.scan import Method
from schemas.topics import PRODUCERS, SITES
from tests.console_kit import RING, WARD, migrated, new_sites
from tracer.parameters import load_parameters

AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def test_registering_gives_dense_ids_signed_codes_and_one_outbox_row_each(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    told: list[int] = []
    made = register_sites(
        store, RING, new_sites(3, 2), source="list", valid_from=AT, on_progress=told.append
    )
    assert [place.id for place in made] == [1, 2, 3, 4, 5, 6]
    assert [place.site for place in made] == [1, 1, 2, 2, 3, 3]
    assert all(verify(RING, place.codes[0].token) for place in made)
    assert made[0].codes[0].valid_from == AT
    assert (made[0].ward, made[0].sector, made[0].enclosed) == (WARD, "health", True)
    assert told == [6]
    rows = outbox.pending(store, 100)
    assert [row.key for row in rows] == [f"site/{i}" for i in (1, 2, 3)] + [
        f"place/{i}" for i in range(1, 7)
    ]
    assert {row.topic for row in rows} == {SITES.name}
    assert Place.model_validate_json(rows[3].value) == made[0]
    assert sites.place(store, 1) == made[0]
    assert list(sites.places(store)) == made


def test_the_same_list_again_adds_nothing_and_a_longer_one_only_what_is_new(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    first = register_sites(store, RING, new_sites(2, 2), source="list")
    assert register_sites(store, RING, new_sites(2, 2), source="list") == first
    assert outbox.count_pending(store) == 6
    longer = register_sites(store, RING, new_sites(3, 3), source="list")
    assert [place.id for place in longer] == [1, 2, 5, 3, 4, 6, 7, 8, 9]
    other = register_sites(store, RING, new_sites(1, 1), source="another list")
    assert other[0].id == 10
    assert sites.count_places(store) == 10


def test_one_key_twice_in_a_list_is_one_place(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    made = register_sites(store, RING, [*new_sites(1, 1), *new_sites(1, 1)], source="list")
    assert [place.id for place in made] == [1, 1]
    assert outbox.count_pending(store) == 2


def test_a_list_of_many_chunks_keeps_its_order(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    told: list[int] = []
    made = register_sites(store, RING, new_sites(450, 10), source="list", on_progress=told.append)
    assert [place.id for place in made] == list(range(1, 4501))
    assert told == sorted(told)
    assert len(told) > 1
    assert told[-1] == 4500


def test_a_failure_leaves_nothing_and_gives_the_numbers_back(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    bad = NewSite("x", "office", WARD, "health", "x", places=(NewPlace("y", "z", "k", capacity=0),))
    with pytest.raises(ValueError, match="capacity"):
        register_sites(store, RING, [*new_sites(1, 1), bad], source="list")
    assert sites.count_places(store) == 0
    assert outbox.count_pending(store) == 0
    assert register_sites(store, RING, new_sites(1, 1), source="list")[0].id == 1


def test_hours_trips_and_the_rest_come_back_as_they_were(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    trip = Trip(id="HP-07", departs_at=AT, arrives_at=AT + timedelta(hours=2))
    spot = NewPlace(
        "Xe 15B-012.34",
        "bus",
        "bus/1",
        hours=Hours(opens="05:00", closes="23:30"),
        capacity=45,
        enclosed=True,
        usual_stay=90,
        trips=(trip,),
    )
    site = NewSite("Bến xe Niệm Nghĩa", "bus_station", WARD, "transport", "b", "Lê Chân", (spot,))
    [made] = register_sites(store, RING, [site], source="list")
    stored = sites.place(store, made.id)
    assert stored == made
    assert stored is not None
    assert stored.trips == (trip,)
    kept = sites.site(store, made.site)
    assert kept is not None
    assert (kept.name, kept.address) == ("Bến xe Niệm Nghĩa", "Lê Chân")
    assert sites.site(store, 99) is None


def test_a_room_lies_within_a_building_of_its_site(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    room = NewPlace("Room", "meeting_room", "room", within="house")
    house = NewPlace("House", "office", "house")
    site = NewSite("Site", "office", WARD, "health", "s", places=(room, house))
    made = register_sites(store, RING, [site], source="list")
    assert [(p.name, p.within) for p in made] == [("Room", made[1].id), ("House", None)]
    assert list(sites.places(store)) == made
    for odd in ("room 2", "elsewhere"):
        lost = NewPlace("Room 2", "meeting_room", "room 2", within=odd)
        with pytest.raises(UserError, match="room 2"):
            register_sites(store, RING, [replace(site, places=(lost, house))], source="list")
    # one that comes later lies within one that is there
    later = replace(site, places=(house, NewPlace("Room 3", "meeting_room", "3", within="house")))
    third = register_sites(store, RING, [later], source="list")[1]
    assert third.within == made[1].id
    # who comes to the house stands on its rooms: a scan in one prolongs a stay in it
    there = ground(store, load_parameters()).at(pl.Series([made[1].id], dtype=pl.UInt32))
    [level] = there.levels
    assert level.inside.tolist() == sorted((made[0].id, third.id))
    assert level.holders.tolist() == [made[1].id]


def test_revoking_raises_the_version_once_and_publishes_it(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(1, 1), source="list")
    after = sites.revoke_code(store, 1, 1, AT, "photographed")
    assert after.version == 2
    assert after.codes[0].revoked_at == AT
    assert sites.place(store, 1) == after
    assert sites.revoke_code(store, 1, 1, AT + timedelta(hours=1), "again") == after
    rows = outbox.pending(store, 10)
    assert [row.key for row in rows] == ["site/1", "place/1", "place/1"]
    assert Place.model_validate_json(rows[-1].value) == after
    with pytest.raises(NotFound, match="no code of version 7"):
        sites.revoke_code(store, 1, 7, AT, "x")
    with pytest.raises(NotFound, match="no place 8"):
        sites.revoke_code(store, 8, 1, AT, "x")


def test_a_new_code_ends_the_old_one_after_the_overlap(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(1, 1), source="list")
    after = sites.add_code(store, RING, 1, valid_from=AT, overlap=timedelta(days=3))
    assert [code.version for code in after.codes] == [1, 2]
    assert after.codes[0].valid_to == AT + timedelta(days=3)
    assert sites.place(store, 1) == after
    assert outbox.count_pending(store) == 3


def test_a_producer_rises_only_when_it_changes(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    first = put_producer(store, Producer(id="gate-1", name="Cổng 1", methods=(Method.CARD,)))
    assert first.version == 1
    assert put_producer(store, first.model_copy(update={"version": 9})) == first
    second = put_producer(store, first.model_copy(update={"active": False, "places": (1, 2)}))
    assert second.version == 2
    assert list_producers(store) == [second]
    rows = outbox.pending(store, 10)
    assert [(row.topic, row.key) for row in rows] == [(PRODUCERS.name, "gate-1")] * 2
    assert Producer.model_validate_json(rows[1].value) == second
    with pytest.raises(UserError, match="not a producer id"):
        put_producer(store, Producer(id="Gate 1", name="x"))


def test_numbers_are_counted_in_one_place(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(2, 2), source="list")
    with store.read() as connection:
        counters = connection.execute(select(tables.counters)).all()
        most = connection.scalar(select(func.max(tables.places.c.id)))
    assert {row.name: row.value for row in counters} == {"site": 2, "place": 4}
    assert most == 4
