"""What waits in a line: in order, bounded in records and in bytes, and at least one at a time."""

from hypothesis import given
from hypothesis import strategies as st

from streams.waiting import Size, Waiting

sizes = st.builds(Size, st.integers(1, 9), st.integers(0, 90))


@given(st.lists(st.tuples(st.floats(0, 9), sizes), max_size=12), sizes)
def test_what_is_taken_fits_and_nothing_is_lost(some: list[tuple[float, Size]], most: Size) -> None:
    waiting: Waiting[int] = Waiting()
    for number, (due, size) in enumerate(some):
        waiting.add(due, size, number)
    came: list[int] = []
    while waiting:
        assert waiting.records == sum(size.records for _, size in some[len(came) :])
        assert waiting.bytes == sum(size.bytes for _, size in some[len(came) :])
        assert waiting.first == len(came)
        assert waiting.due == min(due for due, _ in some[len(came) :])
        filled = waiting.fills(most)
        due, taken = waiting.take(most)
        assert due == min(some[number][0] for number in taken)
        records = sum(some[number][1].records for number in taken)
        size = sum(some[number][1].bytes for number in taken)
        assert len(taken) == 1 or (records <= most.records and size <= most.bytes)
        came += taken
        if waiting:  # the next one would not have fitted
            more = some[len(came)][1]
            assert records + more.records > most.records or size + more.bytes > most.bytes
        else:
            assert filled == (records >= most.records or size >= most.bytes)
    assert came == list(range(len(some)))
    assert (waiting.records, waiting.bytes) == (0, 0)


def test_what_is_left_behind_counts_no_more() -> None:
    waiting: Waiting[str] = Waiting()
    waiting.add(1.0, Size(3, 30), "left")
    waiting.clear()
    assert not waiting
    assert not waiting.fills(Size(1, 1))
