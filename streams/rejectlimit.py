"""A limit on rejects: a partition that refuses too much stops, before a topic drains into the DLQ.

A producer gone wrong can fill the dead letters faster than anybody reads them. With a limit set,
the partition stands still at its last good batch until somebody has looked: nothing is lost, and
nothing of the batch that went over the limit is written or committed.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from streams.batch import Verdicts


@dataclass(frozen=True)
class RejectPolicy:
    """At most `most` rejects of a partition in `window_ms` of the broker's time; 0 is no limit."""

    most: int
    window_ms: int


class TooManyRejects(Exception):
    """More than the policy allows; the text says how many, where and what to do."""


class RejectLimit:
    """The newest rejects of one partition. By the broker's time, so that a re-read agrees."""

    def __init__(self, policy: RejectPolicy) -> None:
        self._policy = policy
        self._newest: deque[tuple[int, int]] = deque()  # (the broker's time, rejects)
        self._total = 0  # of all of these: a window may hold a moment for each millisecond

    def note(self, verdicts: Verdicts) -> None:
        """Count a batch's rejects. Raises TooManyRejects."""
        if not self._policy.most or not len(verdicts.rejected):
            return
        raw = verdicts.raw
        times = raw.appended[verdicts.rejected.index]
        for moment, count in zip(*np.unique(times, return_counts=True), strict=True):
            self._newest.append((int(moment), int(count)))
            self._total += int(count)
            while self._newest[0][0] <= moment - self._policy.window_ms:
                self._total -= self._newest.popleft()[1]
            if self._total > self._policy.most:
                reason = verdicts.rejected[0].reason.value
                raise TooManyRejects(
                    f"partition {raw.partition}, offsets {raw.first} to {raw.last}: {self._total} "
                    f"rejects within {self._policy.window_ms // 1000} s of the broker's time, at "
                    f"most {self._policy.most} are allowed (TRUYVET_REJECT_LIMIT); the first is "
                    f"{reason}. Nothing of this batch is written. Mend its cause or raise the "
                    "limit, then start the worker again."
                )
