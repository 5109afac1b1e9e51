"""Other systems' cases in the relational store: what a record changes, and what goes out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.store import case_ends, cases
from console.store.case_entries import change_entries, history
from console.store.engine import Store
from console.store.foreign import Again, Taken, publish_again, stands, take_in
from console.store.outbox import mark_published, pending
from schemas.cases import Case, CaseStatus, NamedContact, system_of
from streams.cases import read_case
from tests.console_kit import PERSON, WARD, migrated
from tests.worklist_kit import A, B

ID = "hcdc/N-7"
AT = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
FIRST, LAST = "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"
STAYED = {
    "place": 7, "begin": "2026-11-20T01:00:00.000Z", "end": "2026-11-20T02:00:00.000Z",
    "source": "roster",
}  # fmt: skip
NAMED = {"person": A, "relation": "household", "last_contact": "2026-11-21"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    _, made = migrated(tmp_path)
    yield made
    made.close()


def record(version: int = 1, **changes: Any) -> Case:
    """As the follower reads it from the topic."""
    fields: dict[str, Any] = {
        "id": ID, "version": version, "status": "suspected", "person": PERSON,
        "onset": "2026-11-20", "ward": WARD, "registered_at": AT, "registered_by": "hcdc",
    }  # fmt: skip
    written = Case.model_validate(fields | changes)
    found = read_case(written.id.encode(), written.model_dump_json().encode())
    assert found is not None
    return found


def there(store: Store) -> Case:
    found = cases.case(store, ID)
    assert found is not None
    return found


def sent(store: Store) -> list[Case]:
    """What has gone out since this was last asked."""
    rows = pending(store, 100)
    mark_published(store, [row.id for row in rows], AT)
    return [Case.model_validate_json(row.value) for row in rows]


def name(store: Store, person: str) -> Case:
    entry = NamedContact.model_validate(
        {"person": person, "relation": "household", "last_contact": "2026-11-21"}
    )
    return change_entries(store, ID, {"named": [entry]}, {}, by="key/1")


def test_a_new_one_is_suspected_and_no_echo_goes_out(store: Store) -> None:
    assert take_in(store, record(status="confirmed")) is Taken.NEW
    assert there(store) == record()
    assert there(store).status is CaseStatus.SUSPECTED
    assert cases.list_cases(store, f"ward/{WARD}") == [record()]
    assert take_in(store, record(status="confirmed")) is Taken.KNOWN
    assert stands(store, record())
    assert sent(store) == []
    assert history(store, ID) == []


def test_an_older_record_never_overwrites(store: Store) -> None:
    take_in(store, record(5))
    for version in (1, 4, 5):
        assert take_in(store, record(version, onset="2026-11-01")) is Taken.KNOWN
        assert not stands(store, record(version, onset="2026-11-01"))
    assert there(store) == record(5)


def test_its_facts_follow_the_other_system_while_nobody_here_has_changed_them(store: Store) -> None:
    take_in(store, record())
    later = record(3, onset="2026-11-18", ward="11416", symptoms="yes")
    assert take_in(store, later) is Taken.FOLLOWED
    assert there(store) == later
    assert sent(store) == []
    [entry] = history(store, ID)
    assert (entry.version, entry.by) == (3, "hcdc")
    assert entry.changes == {"onset": "2026-11-18", "ward": "11416", "symptoms": "yes"}


def test_what_was_changed_here_stays_and_goes_out_above_theirs(store: Store) -> None:
    take_in(store, record())
    name(store, A)
    cases.amend(store, ID, {"symptoms": "no"}, by="key/1")
    assert [case.version for case in sent(store)] == [2, 3]
    theirs = record(4, onset="2026-11-18", symptoms="yes")
    assert take_in(store, theirs) is Taken.MERGED
    merged = there(store)
    assert (merged.version, merged.symptoms, str(merged.onset)) == (5, "no", "2026-11-18")
    assert [named.person for named in merged.named] == [A]
    assert sent(store) == [merged]
    assert take_in(store, merged) is Taken.KNOWN, "what we hear of it ourselves"
    assert history(store, ID)[-1].changes == {"onset": "2026-11-18"}
    # and it can be worked on
    assert [n.person for n in name(store, B).named] == [A, B]


@pytest.mark.parametrize("status", ["confirmed", "closed", "voided"])
def test_what_an_officer_said_of_it_counts_from_then_on(store: Store, status: str) -> None:
    take_in(store, record())
    if status == "confirmed":
        cases.amend(store, ID, {"status": CaseStatus.CONFIRMED}, by="key/1")
    else:
        (case_ends.close if status == "closed" else case_ends.void)(store, ID, by="key/1")
    sent(store)
    assert take_in(store, record(9, onset="2026-11-01", status="suspected")) is Taken.KEPT
    after = there(store)
    assert (after.version, after.status, str(after.onset)) == (10, status, "2026-11-20")
    assert sent(store) == [after]
    entry = history(store, ID)[-1]
    assert (entry.by, entry.changes) == ("hcdc", {})
    assert entry.note is not None
    assert "changed nothing" in entry.note


def test_their_own_ending_is_followed_and_a_voided_one_stays_voided(store: Store) -> None:
    take_in(store, record())
    assert take_in(store, record(2, status="closed")) is Taken.FOLLOWED
    assert take_in(store, record(3)) is Taken.FOLLOWED
    assert there(store).status is CaseStatus.SUSPECTED, "opened again by who closed it"
    assert take_in(store, record(4, status="voided")) is Taken.FOLLOWED
    assert sent(store) == []
    assert take_in(store, record(5)) is Taken.KEPT
    assert [(c.version, c.status) for c in sent(store)] == [(6, "voided")]


@pytest.mark.parametrize("status", ["closed", "voided"])
def test_one_that_comes_ended_is_nothing_to_work_on(store: Store, status: str) -> None:
    """And whom it names may have been erased since."""
    assert take_in(store, record(status=status)) is Taken.ENDED
    assert cases.case(store, ID) is None
    assert take_in(store, record(2)) is Taken.NEW, "opened again"


@pytest.mark.parametrize("status", ["suspected", "confirmed"])
def test_ours_on_the_topic_is_newer_only_after_a_restore(store: Store, status: str) -> None:
    take_in(store, record())
    if status == "confirmed":
        cases.amend(store, ID, {"status": CaseStatus.CONFIRMED}, by="key/1")
    sent(store)
    lost = record(5, status=status, symptoms="no", negative_at="2026-11-22T01:00:00.000Z")
    assert take_in(store, lost, ours=True) is Taken.CAUGHT_UP
    assert there(store) == lost.model_copy(update={"status": CaseStatus(status)})
    assert stands(store, lost)
    assert sent(store) == [], "it is there already"
    assert "restored" in (history(store, ID)[-1].note or "")


def test_a_record_that_contradicts_what_was_entered_here_changes_nothing(store: Store) -> None:
    take_in(store, record())
    name(store, A)
    sent(store)
    excluded = [{"person": A, "reason": "not_there"}]
    assert take_in(store, record(3, excluded=excluded)) is Taken.KEPT
    [ours] = sent(store)
    assert (ours.version, ours.excluded, [n.person for n in ours.named]) == (4, (), [A])


def test_a_record_behind_ours_gets_ours_behind_it(store: Store) -> None:
    take_in(store, record())
    named = name(store, A)
    assert publish_again(store, ID, 1) is Again.WAITS, "it will come behind it"
    sent(store)
    assert publish_again(store, ID, 1) is Again.PUBLISHED
    assert sent(store) == [named], "the same record: whoever knows it ignores it"
    assert publish_again(store, ID, 0) is Again.PUBLISHED
    assert sent(store) == [named]
    # two wrote the same version: the next one is ours
    assert publish_again(store, ID, 2) is Again.PUBLISHED
    assert [(c.version, c.named) for c in sent(store)] == [(3, named.named)]
    assert there(store).version == 3
    assert publish_again(store, "hcdc/unknown", 1) is Again.UNKNOWN


def test_ours_that_waits_and_is_not_above_does_not_do(store: Store) -> None:
    take_in(store, record())
    name(store, A)
    assert publish_again(store, ID, 2) is Again.PUBLISHED
    assert [case.version for case in sent(store)] == [2, 3]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"ward": "x" * 65}, "ward"), ({"ward": "a\0b"}, "ward"), ({"rule_set": "x" * 65}, "rule_set"),
     ({"version": 2**31 - 1}, "version"), ({"version": 2**31 - 2}, "version"),
     ({"isolated_at": LAST}, "isolated_at"),
     ({"negative_at": FIRST}, "negative_at"), ({"registered_at": LAST}, "registered_at"),
     ({"points": [STAYED | {"end": LAST}]}, "points"),
     ({"answers": [STAYED | {"begin": FIRST, "person": A}]}, "answers"),
     ({"named": [NAMED | {"last_contact": "9999-12-31"}]}, "named")],
)  # fmt: skip
def test_what_the_tables_cannot_hold_is_refused(
    store: Store, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValueError, match=field):
        take_in(store, record(**changes))
    assert cases.case(store, ID) is None


def test_a_day_that_decides_nothing_and_stands_for_none_is_left_out(store: Store) -> None:
    assert take_in(store, record(result_on="0001-01-01")) is Taken.NEW
    assert there(store).result_on is None
    assert stands(store, record(result_on="0001-01-01"))


def test_whose_case_it_is() -> None:
    assert system_of("hcdc/N-7") == "hcdc"
    assert system_of("C-2026-000001") is None
