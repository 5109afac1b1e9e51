"""Edits, closing and merging in the store: history, versions, events, and scans afterwards."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.store import edits, history, outbox, sites
from console.store.codes import Changed, active_places, change_codes
from console.store.engine import Store
from console.store.errors import Conflict, NotFound
from console.store.history import What, Why
from console.store.register import register_sites
from console.store.site_list import list_sites, places_of_site
from issuer.rotation import Left, issued, rotated
from schemas.places import Hours, Place, Producer, Site, Status
from schemas.reasons import Reason
from schemas.scan import format_timestamp
from streams.decode import decode
from streams.directory import Directory
from streams.resolve import resolve
from tests.console_kit import RING, WARD, migrated, new_sites
from tests.scans import raw_batch, scan_json

BY = Why("key/7", What.EDIT, "đo lại")
CLOSE = Why("key/7", What.CLOSE, "chuyển đi")
MERGE = Why("key/7", What.MERGE, "đăng ký hai lần")
ELSEWHERE = "11416"
WEEK = timedelta(days=7)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    _, made = migrated(tmp_path)
    register_sites(made, RING, new_sites(2, 2), source="list")
    return made


def records(store: Store, key: str) -> list[Any]:
    model = Place if key.startswith("place/") else Site
    rows = [row for row in outbox.pending(store, 10_000) if row.key == key]
    return [model.model_validate_json(row.value) for row in rows]


def scanned(store: Store, token: str, at: datetime) -> int | Reason:
    """What a worker that has read `sites.v1` makes of a scan of this code at that time."""
    directory = Directory(RING)
    for row in outbox.pending(store, 10_000):
        directory.put_site_record(row.key, row.value)
    directory.put_producer("sim", Producer(id="sim", name="sim").model_dump_json().encode())
    verdicts = decode(raw_batch([scan_json(code=token, scanned_at=format_timestamp(at))]))
    found = resolve(verdicts, directory)
    return int(found.place[0]) if len(found.place) else verdicts.rejected[0].reason


def token_of(store: Store, number: int, version: int = 1) -> str:
    found = sites.place(store, number)
    assert found is not None
    return next(code.token for code in found.codes if code.version == version)


def test_an_edit_keeps_what_was_and_who_changed_it(store: Store) -> None:
    hours = Hours(opens="05:00", closes="18:00")
    after = edits.edit_place(store, 1, {"capacity": 40, "hours": hours, "name": "Room 0"}, BY)
    assert (after.version, after.capacity, after.hours) == (2, 40, hours)
    assert sites.place(store, 1) == after
    assert records(store, "place/1")[-1] == after
    [step] = history.steps(store, "place", 1)
    assert (step.version, step.by, step.what, step.note) == (2, "key/7", "edit", "đo lại")
    assert step.before == {"hours": None, "capacity": None}
    assert step.after == {"hours": {"opens": "05:00", "closes": "18:00"}, "capacity": 40}
    assert step.at.tzinfo is not None


def test_an_edit_without_a_difference_is_none(store: Store) -> None:
    before = sites.place(store, 1)
    assert edits.edit_place(store, 1, {"name": "Room 0"}, BY) == before
    assert len(records(store, "place/1")) == 1
    assert history.steps(store, "place", 1) == []


def test_a_sites_places_go_with_it_to_another_ward_and_sector(store: Store) -> None:
    edits.edit_place(store, 2, {"sector": "tourism"}, BY)
    after = edits.edit_site(store, 1, {"ward": ELSEWHERE, "sector": "education"}, BY)
    assert (after.version, after.ward) == (2, ELSEWHERE)
    assert records(store, "site/1")[-1] == after
    moved = places_of_site(store, 1)
    assert [(p.ward, p.sector) for p in moved] == [
        (ELSEWHERE, "education"),
        (ELSEWHERE, "tourism"),
    ]
    assert records(store, "place/1")[-1] == moved[0]
    assert history.steps(store, "place", 1)[0].after == {"ward": ELSEWHERE, "sector": "education"}
    # a name changes the site alone
    edits.edit_site(store, 1, {"name": "Chợ"}, BY)
    assert sites.place(store, 1) == moved[0]


def test_of_two_edits_of_one_version_the_second_is_told(store: Store) -> None:
    edits.edit_place(store, 1, {"capacity": 40}, BY, on_version=1)
    with pytest.raises(Conflict, match="version: place 1 is at version 2"):
        edits.edit_place(store, 1, {"capacity": 50}, BY, on_version=1)
    with pytest.raises(NotFound, match="no place 99"):
        edits.edit_place(store, 99, {"capacity": 50}, BY)
    with pytest.raises(NotFound, match="no site 99"):
        edits.edit_site(store, 99, {"name": "x"}, BY)


def test_a_closed_sites_codes_are_refused_and_its_earlier_scans_stay(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    token = token_of(store, 1)
    after = edits.close_site(store, 1, CLOSE)
    assert (after.status, after.merged_into, after.version) == (Status.CLOSED, None, 2)
    assert scanned(store, token, before) == 1
    assert scanned(store, token, before + WEEK) is Reason.REVOKED_CODE
    found = sites.place(store, 1)
    assert found is not None
    assert (found.status, found.codes[0].revoked_reason) == (Status.CLOSED, "closed")
    assert scanned(store, token_of(store, 3), before + WEEK) == 3  # another site's is good
    count = outbox.count_pending(store)
    assert edits.close_site(store, 1, CLOSE) == after
    assert outbox.count_pending(store) == count
    with pytest.raises(Conflict, match="place 1 is closed"):
        edits.edit_place(store, 1, {"capacity": 4}, BY)
    with pytest.raises(Conflict, match="site 1 is closed"):
        edits.edit_site(store, 1, {"name": "x"}, BY)


def test_one_place_is_closed_alone(store: Store) -> None:
    after = edits.close_place(store, 1, CLOSE)
    assert edits.close_place(store, 1, CLOSE) == after
    now = datetime.now(UTC) + timedelta(minutes=1)
    assert scanned(store, token_of(store, 1), now) is Reason.REVOKED_CODE
    assert scanned(store, token_of(store, 2), now) == 2
    assert [one.places for one in list_sites(store, [WARD], limit=10)] == [1, 2]


def test_a_merged_sites_old_code_scanned_a_week_later_is_its_place(store: Store) -> None:
    now = datetime.now(UTC)
    token = token_of(store, 1)
    after = edits.merge_site(store, 1, 2, MERGE)
    assert (after.status, after.merged_into) == (Status.CLOSED, 2)
    assert records(store, "site/1")[-1] == after
    assert [place.id for place in places_of_site(store, 2)] == [1, 2, 3, 4]
    assert places_of_site(store, 1) == []
    assert scanned(store, token, now - timedelta(minutes=1)) == 1
    assert scanned(store, token, now + WEEK) == 1
    sites.revoke_code(store, 1, 1, now + WEEK, "poster taken down")
    assert scanned(store, token, now + WEEK) is Reason.REVOKED_CODE
    [moved, _] = history.steps(store, "place", 1)
    assert (moved.what, moved.before, moved.after) == ("merge", {"site": 1}, {"site": 2})
    assert history.steps(store, "site", 1)[0].after == {"status": "closed", "merged_into": 2}


def test_what_cannot_be_merged(store: Store) -> None:
    with pytest.raises(Conflict, match="into: site 1 is the site itself"):
        edits.merge_site(store, 1, 1, MERGE)
    with pytest.raises(NotFound, match="no site 99"):
        edits.merge_site(store, 1, 99, MERGE)
    merged = edits.merge_site(store, 1, 2, MERGE)
    assert edits.merge_site(store, 1, 2, MERGE) == merged
    register_sites(store, RING, new_sites(3, 1, "t"), source="another")
    with pytest.raises(Conflict, match="site 1 is closed"):
        edits.merge_site(store, 1, 3, MERGE)
    with pytest.raises(Conflict, match="into: site 1 is closed"):
        edits.merge_site(store, 3, 1, MERGE)


def test_a_refused_change_leaves_nothing(store: Store) -> None:
    count = outbox.count_pending(store)

    def guard(_: Site | Place) -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        edits.close_site(store, 1, CLOSE, guard=guard)
    found = sites.site(store, 1)
    assert found is not None
    assert found.status is Status.ACTIVE
    assert outbox.count_pending(store) == count


def test_the_guard_is_told_the_ward_that_a_site_moves_to(store: Store) -> None:
    told: list[Site | Place] = []
    edits.edit_site(store, 1, {"ward": ELSEWHERE}, BY, guard=told.append)
    assert [record.ward for record in told] == [WARD, ELSEWHERE]


def test_of_two_rotations_at_once_one_leaves_the_place_alone(store: Store) -> None:
    now = datetime.now(UTC)

    def rotate(_: int) -> Changed:
        return change_codes(
            store,
            [1, 2],
            lambda place: rotated(place, RING, now, WEEK, now=now),
            Why("cli", What.ROTATE),
        )

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(rotate, range(4)))
    assert sorted(len(one.places) for one in done) == [0, 0, 0, 2]
    assert [len(place.codes) for place in places_of_site(store, 1)] == [2, 2]


def test_many_places_are_rotated_once_however_often_the_run_is_begun(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_sites(store, RING, new_sites(5, 5, "many"), source="many")
    monkeypatch.setattr("console.store.codes._AT_ONCE", 10)
    now = datetime.now(UTC)
    ids = active_places(store, wards=[WARD])
    assert len(ids) == 29

    def decide(place: Place) -> Place | Left:
        return rotated(place, RING, now, 14 * timedelta(days=1), now=now)

    def broken_off(done: Changed) -> None:
        if done.seen == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change_codes(store, ids, decide, Why("cli", What.ROTATE), broken_off)
    told: list[int] = []
    done = change_codes(
        store, ids, decide, Why("cli", What.ROTATE), lambda sofar: told.append(sofar.seen)
    )
    assert (len(done.places), {why: len(left) for why, left in done.left.items()}) == (
        9,
        {Left.SINCE: 20},
    )
    assert told == [10, 20, 29]
    assert all([c.version for c in p.codes] == [1, 2] for p in sites.places(store))
    assert all(len(records(store, f"place/{number}")) == 2 for number in ids)
    [step] = history.steps(store, "place", 1)
    assert (step.by, step.what, sorted(step.after)) == ("cli", "rotate", ["code 1", "code 2"])
    assert "token" not in str(step)
    assert scanned(store, token_of(store, 1, 1), now + WEEK) == 1
    assert scanned(store, token_of(store, 1, 2), now + WEEK) == 1
    assert scanned(store, token_of(store, 1, 1), now + 2 * WEEK) is Reason.EXPIRED_CODE


def test_what_is_chosen_by_ward_or_site_is_not_closed(store: Store) -> None:
    edits.close_place(store, 1, CLOSE)
    assert active_places(store, sites=[1]) == [2]
    assert active_places(store, wards=[WARD]) == [2, 3, 4]
    assert active_places(store, wards=[ELSEWHERE]) == []
    done = change_codes(
        store, [1, 2], lambda p: issued(p, RING, datetime.now(UTC)), Why("cli", What.ISSUE)
    )
    assert done.left == {Left.CLOSED: [1], Left.HAS_CODE: [2]}


def test_a_list_goes_on_after_a_number(store: Store) -> None:
    assert [one.site.id for one in list_sites(store, None, limit=1)] == [1]
    assert [one.site.id for one in list_sites(store, None, limit=9, after=1)] == [2]
    assert list_sites(store, [ELSEWHERE], limit=9) == list_sites(store, [], limit=9) == []
