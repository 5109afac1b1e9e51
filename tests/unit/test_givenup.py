"""What was waited for in vain is not waited for again while it is scanned."""

from streams.givenup import GivenUp


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_code_is_given_up_while_it_is_scanned_and_a_minute_longer() -> None:
    clock = Clock()
    given_up = GivenUp(kept_s=60, clock=clock)
    given_up.add({"a", "b"})
    for _ in range(10):
        clock.now += 59
        assert given_up.others({"a"}) == set()
    assert given_up.others({"a", "b", "c"}) == {"b", "c"}, "b was not seen for a minute"
    clock.now += 60
    assert given_up.others({"a"}) == {"a"}
    assert len(given_up) == 0


def test_only_so_many_are_kept_those_seen_last() -> None:
    clock = Clock()
    given_up = GivenUp(most=3, clock=clock)
    for code in "abcde":
        clock.now += 1
        given_up.add({code})
        assert given_up.others({"a"}) == set()
    assert len(given_up) == 3
    assert given_up.others(set("abcde")) == {"b", "c"}
    given_up.add({str(n) for n in range(1000)})
    assert len(given_up) == 3
