"""How long a console rests between two rounds of coverage."""

import pytest

from console.coverage.keeper import EVERY_S, rest_after


@pytest.mark.parametrize("round_s", [0.1, 1.0, 3.0, 4.0, 5.5, 8.0, 12.0])
def test_what_is_shown_is_never_older_than_a_minute(round_s: float) -> None:
    rest = rest_after(round_s)
    assert rest >= EVERY_S
    assert round_s + rest + round_s < 60


@pytest.mark.parametrize("round_s", [13.0, 20.0, 120.0])
def test_a_round_that_takes_long_leaves_the_machine_to_others(round_s: float) -> None:
    assert rest_after(round_s) == 10 * round_s


def test_a_short_round_is_a_tenth_of_the_time() -> None:
    assert [rest_after(s) for s in (1.0, 4.0)] == [30.0, 40.0]
