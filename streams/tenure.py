"""Whether a partition is still this worker's to write to."""

import time
from collections.abc import Callable
from typing import Final

from streams.write import NotOurs

_LOOK_AGAIN_S: Final = 0.1


class Tenure:
    """One assignment of a partition: it is ours, then it is being left, then it is lost.

    `surely_ours_s`: seconds this worker's assignment surely still holds.
    """

    def __init__(self, surely_ours_s: Callable[[], float]) -> None:
        self._surely_ours_s = surely_ours_s
        self.leaving = False
        self.lost = False

    def check(self) -> None:
        """Raises NotOurs when nothing new may begin."""
        if self.leaving:
            raise NotOurs

    def permit(self) -> float:
        """Seconds it may still be written to. Blocking; raises NotOurs once it is lost."""
        while True:
            if self.lost:
                raise NotOurs
            left = self._surely_ours_s()
            if left >= 1.0:
                return left
            self.check()
            time.sleep(_LOOK_AGAIN_S)
