"""A partition that refuses too much stops, by the broker's time."""

from collections import deque
from collections.abc import Iterator
from random import Random

import pytest

from schemas.reasons import Reason
from streams.batch import Verdicts
from streams.decode import decode
from streams.rejectlimit import RejectLimit, RejectPolicy, TooManyRejects
from tests.scans import raw_batch

MINUTE = RejectPolicy(most=10, window_ms=60_000)


def refused(count: int, at_ms: int) -> Verdicts:
    verdicts = decode(raw_batch([b"garbage"] * count, appended_ms=at_ms, first=700, partition=3))
    assert len(verdicts.rejected) == count
    return verdicts


def test_as_many_as_allowed_go_through_and_one_more_stops() -> None:
    limit = RejectLimit(MINUTE)
    limit.note(refused(6, 0))
    limit.note(refused(4, 1_000))
    with pytest.raises(TooManyRejects, match=r"partition 3, offsets 700 to 700: 11 rejects"):
        limit.note(refused(1, 2_000))


def test_what_is_older_than_the_window_does_not_count() -> None:
    limit = RejectLimit(MINUTE)
    for minute in range(20):
        limit.note(refused(10, minute * 60_000))


def test_the_same_records_give_the_same_verdict_again() -> None:
    for _ in range(2):  # a restart reads them again
        limit = RejectLimit(MINUTE)
        limit.note(refused(10, 5_000))
        with pytest.raises(TooManyRejects, match="TRUYVET_REJECT_LIMIT"):
            limit.note(refused(10, 30_000))


def test_zero_is_no_limit() -> None:
    limit = RejectLimit(RejectPolicy(most=0, window_ms=60_000))
    for _ in range(5):
        limit.note(refused(1_000, 0))


def test_the_reason_is_in_the_message() -> None:
    with pytest.raises(TooManyRejects, match=Reason.NOT_JSON.value):
        RejectLimit(MINUTE).note(refused(11, 0))


class NeverWalked(deque[tuple[int, int]]):
    def __iter__(self) -> Iterator[tuple[int, int]]:
        raise AssertionError("each moment would cost as much as the whole window")


@pytest.mark.parametrize("seed", range(20))
def test_it_stops_where_counting_everything_anew_would(seed: int) -> None:
    r = Random(seed)
    limit = RejectLimit(MINUTE)
    limit._newest = NeverWalked()
    kept: list[int] = []  # as they came: a broker's clock may go back
    now, stopped = 0, False
    for _ in range(200):
        now += r.choice((-5_000, 100, 9_000, 20_000, 30_000))
        count = r.randint(1, 4)
        kept += [now] * count
        while kept[0] <= now - MINUTE.window_ms:
            kept.pop(0)
        stopped = len(kept) > MINUTE.most
        if stopped:
            with pytest.raises(TooManyRejects, match=f"{len(kept)} rejects"):
                limit.note(refused(count, now))
            break
        limit.note(refused(count, now))
    assert stopped
