"""The live rate by search: up in steps while the lag does not grow, then bisected. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_GROWTH: Final = 0.01  # lag may grow by this share of the time between the quarters…
_NOISE_S: Final = 0.3  # …or by this, where that is more: batches come 0.4 s apart
_ACHIEVED: Final = 0.99  # of the rate asked for, or the producer was the limit
_LOST_S: Final = 15.0  # lag that no worker of this rate would have


@dataclass(frozen=True)
class Look:
    """One look during a step, seconds since its begin."""

    at_s: float
    lag_s: float  # the metric, worst partition
    backlog: int  # log's ends less committed offsets


@dataclass(frozen=True)
class Step:
    """One rate tried."""

    rate: float
    achieved: float
    keeps_up: bool
    lag_growth_s: float
    backlog_growth_s: float
    lag_s: float
    why: str


def judge(rate: float, achieved: float, looks: Sequence[Look], seconds: float) -> Step:
    """Whether the lag did not grow from the first quarter of `seconds` to the last.

    The first is counted from a twentieth of the step on: a worker that falls seconds behind
    and stays there has let the lag grow. Lag is judged twice: by the worker's metric, and by
    the log's ends less the committed offsets, in seconds of this rate. A step that was ended
    early never keeps up.
    """
    settled = 0.05 * seconds
    first = [look for look in looks if settled <= look.at_s < 0.25 * seconds]
    last = [look for look in looks if look.at_s >= 0.75 * seconds]
    if not first or not last:
        return Step(rate, achieved, False, 0, 0, _worst(looks), "the lag ran away")
    lag = _mean([x.lag_s for x in last]) - _mean([x.lag_s for x in first])
    backlog = (_mean([x.backlog for x in last]) - _mean([x.backlog for x in first])) / rate
    allowed = max(_GROWTH * 0.75 * seconds, _NOISE_S)
    why = ""
    if achieved < _ACHIEVED * rate:
        why = "the producer did not reach the rate"
    elif lag > allowed or backlog > allowed:
        why = "the lag grew"
    return Step(rate, achieved, not why, round(lag, 3), round(backlog, 3), _worst(last), why)


def lost(look: Look, rate: float) -> bool:
    """Whether this step can be ended early: it will not be caught up with."""
    return look.lag_s > _LOST_S or look.backlog > _LOST_S * rate


def search(
    attempt: Callable[[float], Step],
    first: float,
    factor: float,
    most: float,
    precision: float,
    steps_most: int,
) -> tuple[float, list[Step]]:
    """The highest rate that keeps up (0 if none did), to a share of `precision`, and the steps.

    From `first` up by `factor` to `most`, or down by it while not even that keeps up.
    """
    steps: list[Step] = []
    low, high, rate = 0.0, float("inf"), min(first, most)
    while len(steps) < steps_most and high > low * (1 + precision):
        step = attempt(round(rate))
        steps.append(step)
        if step.keeps_up:
            low = rate
        else:
            high = rate
        if low >= most:
            break
        if high == float("inf"):
            rate = min(low * factor, most)
        elif low == 0:
            rate = high / factor
        else:
            rate = (low + high) / 2
    return round(low), steps


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _worst(looks: Sequence[Look]) -> float:
    return round(max((look.lag_s for look in looks), default=0.0), 3)
