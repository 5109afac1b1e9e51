"""A permit ends with the assignment, and with the leave, whichever is first."""

import time

import pytest

from streams.tenure import Tenure
from streams.write import NotOurs


def test_a_permit_is_as_long_as_the_assignment_surely_holds() -> None:
    tenure = Tenure(lambda: 8.0)
    before = time.monotonic()
    assert before + 8 <= tenure.permit() <= time.monotonic() + 8


def test_what_is_begun_while_it_is_left_is_over_before_it_is_handed_over() -> None:
    tenure = Tenure(lambda: 8.0)
    tenure.leave(3.0)
    assert tenure.permit() <= time.monotonic() + 3
    with pytest.raises(NotOurs):
        tenure.check()
    tenure.leave(0.9)  # less than a second is worth no insert
    with pytest.raises(NotOurs):
        tenure.permit()


def test_once_lost_nothing_is_permitted() -> None:
    tenure = Tenure(lambda: 8.0)
    tenure.lost = True
    with pytest.raises(NotOurs):
        tenure.permit()


def test_while_it_is_not_sure_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("streams.tenure.time.sleep", slept.append)
    left = iter([0.2, -3.0, 5.0])
    tenure = Tenure(lambda: next(left))
    assert tenure.permit() > time.monotonic() + 4
    assert len(slept) == 2


def test_a_process_that_stood_still_has_not_gained_by_it() -> None:
    def asked() -> float:
        time.sleep(0.3)  # between the question and what is made of it
        return 5.0

    began = time.monotonic()
    assert Tenure(asked).permit() <= began + 5.01
