"""Steps recorded once whatever arrives, what goes out of each, and what coverage learns."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from console.coverage.funnel import Asked
from console.inspections.photos import MOST_BYTES, digest
from console.inspections.steps import Content, Seen, Step
from console.reports.inspections import inspections_of
from console.store import outbox, tables
from console.store.engine import Store
from console.store.errors import Conflict, NotFound
from console.store.inspection_photos import MOST_OF_ONE, keep_photo, photo, photos_of
from console.store.inspections import id_of, inspection_of, record, recorded_in
from console.store.postings import postings
from console.store.register import register_sites
from issuer.standing import Standing
from schemas.errors import UserError
from schemas.inspections import InspectionStep, Stage
from schemas.topics import COVERAGE, INSPECTIONS
from tests.console_kit import RING, WARD, migrated, new_sites
from tests.inspections_kit import (
    AT,
    CLOSED,
    DAY,
    DEFECTS,
    DUE,
    MENDED,
    NOT_POSSIBLE,
    ORDERED,
    PASSED,
    event_id,
    passed,
    picture,
    step,
)

ONE = "0190f5a4-0000-7000-8000-00000000a001"
TWO = "0190f5a4-0000-7000-8000-00000000a002"
PNG = picture()


def registered(directory: Path) -> Store:
    _, store = migrated(directory)
    register_sites(store, RING, new_sites(1, 2), source="test", valid_from=None)
    outbox.mark_published(store, [row.id for row in outbox.pending(store, 100)], AT)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = registered(tmp_path)
    yield made
    made.close()


def sent(store: Store, topic: str) -> list[InspectionStep]:
    rows = [row for row in outbox.pending(store, 1000) if row.topic == topic]
    return [InspectionStep.model_validate_json(row.value) for row in rows]


def test_any_order_and_any_number_of_arrivals_is_one_inspection(tmp_path: Path) -> None:
    contents: list[Content] = [DEFECTS, ORDERED, MENDED, PASSED, CLOSED]
    steps = [step(n, content) for n, content in enumerate(contents)]
    ends, postings_seen = [], []
    for seed in range(4):
        store = registered(tmp_path / str(seed))
        chance = random.Random(seed)
        arrivals = [s for s in steps for _ in range(chance.randint(1, 3))]
        chance.shuffle(arrivals)
        for arrived in arrivals:
            record(store, ONE, 1, arrived, by="key/1")
        found = inspection_of(store, ONE)
        assert found is not None
        assert (found.number, found.version) == (1, len(steps))
        assert len(sent(store, INSPECTIONS.name)) == len(steps)
        with store.read() as connection:
            row = connection.execute(select(tables.inspections)).one()
            known = postings(connection, [1])[1]
        ends.append((found.life, row.stage, row.result, row.checked_at, row.due_on))
        postings_seen.append(known.model_copy(update={"version": 1}))
        store.close()
    assert all(end == ends[0] for end in ends)
    assert all(known == postings_seen[0] for known in postings_seen)
    assert ends[0][1:] == ("closed", "passed", steps[3].occurred_at, None)
    assert (postings_seen[0].inspected_good, postings_seen[0].inspected_at) == (
        True, steps[3].occurred_at,
    )  # fmt: skip


def test_each_step_goes_out_once_and_without_notes_or_what_was_scanned(store: Store) -> None:
    seen = Seen(Standing.VALID, True, 1, 12)
    check = passed(note="gặp bà Nguyễn Thị Hoa", scanned="HTTPS://TRUYVET.VN/C/X", guided=True)
    record(store, ONE, 1, step(1, check, seen=seen), by="key/1")
    record(store, ONE, 1, step(1, check, seen=Seen(scans=99)), by="key/1")
    [row] = [row for row in outbox.pending(store, 10) if row.topic == INSPECTIONS.name]
    assert row.key == "1"
    assert "Nguyễn" not in row.value.decode()
    assert "HTTPS" not in row.value.decode()
    [event] = sent(store, INSPECTIONS.name)
    assert (event.stage, event.current, event.code_version, event.scans) == (
        Stage.CHECKED, True, 1, 12,
    )  # fmt: skip


def test_an_event_says_whether_it_counts_and_where_it_led(store: Store) -> None:
    record(store, ONE, 1, step(2, ORDERED), by="key/1")
    record(store, ONE, 1, step(1, DEFECTS), by="key/1")
    early, late = sent(store, INSPECTIONS.name)
    assert (early.counts, early.stage, early.version) == (False, None, 1)
    assert (late.counts, late.stage, late.due_on, late.version) == (True, Stage.ORDERED, DUE, 2)


def test_the_same_id_with_other_words_is_refused(store: Store) -> None:
    first = step(1, DEFECTS)
    record(store, ONE, 1, first, by="key/1")
    others = [
        (ONE, 1, Step(first.event_id, first.occurred_at, PASSED)),
        (ONE, 1, Step(first.event_id, first.occurred_at + timedelta(seconds=1), DEFECTS)),
        (TWO, 1, first),
        (TWO, 2, first),
    ]
    for inspection, place, other in others:
        with pytest.raises(Conflict, match="event_id"):
            record(store, inspection, place, other, by="key/1")
    with pytest.raises(Conflict, match="place 1"):
        record(store, ONE, 2, step(9, PASSED), by="key/1")
    assert inspection_of(store, TWO) is None
    assert recorded_in(store, first.event_id) == ONE
    assert id_of(store, 1) == ONE
    assert id_of(store, 2) is None


def test_an_unknown_place_begins_nothing(store: Store) -> None:
    with pytest.raises(NotFound, match="place 7"):
        record(store, ONE, 7, step(1, DEFECTS), by="key/1")
    assert inspection_of(store, ONE) is None
    assert outbox.pending(store, 10) == []


def test_an_inspection_has_a_bounded_number_of_steps(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.store.inspections.MOST_STEPS", 2)
    for n in range(2):
        record(store, ONE, 1, step(n, DEFECTS), by="key/1")
    with pytest.raises(Conflict, match="2 steps"):
        record(store, ONE, 1, step(3, DEFECTS), by="key/1")
    record(store, ONE, 1, step(1, DEFECTS), by="key/1")


@pytest.mark.parametrize(
    ("check", "seen", "good", "posted"),
    [
        (passed(), Seen(), True, True),
        (passed(scanned="X"), Seen(Standing.VALID, True, 2), True, True),
        (passed(scanned="X"), Seen(Standing.EXPIRED, True, 1), False, False),
        (passed(scanned="X"), Seen(Standing.VALID, False), False, False),
        (DEFECTS, Seen(), False, False),
    ],
)
def test_coverage_learns_what_was_found(
    store: Store, check: object, seen: Seen, good: bool, posted: bool
) -> None:
    made = Step(event_id(1), AT, check, seen)  # type: ignore[arg-type]
    record(store, ONE, 1, made, by="key/1")
    with store.read() as connection:
        known = postings(connection, [1])[1]
    assert (known.inspected_at, known.inspected_good) == (AT, good)
    assert known.inspected_version == seen.version
    assert known.posted_at == (AT if posted else None)
    assert [row.topic for row in outbox.pending(store, 9)] == [INSPECTIONS.name, COVERAGE.name]


def test_where_nobody_could_look_coverage_learns_nothing(store: Store) -> None:
    record(store, ONE, 1, step(1, NOT_POSSIBLE), by="key/1")
    with store.read() as connection:
        assert postings(connection, [1]) == {}


def test_photos_are_kept_once_under_their_hash(store: Store) -> None:
    name = digest(PNG)
    with pytest.raises(NotFound, match="check before the photo"):
        keep_photo(store, ONE, name, PNG, by="key/1")
    record(store, ONE, 1, step(1, DEFECTS), by="key/1")
    for _ in range(2):
        assert keep_photo(store, ONE, name, PNG, by="key/1") == "image/png"
    kept = photo(store, ONE, name)
    assert kept is not None
    assert (kept.media_type, kept.data) == ("image/png", PNG)
    assert photos_of(store, ONE) == {name}
    assert photo(store, ONE, "0" * 64) is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<script>", "JPEG, PNG or WebP"),
        (PNG + b"x" * MOST_BYTES, "at most 1 MiB"),
        (PNG[:-20], "damaged or not whole"),
    ],
)
def test_what_is_no_photo_is_refused(store: Store, data: bytes, says: str) -> None:
    record(store, ONE, 1, step(1, DEFECTS), by="key/1")
    with pytest.raises(UserError, match=says):
        keep_photo(store, ONE, digest(data), data, by="key/1")
    with pytest.raises(UserError, match="SHA-256"):
        keep_photo(store, ONE, "0" * 64, PNG, by="key/1")
    assert photos_of(store, ONE) == set()


def test_an_inspection_keeps_a_bounded_number_of_photos(store: Store) -> None:
    record(store, ONE, 1, step(1, DEFECTS), by="key/1")
    files = [PNG + bytes([n]) for n in range(MOST_OF_ONE + 1)]
    for data in files[:-1]:
        keep_photo(store, ONE, digest(data), data, by="key/1")
    with pytest.raises(Conflict, match="at most 12"):
        keep_photo(store, ONE, digest(files[-1]), files[-1], by="key/1")


def test_a_report_counts_each_check_on_its_own_day(store: Store) -> None:
    first, again = step(0, DEFECTS), step(24 * 60, PASSED)
    for one in (first, step(1, ORDERED), step(2, DEFECTS), again):
        record(store, ONE, 1, one, by="key/1")
    asked = Asked(f"ward/{WARD}")
    assert inspections_of(store, asked, DAY).done == 2, "not taken away by a later look"
    assert inspections_of(store, asked, DAY + timedelta(days=1)).done == 1
    assert inspections_of(store, Asked("ward/11407"), DAY).done == 0
