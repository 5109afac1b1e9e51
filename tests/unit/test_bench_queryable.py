"""Delays seen from outside: each record at the first look that has room for it."""

import numpy as np

from bench.queryable import appended_and_delay, between


def test_each_record_at_the_first_look_that_has_it() -> None:
    looks = [(1_000, {0: 1}), (1_100, {0: 1, 1: 2}), (1_200, {0: 3, 1: 2})]
    records = {0: np.array([900, 950, 1_150]), 1: np.array([1_000, 1_050])}
    appended, delays = appended_and_delay(looks, records)
    assert dict(zip(appended.tolist(), delays.tolist(), strict=True)) == {
        900: 100, 950: 250, 1_150: 50, 1_000: 100, 1_050: 50,
    }  # fmt: skip


def test_what_no_look_saw_is_left_out_and_fewer_rows_are_no_news() -> None:
    looks = [(1_000, {0: 2}), (1_100, {0: 1})]
    appended, delays = appended_and_delay(looks, {0: np.array([900, 950, 1_050])})
    assert appended.tolist() == [900, 950]
    assert delays.tolist() == [100, 50]


def test_a_stretch_has_the_records_appended_in_it() -> None:
    appended = np.arange(1_000, 2_000)
    delays = np.arange(1_000)
    found = between(appended, delays, 1_000, 1_101)
    assert (found.records, found.p50_ms, found.max_ms) == (101, 50, 100)
    assert found.p99_ms == 99
    assert between(appended, delays, 5_000, 6_000).records == 0
