"""The account of every scan, on numbers alone."""

from hypothesis import given
from hypothesis import strategies as st

from console.accounting.counts import Partition, add_up


def test_all_of_it_written() -> None:
    done = Partition(end=10, committed=10, rows={"written": 7, "duplicate": 1, "rejected": 2})
    found = add_up([done], {"not_json": 2})
    assert found.document() == {
        "produced": 10,
        "written": 7,
        "duplicates": 1,
        "rejected": 2,
        "rejected_by_reason": {"not_json": 2},
        "expired": 0,
        "erased": 0,
        "in_flight": 0,
        "missing": 0,
    }


def test_what_is_ahead_of_the_commit_is_not_in_flight() -> None:
    found = add_up([Partition(end=100, committed=40, rows={"written": 70}, ahead=30)], {})
    assert (found.in_flight, found.missing) == (30, 0)


def test_a_hole_below_the_commit_is_missing_and_a_row_twice_is_negative() -> None:
    assert add_up([Partition(end=10, committed=10, rows={"written": 9})], {}).missing == 1
    assert add_up([Partition(end=10, committed=10, rows={"written": 11})], {}).missing == -1


def test_what_retention_and_erasure_took_away_still_counts() -> None:
    taken = {"written": 4, "rejected": 1, "erased": 2, "expired": 1}
    part = Partition(end=20, committed=20, rows={"written": 11, "expired": 1}, taken=taken)
    found = add_up([part], {"too_old": 1})
    assert (found.written, found.rejected, found.expired, found.erased) == (15, 1, 2, 2)
    assert found.missing == 0


def test_never_committed() -> None:
    assert add_up([Partition(end=5)], {}).in_flight == 5
    assert add_up([], {}).produced == 0


@given(
    st.lists(st.lists(st.sampled_from(["written", "duplicate", "rejected", "expired"]))), st.data()
)
def test_missing_is_nothing_at_any_moment(logs: list[list[str]], data: st.DataObject) -> None:
    """A log of fates; some below a commit are written, some above are, the log grows after."""
    partitions, reasons = [], 0
    for fates in logs:
        committed = data.draw(st.integers(0, len(fates)))
        ahead = [f for f in fates[committed:] if data.draw(st.booleans())]
        rows = [*fates[:committed], *ahead]
        reasons += rows.count("rejected")
        counted = {fate: rows.count(fate) for fate in set(rows)}
        grown = data.draw(st.integers(0, 50))
        partitions.append(Partition(len(fates) + grown, committed, counted, len(ahead)))
    found = add_up(partitions, {"not_json": reasons})
    assert found.missing == 0
    assert found.in_flight >= 0
    assert found.rejected == sum(found.rejected_by_reason.values())
