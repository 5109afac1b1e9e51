"""Delays are counted by the millisecond, in a fixed size."""

import numpy as np

from streams.latency import Latencies


def test_the_percentiles_are_those_of_all_records() -> None:
    rng = np.random.default_rng(3)
    latencies = Latencies()
    everything = []
    for _ in range(20):
        delays = rng.integers(0, 5_000, 1_000)
        everything.append(delays)
        assert (latencies.note(1_000_000 - delays, 1_000_000) == delays).all()
    whole = np.sort(np.concatenate(everything))
    summary = latencies.summary()
    assert summary["count"] == summary["records"] == len(whole)
    assert summary["p50_ms"] == whole[len(whole) // 2 - 1]
    assert summary["p99_ms"] == whole[len(whole) * 99 // 100 - 1]
    assert summary["max_ms"] == whole[-1]


def test_nothing_is_known_before_the_first_batch_and_after_a_reset() -> None:
    latencies = Latencies()
    assert latencies.summary() == {"count": 0, "records": 0}
    latencies.begin()
    latencies.note(np.array([1, 2, 3], dtype=np.int64), 10**12)
    assert latencies.summary()["max_ms"] == 600_000
    latencies.reset()
    assert latencies.summary() == {"count": 0, "records": 0}
