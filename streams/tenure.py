"""Whether a partition is still this worker's to write to."""

import math
import time
from collections.abc import Callable
from typing import Final

from streams.write import NotOurs

_LOOK_AGAIN_S: Final = 0.1
_WORTH_S: Final = 1.0


class Tenure:
    """One assignment of a partition: it is ours, then it is being left, then it is lost.

    `surely_ours_s`: seconds this worker's assignment surely still holds.
    """

    def __init__(self, surely_ours_s: Callable[[], float]) -> None:
        self._surely_ours_s = surely_ours_s
        self._until = math.inf
        self.leaving = False
        self.lost = False

    def leave(self, timeout_s: float) -> None:
        """Nothing new may begin, and what is under way must be over by then: whoever has the
        partition next need not know how to end it."""
        self.leaving = True
        self._until = time.monotonic() + timeout_s

    def check(self) -> None:
        """Raises NotOurs when nothing new may begin."""
        if self.leaving:
            raise NotOurs

    def permit(self) -> float:
        """Until when it may be written to, monotonic seconds, a second or more from now.

        Blocking; raises NotOurs once it is lost.
        """
        while True:
            if self.lost:
                raise NotOurs
            now = time.monotonic()  # before the question: a process may stand still in between
            until = min(now + self._surely_ours_s(), self._until)
            if until - now >= _WORTH_S:
                return until
            self.check()
            time.sleep(_LOOK_AGAIN_S)
