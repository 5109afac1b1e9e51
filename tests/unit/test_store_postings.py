"""What is known of posters: the newest of each fact, once, with its record on the way out."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from console.store import outbox
from console.store.engine import Store
from console.store.errors import NotFound
from console.store.postings import Mark, mark, postings
from console.store.register import register_sites
from schemas.coverage import Fact, Posting
from schemas.topics import COVERAGE
from tests.console_kit import RING, migrated, new_sites

AT = datetime(2026, 11, 26, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def registered(directory: Path, places: int = 2) -> Store:
    _, store = migrated(directory)
    register_sites(store, RING, new_sites(1, places), source="test", valid_from=None)
    outbox.mark_published(store, [row.id for row in outbox.pending(store, 100)], AT)
    return store


def marked(store: Store, *marks: Mark) -> list[Posting]:
    with store.write() as connection:
        return mark(connection, marks)


def test_a_fact_goes_out_once_and_again_changes_nothing(tmp_path: Path) -> None:
    store = registered(tmp_path)
    printed = Mark(1, Fact.PRINTED, AT, code_version=1)
    [first] = marked(store, printed)
    assert (first.version, first.printed_at, first.printed_version) == (1, AT, 1)
    assert marked(store, printed, printed) == []
    [second] = marked(store, Mark(1, Fact.POSTED, AT + HOUR))
    assert (second.version, second.printed_version, second.posted_at) == (2, 1, AT + HOUR)
    rows = outbox.pending(store, 10)
    assert [(row.topic, row.key) for row in rows] == [(COVERAGE.name, "posting/1")] * 2
    assert Posting.model_validate_json(rows[-1].value) == second
    with store.read() as connection:
        assert postings(connection, [1, 2]) == {1: second}


def test_the_order_in_which_facts_arrive_does_not_matter(tmp_path: Path) -> None:
    facts = [
        Mark(1, Fact.INSPECTED, AT, 1, good=True),
        Mark(1, Fact.INSPECTED, AT + HOUR, 2, good=False),
        Mark(1, Fact.POSTED, AT - HOUR, 1),
    ]
    ends = set()
    for n, order in enumerate(permutations(facts)):
        store = registered(tmp_path / str(n))
        for one in order:
            marked(store, one)
        with store.read() as connection:
            ends.add(postings(connection, [1])[1].model_copy(update={"version": 1}))
        store.close()
    [end] = ends
    assert (end.inspected_at, end.inspected_version, end.inspected_good) == (AT + HOUR, 2, False)
    assert (end.posted_at, end.posted_version) == (AT - HOUR, 1)


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    store = registered(tmp_path)
    with pytest.raises(NotFound, match="place 7"):
        marked(store, Mark(1, Fact.DUTY, AT), Mark(7, Fact.DUTY, AT))
    with store.read() as connection:
        assert postings(connection, [1]) == {}
